"""How near the sentences of passages are to a question."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from embeddings.compact import pack, scores

Rows = NDArray[np.int64]
Vectors = NDArray[np.float32]
Packed = NDArray[np.uint8]


class SentenceScores:
    """The packed vectors of all sentences of all passages, looked at only where asked.

    It may consist of parts, whose rows follow each other.
    """

    def __init__(self, parts: Sequence[tuple[Packed, Rows]]) -> None:
        """Of each part the packed vectors (s, w), and the first of each of its n passages, (n + 1,)."""
        self._parts = parts
        self._offsets = np.concatenate([[0], np.cumsum([len(starts) - 1 for _, starts in parts])])

    @classmethod
    def of(cls, vectors: Vectors, rows: Rows, n: int) -> SentenceScores:
        """Over sentence vectors (s, d) of ``n`` passages; ``rows`` (s,), ascending, is each one's passage."""
        return cls([(pack(vectors), np.searchsorted(rows, np.arange(n + 1)).astype(np.int64))])

    def best(self, query: Vectors, rows: Rows) -> Vectors:
        """For each row (k,) the score of its sentence nearest to the query (d,); -inf where it has none."""
        found = np.full(len(rows), -np.inf, np.float32)
        numbers = np.searchsorted(self._offsets, rows, "right") - 1
        for number in np.unique(numbers):
            packed, starts = self._parts[number]
            places = np.flatnonzero(numbers == number)
            at = rows[places] - self._offsets[number]
            firsts, counts = starts[at], starts[at + 1] - starts[at]
            places, firsts, counts = (each[counts > 0] for each in (places, firsts, counts))
            if not len(places):
                continue
            before = np.concatenate([[0], np.cumsum(counts)[:-1]])
            sentences = np.repeat(firsts - before, counts) + np.arange(counts.sum())
            found[places] = np.maximum.reduceat(scores(query[None], packed[sentences])[0], before)
        return found
