"""One segment of a generation, opened: its documents, passages and indexes, each read when first needed.

Rows and positions are the segment's own, from 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.index import VectorIndex
from rag.passages.duplicates import Bands
from rag.retrieval.lexical import LexicalIndex
from rag.store.database import Database
from rag.store.journal import KEY_BYTES
from rag.store.layout import (
    BAND_ROWS,
    BANDS,
    BY_LABEL,
    EMBEDDED,
    LABELS,
    LEXICAL,
    PASSAGES,
    SENTENCE_STARTS,
    SENTENCES,
    STARTS,
    VECTORS,
)
from rag.store.manifest import SegmentRecord
from rag.store.proofs import Rows, embedding_proof


class Segment:
    """A segment's files; whether they are whole is ``rag.store.integrity``'s to say."""

    def __init__(self, folder: Path, record: SegmentRecord) -> None:
        self.folder = folder
        self.record = record
        self.dead = frozenset(record.dead)
        self.database = Database(folder / PASSAGES)

    def close(self) -> None:
        """Let the files go."""
        self.database.close()
        for name in [name for name in vars(self) if name not in ("folder", "record", "dead", "database")]:
            delattr(self, name)

    @cached_property
    def starts(self) -> Rows:
        """The first row of each document, and at the end how many rows there are, (n_documents + 1,)."""
        return _array(self.folder / STARTS)

    @cached_property
    def dead_rows(self) -> Rows:
        """The rows of documents that count no more, ascending."""
        return self.rows_of(self.record.dead)

    @cached_property
    def vectors(self) -> VectorIndex:
        """The passages' vectors."""
        return VectorIndex.open(self.folder / VECTORS)

    @cached_property
    def lexical(self) -> LexicalIndex:
        """The passages' words."""
        return LexicalIndex.open(self.folder / LEXICAL)

    @cached_property
    def sentences(self) -> NDArray[np.uint8]:
        """The packed vectors of all sentences, passage after passage, (s, w)."""
        packed: NDArray[np.uint8] = _array(self.folder / SENTENCES)
        return packed

    @cached_property
    def sentence_starts(self) -> Rows:
        """The first sentence of each passage, and at the end how many there are, (n + 1,)."""
        return _array(self.folder / SENTENCE_STARTS)

    @cached_property
    def embedded(self) -> NDArray[np.uint8]:
        """The key of what was embedded for each row, and its proof, (n, 32)."""
        found: NDArray[np.uint8] = _array(self.folder / EMBEDDED)
        return found

    @cached_property
    def labels(self) -> NDArray[np.uint64]:
        """The label of each row's group, (n,)."""
        found: NDArray[np.uint64] = _array(self.folder / LABELS)
        return found

    @cached_property
    def by_label(self) -> NDArray[np.uint32]:
        """All rows, ascending by label, those of one label ascending."""
        found: NDArray[np.uint32] = _array(self.folder / BY_LABEL)
        return found

    @cached_property
    def bands(self) -> Bands:
        """What near-equal passages are found by."""
        return Bands(_array(self.folder / BANDS), _array(self.folder / BAND_ROWS))

    def rows_of(self, positions: Sequence[int]) -> Rows:
        """The rows of the documents at these positions."""
        starts = self.starts
        parts = [np.arange(starts[at], starts[at + 1], dtype=np.int64) for at in positions]
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

    def position_of(self, row: int) -> int:
        """The position of a row's document."""
        return int(np.searchsorted(self.starts, row, "right")) - 1

    def members(self, label: int) -> list[int]:
        """The rows of a group that count, ascending."""
        low, high = (_bisect(self.labels, self.by_label, label, after=after) for after in (False, True))
        rows = [int(row) for row in self.by_label[low:high]]
        return [row for row in rows if self.position_of(row) not in self.dead]

    def embedding_proof(self, row: int) -> bytes:
        """What the proof of a row's vectors would be, as they now are."""
        start, end = self.sentence_starts[row], self.sentence_starts[row + 1]
        return embedding_proof(
            self.embedded[row, :KEY_BYTES].tobytes(),
            self.vectors.vector(row).astype("<f2").tobytes(),
            self.sentences[start:end].tobytes(),
        )


def _array(path: Path) -> NDArray[Any]:
    """An array that stays in its file, as a plain one: a memmap takes ten times as long to give a number."""
    mapped: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    return mapped.view(np.ndarray)


def _bisect(labels: NDArray[np.uint64], order: NDArray[np.uint32], wanted: int, *, after: bool) -> int:
    """Where a label begins among the rows in order of label, or with ``after`` where it has ended."""
    low, high = 0, len(order)
    while low < high:
        middle = (low + high) // 2
        found = int(labels[order[middle]])
        if found < wanted or (after and found == wanted):
            low = middle + 1
        else:
            high = middle
    return low
