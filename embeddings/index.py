"""The vector index: exact inner product over FAISS, row i for vector i.

Shapes: n vectors, q queries, d dims, k hits.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Rows = NDArray[np.int64]


class VectorIndex:
    """Vectors searched by inner product, exactly: for unit vectors, by cosine.

    An index is never changed once built: a store writes a new one for each generation, so a reader may map
    the file and keep it open.
    """

    def __init__(self, index: Any) -> None:
        self._index = index

    @classmethod
    def build(cls, vectors: Vectors) -> VectorIndex:
        """An index over ``vectors`` (n, d); n may be 0."""
        import faiss

        if vectors.ndim != 2:
            raise ValueError(f"vectors must be (n, d), got shape {vectors.shape}")
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(np.ascontiguousarray(vectors, np.float32))
        return cls(index)

    @classmethod
    def open(cls, path: Path) -> VectorIndex:
        """The index saved at ``path``."""
        import faiss

        return cls(faiss.read_index(str(path)))

    def save(self, path: Path) -> None:
        """Write the index to ``path``. The caller makes it durable and moves it into place."""
        import faiss

        faiss.write_index(self._index, str(path))

    @property
    def n(self) -> int:
        """How many vectors there are."""
        return int(self._index.ntotal)

    @property
    def dim(self) -> int:
        """The length of each vector."""
        return int(self._index.d)

    def vectors(self) -> Vectors:
        """Every vector, (n, d), as stored."""
        if self.n == 0:
            return np.zeros((0, self.dim), np.float32)
        vectors: Vectors = self._index.reconstruct_n(0, self.n)
        return vectors

    def vector(self, row: int) -> Vectors:
        """The vector of a row, (d,), as stored."""
        found: Vectors = self._index.reconstruct(row)
        return found

    def search(self, queries: Vectors, k: int, allowed: Rows | None = None) -> tuple[Vectors, Rows]:
        """Scores and rows of the k best vectors a query, best first: (q, k'), (q, k').

        ``allowed`` restricts the search to those rows before the cut. k' is the smaller of k and the number
        of rows allowed, so no place is ever padded.
        """
        import faiss

        n_allowed = self.n if allowed is None else len(allowed)
        k = min(k, n_allowed)
        if k <= 0:
            return np.zeros((len(queries), 0), np.float32), np.zeros((len(queries), 0), np.int64)
        parameters = None
        if allowed is not None:
            selector = faiss.IDSelectorBatch(np.ascontiguousarray(allowed, np.int64))
            parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]  # SWIG's own form
        scores, rows = self._index.search(np.ascontiguousarray(queries, np.float32), k, params=parameters)
        return scores, rows


class VectorSearch:
    """INTERIM."""

    def __init__(self, segments, dead=None):
        self._segments = list(segments)
        self._dead = np.zeros(0, np.int64) if dead is None else dead
        self._offsets = np.concatenate([[0], np.cumsum([s.n for s in self._segments])]).astype(np.int64)

    @property
    def n(self):
        return int(self._offsets[-1])

    def vector(self, row):
        i = int(np.searchsorted(self._offsets, row, "right")) - 1
        return self._segments[i].vector(int(row) - int(self._offsets[i]))

    def vectors(self):
        return np.concatenate([s.vectors() for s in self._segments])

    def search(self, queries, k, allowed=None):
        rows = np.arange(self.n) if allowed is None else np.asarray(allowed, np.int64)
        rows = np.setdiff1d(rows, self._dead)
        scores = queries @ self.vectors()[rows].T
        order = np.lexsort((np.broadcast_to(rows, scores.shape), -scores))[:, :k]
        return np.take_along_axis(scores, order, 1), rows[order]
