"""What was embedded, kept: the journal of a run that may be stopped, and the generations committed before.

A record is found by its key, which covers the encoder and the text, and is believed only with its proof: a
damaged one counts as absent. The journal is a convenience of the holder of the store's lock: it is begun anew
where it cannot be read, and deleted once what it holds is committed.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from embeddings.index import VectorIndex
from rag.store.layout import EMBEDDED, SENTENCE_STARTS, SENTENCES, VECTORS, generation_folder, generations
from rag.store.proofs import PROOF_BYTES, embedding_proof

Halves = NDArray[np.float16]
Packed = NDArray[np.uint8]

KEY_BYTES = 16
WAY = "spans of one pass, four bits"  # to be changed with how vectors come of an encoder's weights
_HEAD = struct.Struct(f"<{KEY_BYTES}sI{PROOF_BYTES}s")  # key, how many sentences, proof


def embedding_key(fingerprint: str, text: str, spans: Sequence[tuple[int, int]] = ()) -> bytes:
    """What names the vectors of a text and of its sentences, by their spans, under an encoder.

    >>> embedding_key("e5", "a") == embedding_key("e", "5a")
    False
    """
    places = ",".join(f"{start}:{end}" for start, end in spans)
    whole = f"{WAY}\0{fingerprint}\0{places}\0{text}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(whole).digest()[:KEY_BYTES]


@dataclass(frozen=True, slots=True)
class Made:
    """What was embedded of n texts, of which text i has the sentences ``starts[i]:starts[i + 1]``.

    ``keys`` (n, 16) and ``vectors`` (n, d) go by text, ``sentences`` (s, w) hold a packed vector a row.
    """

    keys: Packed
    vectors: Halves
    sentences: Packed
    starts: NDArray[np.int64]

    @classmethod
    def empty(cls, keys: Sequence[bytes], counts: Sequence[int], dim: int, width: int) -> Made:
        """Room for texts with these keys and numbers of sentences."""
        starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64)
        return cls(
            np.frombuffer(b"".join(keys), np.uint8).reshape(len(keys), KEY_BYTES),
            np.zeros((len(keys), dim), np.float16),
            np.zeros((int(starts[-1]), width), np.uint8),
            starts,
        )

    def key(self, row: int) -> bytes:
        """The key of a text."""
        key: bytes = self.keys[row].tobytes()
        return key

    def part(self, row: int) -> tuple[bytes, bytes]:
        """The bytes of a text's vector and of its sentences' vectors."""
        return (
            np.ascontiguousarray(self.vectors[row], "<f2").tobytes(),
            self.sentences[self.starts[row] : self.starts[row + 1]].tobytes(),
        )

    def put(self, row: int, vector: bytes, sentences: bytes) -> bool:
        """Take over what another holds of a text; False where it does not fit."""
        here = self.sentences[self.starts[row] : self.starts[row + 1]]
        if len(vector) != 2 * self.vectors.shape[1] or len(sentences) != here.size:
            return False
        self.vectors[row] = np.frombuffer(vector, "<f2")
        here[:] = np.frombuffer(sentences, np.uint8).reshape(here.shape)
        return True

    def proofs(self) -> list[bytes]:
        """For each text the proof that binds its vectors to its key."""
        return [embedding_proof(self.key(row), *self.part(row)) for row in range(len(self.keys))]


class Journal:
    """Records appended as they are made; what was appended survives the process."""

    def __init__(self, path: Path, dim: int, width: int) -> None:
        self._head = json.dumps({"format": 1, "dim": dim, "width": width}).encode() + b"\n"
        self._dim, self._width = dim, width
        self._places: dict[bytes, tuple[int, int, bytes]] = {}
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._file: BinaryIO = os.fdopen(descriptor, "r+b", buffering=0)
        try:
            self._end = self._read(os.fstat(descriptor).st_size)
            self._file.truncate(self._end)
            if self._end == 0:
                self._append(self._head)
        except BaseException:
            self._file.close()
            raise

    def _read(self, size: int) -> int:
        """Find every whole record; where the last of them ends, 0 where the file is none of ours."""
        if self._file.read(len(self._head)) != self._head:
            return 0
        at = len(self._head)
        while len(head := self._pread(at, _HEAD.size)) == _HEAD.size:
            key, n_sentences, proof = _HEAD.unpack(head)
            end = at + _HEAD.size + 2 * self._dim + n_sentences * self._width
            if end > size:
                break
            self._places[key] = (at + _HEAD.size, n_sentences, proof)
            at = end
        return at

    def _pread(self, at: int, n: int) -> bytes:
        return os.pread(self._file.fileno(), n, at)

    def _append(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            written = os.pwrite(self._file.fileno(), view, self._end)
            view = view[written:]
            self._end += written

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

    def get(self, key: bytes) -> tuple[bytes, bytes] | None:
        """The bytes of a text's vector and of its sentences'; None where they are not here, or damaged."""
        if key not in self._places:
            return None
        at, n_sentences, proof = self._places[key]
        data = self._pread(at, 2 * self._dim + n_sentences * self._width)
        vector, sentences = data[: 2 * self._dim], data[2 * self._dim :]
        return (vector, sentences) if embedding_proof(key, vector, sentences) == proof else None

    def put(self, made: Made, rows: Iterable[int]) -> None:
        """Keep these texts of what was made."""
        records, places, at = [], {}, self._end
        for row in rows:
            key, (vector, sentences) = made.key(row), made.part(row)
            proof = embedding_proof(key, vector, sentences)
            n_sentences = int(made.starts[row + 1] - made.starts[row])
            records += [_HEAD.pack(key, n_sentences, proof), vector, sentences]
            places[key] = (at + _HEAD.size, n_sentences, proof)
            at += _HEAD.size + len(vector) + len(sentences)
        begun = self._end
        try:
            self._append(b"".join(records))
        except OSError:
            self._end = begun  # what stands there of a record is written over, or cut off when next opened
            raise
        self._places |= places


class Committed:
    """The vectors of one segment, by key."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError, ValueError or RuntimeError where its files are none."""
        self._embedded: Packed = np.load(folder / EMBEDDED, mmap_mode="r", allow_pickle=False)
        self._starts: NDArray[np.int64] = np.load(folder / SENTENCE_STARTS, allow_pickle=False)
        self._sentences: Packed = np.load(folder / SENTENCES, mmap_mode="r", allow_pickle=False)
        self._vectors = VectorIndex.open(folder / VECTORS)
        n = len(self._embedded)
        if self._embedded.shape != (n, KEY_BYTES + PROOF_BYTES) or not n == self._vectors.n:
            raise ValueError(f"{folder} does not hold a vector for each key")
        if len(self._starts) != n + 1 or self._starts[-1] != len(self._sentences):
            raise ValueError(f"{folder} does not hold a place for each sentence")
        self._rows = {self._embedded[row, :KEY_BYTES].tobytes(): row for row in range(n)}

    def close(self) -> None:
        """Let the files go."""
        del self._embedded, self._sentences, self._vectors

    def get(self, key: bytes) -> tuple[bytes, bytes] | None:
        """As ``Journal.get``."""
        row = self._rows.get(key)
        if row is None:
            return None
        vector = self._vectors.vector(row).astype("<f2").tobytes()
        sentences = self._sentences[self._starts[row] : self._starts[row + 1]].tobytes()
        proof = self._embedded[row, KEY_BYTES:].tobytes()
        return (vector, sentences) if embedding_proof(key, vector, sentences) == proof else None


def committed_vectors(store: Path) -> list[Committed]:
    """Every segment of every generation whose vectors can be read, newest first."""
    found: list[Committed] = []
    seen: set[tuple[int, int]] = set()
    for number in reversed(generations(store)):
        for path in sorted(generation_folder(store, number).glob(f"*/{EMBEDDED}"), reverse=True):
            try:
                status = path.stat()
                if (status.st_dev, status.st_ino) not in seen:
                    found.append(Committed(path.parent))
                    seen.add((status.st_dev, status.st_ino))
            except (OSError, ValueError, RuntimeError, EOFError):
                continue
    return found
