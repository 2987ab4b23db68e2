"""A store as its readers see it: one generation, whole, for as long as they keep it open."""

from __future__ import annotations

import fnmatch
import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from embeddings.index import VectorIndex
from rag.errors import (
    DocumentNotFoundError,
    EncoderMismatchError,
    StoreDamagedError,
    StoreError,
)
from rag.records import Document, Passage
from rag.retrieval.lexical import LexicalIndex
from rag.store.content import Entry, FileRow
from rag.store.database import Database
from rag.store.integrity import THOROUGH_BYTES, faults, read_view_rows
from rag.store.layout import LEXICAL, PASSAGES, VECTORS, generation_folder, view_file
from rag.store.lock import lease
from rag.store.manifest import Manifest, read_current, read_manifest, rebuild_hint
from rag.store.proofs import Rows, text_proof, vector_proofs
from rag.text.dates import checked_date

CACHED_CHARS = 64_000_000  # of documents kept decoded: some 10,000 reports
_TRIES = 20  # times a reader starts over because a writer committed; each try needs two more commits to fail


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a filter lets through: ``rows`` (None: all of them), of how many documents.

    ``n_undated`` documents could not be judged, for they have no date.
    """

    rows: Rows | None
    n_documents: int
    n_undated: int = 0


class Store:
    """One generation of a store, read-only; several threads may share it.

    Opened by ``Store.open``. What it opened stays readable while later generations are committed.
    """

    def __init__(self, path: Path, manifest: Manifest, descriptor: int, *, proven: bool) -> None:
        """``proven``: every sum was checked, so that what is used need not be."""
        self.path = path
        self.manifest = manifest
        self._proven = proven
        self._folder = generation_folder(path, manifest.generation)
        self._database = Database(self._folder / PASSAGES)
        self._close = weakref.finalize(self, self._database.close)
        self._release = weakref.finalize(self, os.close, descriptor)
        self._documents: OrderedDict[str, Document] = OrderedDict()
        self._cached_chars = 0
        self._lock = threading.Lock()

    @classmethod
    def exists(cls, path: str | Path) -> bool:
        """Whether a generation was ever committed at ``path``; it may still fail to open."""
        try:
            return read_current(Path(path)) is not None
        except (StoreError, OSError):
            return True

    @classmethod
    def open(cls, path: str | Path, *, verify: bool = True) -> Store:
        """The generation served at ``path``.

        Raises StoreMissingError, StoreFormatError, StoreDamagedError, or StoreError where it may not be read.
        With ``verify`` every sum is checked (over 200 MB: sizes, samples and the rows' sums); without, that
        every file is there in its size. What was not checked then is when a passage is used: its text and
        its vector.
        """
        path = Path(path)
        for _ in range(_TRIES):
            try:
                before = cls._current(path)
                manifest = read_manifest(path)
                descriptor = lease(generation_folder(path, manifest.generation))
                if descriptor is not None:
                    return cls._open_leased(path, manifest, descriptor, verify)
                damage = StoreDamagedError(
                    f"generation {manifest.generation} has no manifest", rebuild_hint(path)
                )
            except StoreDamagedError as error:
                damage = error
            except OSError as error:
                raise StoreError(
                    f"the store at {path} cannot be read: {error.strerror or error}",
                    "check who may read it, or name another with --store",
                ) from error
            if cls._current(path) == before:  # nobody committed meanwhile: the damage is real
                raise damage
        raise damage

    @staticmethod
    def _current(path: Path) -> tuple[int, str] | None:
        try:
            return read_current(path)
        except StoreDamagedError:
            return None

    @classmethod
    def _open_leased(cls, path: Path, manifest: Manifest, descriptor: int, verify: bool) -> Store:
        try:
            cls._refuse(path, manifest, contents=verify)
            return cls(path, manifest, descriptor, proven=verify and manifest.size <= THOROUGH_BYTES)
        except BaseException:
            os.close(descriptor)
            raise

    @staticmethod
    def _refuse(
        path: Path, manifest: Manifest, *, thorough: bool | None = None, contents: bool = True
    ) -> None:
        folder = generation_folder(path, manifest.generation)
        found = list(faults(folder, manifest, thorough=thorough, contents=contents))
        if found:
            more = f" (and {len(found) - 3} more)" if len(found) > 3 else ""
            raise StoreDamagedError(
                f"generation {manifest.generation} of the store at {path} is damaged: "
                + "; ".join(found[:3])
                + more,
                rebuild_hint(path),
            )

    def verify(self) -> None:
        """Check every sum, whatever the size of the store; raises StoreDamagedError."""
        self._refuse(self.path, self.manifest, thorough=True)

    def check_encoder(self, name: str, fingerprint: str) -> None:
        """Raise EncoderMismatchError unless this encoder made the vectors."""
        if fingerprint != self.manifest.encoder_fingerprint:
            raise EncoderMismatchError(
                f"the store was built with encoder {self.manifest.encoder_name} "
                f"({self.manifest.encoder_fingerprint[:12]}), not with {name} ({fingerprint[:12]})",
                f"{rebuild_hint(self.path)}\nor set encoder.model to {self.manifest.encoder_name}",
            )

    @property
    def n_passages(self) -> int:
        """How many passages may be cited."""
        return self.manifest.n_passages

    @cached_property
    def vectors(self) -> VectorIndex:
        """The passages' vectors; row i for passage i."""
        return VectorIndex.open(self._folder / VECTORS)

    @cached_property
    def views(self) -> Mapping[str, VectorIndex]:
        """Further vector indexes over the same passages, by name."""
        return {name: VectorIndex.open(self._folder / view_file(name)) for name in self.manifest.views}

    @cached_property
    def view_rows(self) -> Mapping[str, Rows]:
        """For each view, the passage row of each of its vectors."""
        return {name: read_view_rows(self._folder, name) for name in self.manifest.views}

    @cached_property
    def lexical(self) -> LexicalIndex:
        """The passages' words; row i for passage i."""
        return LexicalIndex.open(self._folder / LEXICAL)

    @cached_property
    def groups(self) -> Rows:
        """For each passage, the row of the first passage with the same words, (n,)."""
        return np.asarray(self._database.groups(), np.int64)

    @cached_property
    def document_index(self) -> list[str]:
        """For each passage, the id of its document."""
        return self._database.passage_documents()

    def passages(self, rows: Sequence[int]) -> list[Passage]:
        """The passages of these rows, in the order asked.

        Raises StoreDamagedError rather than give other words than were committed, or words found by another
        vector.
        """
        return [self._passage(int(row)) for row in rows]

    def _passage(self, row: int) -> Passage:
        found = self._database.passage(row)
        if found is None:
            raise IndexError(f"row {row} of {self.n_passages} passages")
        document_id, start, end, heading, proof, vector_proof = found
        text = self.document(document_id).text[start:end]
        if text_proof(text) != proof:
            raise self._changed(f"passage {row} is not the text that was committed")
        if not self._proven and vector_proofs(self.vectors.vector(row)[None])[0] != vector_proof:
            raise self._changed(f"the vector of passage {row} is not the one that was committed")
        return Passage(document_id, start, end, text, heading)

    def _changed(self, what: str) -> StoreDamagedError:
        return StoreDamagedError(what, rebuild_hint(self.path))

    def document(self, document_id: str) -> Document:
        """The document with its text."""
        with self._lock:
            if document_id in self._documents:
                self._documents.move_to_end(document_id)
                return self._documents[document_id]
        document = self._database.document(document_id)
        if document is None:
            raise DocumentNotFoundError(f"no document has the id {document_id}", "rag info  # lists them")
        with self._lock:
            if document_id not in self._documents:
                self._documents[document_id] = document
                self._cached_chars += len(document.text)
            while self._cached_chars > CACHED_CHARS and len(self._documents) > 1:
                self._cached_chars -= len(self._documents.popitem(last=False)[1].text)
        return document

    def documents(self) -> list[Document]:
        """Every document with its text, in order of path."""
        return [self.document(document_id) for document_id in self._database.document_ids()]

    def document_rows(self, ids: Collection[str]) -> Rows:
        """The rows of these documents' passages, ascending."""
        wanted = set(ids)
        rows = [row for row, document_id in enumerate(self.document_index) if document_id in wanted]
        return np.asarray(rows, np.int64)

    def excluded(self) -> list[Passage]:
        """The boilerplate kept out, by document and place; ``boilerplate_key`` gives the name of each."""
        return [
            Passage(document_id, start, end, self.document(document_id).text[start:end], heading, reason)
            for document_id, start, end, heading, reason in self._database.excluded()
        ]

    def files(self) -> list[FileRow]:
        """Every file as it was when it was read, in order of path."""
        return list(self._database.files().values())

    def entry_at(self, path: str) -> Entry:
        """The document of a file, with all its passages as they were split."""
        document_id, file = self._files_by_path[path]
        document = self.document(document_id)
        return Entry(document, file, self._database.split_passages(document))

    @cached_property
    def _files_by_path(self) -> Mapping[str, tuple[str, FileRow]]:
        return {file.path: (document_id, file) for document_id, file in self._database.files().items()}

    def allowed(
        self,
        after: str | None = None,
        before: str | None = None,
        inside: str | None = None,
        as_of: str | None = None,
    ) -> Allowed:
        """The rows of documents dated on ``after`` or later, earlier than ``before``, and in ``inside``.

        With ``as_of`` (a whole day) only those that can tell how things stood then: of documents not dated
        later, and the single passages of later ones that name its year.

        Dates are ISO 8601 ("2017", "2017-03", "2017-03-22") and a shorter one stands for its first day; a
        document without a date is let through only when no date is asked for. ``inside`` is a glob for the
        path, for its end ("minutes/*.md", "*.pdf") or for a folder in it ("minutes").
        """
        for name, day in (("after", after), ("before", before)):
            if day is not None:
                checked_date(day, name)
        if after is None and before is None and inside is None and as_of is None:
            return Allowed(None, self.manifest.n_documents)
        ids: list[str] = []
        later: list[str] = []
        n_undated = 0
        for document_id, path, date in self._database.dates():
            if inside is not None and not is_inside(path, inside):
                continue
            if (after is not None or before is not None) and date is None:
                n_undated += 1
            elif date is None or (
                (after is None or _first_day(date) >= _first_day(after))
                and (before is None or _first_day(date) < _first_day(before))
            ):
                (later if as_of and date and date > as_of else ids).append(document_id)
        rows = self.document_rows(ids)
        if as_of is not None and later:
            _, naming = self.lexical.search(as_of[:4], self.n_passages)
            rows = np.union1d(rows, np.intersect1d(naming, self.document_rows(later)))
        return Allowed(rows, len(ids), n_undated)

    def close(self) -> None:
        """Let the generation go: a later writer may delete it."""
        self._close()
        self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _first_day(date: str) -> str:
    """A date with month and day.

    >>> _first_day("2017"), _first_day("2017-03"), _first_day("2017-03-22")
    ('2017-01-01', '2017-03-01', '2017-03-22')
    """
    return date + "-01-01"[: 10 - len(date)] if len(date) == 4 else (date + "-01")[:10]


def is_inside(path: str, glob: str) -> bool:
    """Whether a glob names the path, the end of it, or a folder on the way to it.

    >>> [is_inside("/home/a/minutes/2017.md", glob) for glob in ("*.md", "minutes", "/home/a", "a/*.txt")]
    [True, True, True, False]
    """
    glob = glob.rstrip("/") or "/"
    patterns = (glob, f"*/{glob}", f"{glob}/*", f"*/{glob}/*")
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)
