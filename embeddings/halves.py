"""Vectors kept as half floats in one file: the truth of an index, searched exactly.

FAISS scans the file where it is mapped. Its header is written and checked here, because a map of a file that
is shorter than its header says kills the process at the first read past the end.

Shapes: n vectors, q queries, d dims, k hits, m rows.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]

# FAISS's own header of a scalar-quantised index: magic, d, n, two unused, trained, metric; then quantiser
# type, range statistic and its argument, d, bytes a vector, length of the trained ranges, bytes of all codes.
_HEADER = struct.Struct("<4siqqqBiiifQQQQ")
_QT_FP16 = 4
_BLOCK_ROWS = 65_536  # vectors widened at a time: 100 MB at 384 dims
_TIES = 16  # hits fetched beyond k, so that equal scores at the cut are ordered by row
_GEMM_QUERIES = 16  # from here on one matrix product for all queries beats one scan a query (measured)


def _header(n: int, dim: int) -> bytes:
    codes = n * dim * 2
    return _HEADER.pack(b"IxSQ", dim, n, 1 << 20, 1 << 20, 1, 0, _QT_FP16, 0, 0.0, dim, 2 * dim, 0, codes)


def order(scores: Vectors, rows: Rows, k: int) -> tuple[Vectors, Rows]:
    """The k best of one query's hits, best first and equals by row.

    >>> order(np.array([0.5, 0.9, 0.5], np.float32), np.array([7, 4, 2]), 2)
    (array([0.9, 0.5], dtype=float32), array([4, 2]))
    """
    best = np.lexsort((rows, -scores))[:k]
    return scores[best], rows[best]


class HalfVectors:
    """n vectors of d half floats, in memory or mapped."""

    def __init__(self, index: Any) -> None:
        """``index`` is a FAISS IndexScalarQuantizer of half floats."""
        import faiss

        self._index = index
        self.n, self.dim = int(index.ntotal), int(index.d)
        size = self.n * self.dim * 2
        codes = faiss.rev_swig_ptr(index.codes.data(), size) if size else np.zeros(0, np.uint8)
        self._codes: NDArray[np.uint8] = codes.reshape(self.n, self.dim * 2)  # a view, nothing is read

    @classmethod
    def build(cls, vectors: Vectors) -> HalfVectors:
        """The vectors (n, d), each number rounded to a half float.

        Raises ValueError for a number that is none or that a half float cannot hold.
        """
        import faiss

        if vectors.ndim != 2 or vectors.shape[1] == 0:
            raise ValueError(f"vectors must be (n, d), got shape {vectors.shape}")
        index = faiss.IndexScalarQuantizer(
            vectors.shape[1], faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        )
        for start in range(0, len(vectors), _BLOCK_ROWS):
            # Rounded to even by numpy: FAISS rounds halfway cases away from zero.
            with np.errstate(over="ignore"):
                block = vectors[start : start + _BLOCK_ROWS].astype(np.float16).astype(np.float32)
            if not bool(np.isfinite(block).all()):
                raise ValueError("vectors hold numbers that a half float cannot")
            index.add(block)
        return cls(index)

    @classmethod
    def open(cls, path: Path) -> HalfVectors:
        """The vectors saved at ``path``, mapped; raises OSError, or ValueError if damaged."""
        import faiss

        size = path.stat().st_size
        with path.open("rb") as file:
            header = file.read(_HEADER.size)
        if len(header) < _HEADER.size:
            raise ValueError(f"{path} is no vector file: {size} bytes")
        _, dim, n, *_ = _HEADER.unpack(header)
        if not 0 <= n * dim <= size or header != _header(n, dim):
            raise ValueError(f"{path} is no vector file: its header is damaged")
        if size != _HEADER.size + n * dim * 2:
            raise ValueError(f"{path} is damaged: {size} bytes, expected {_HEADER.size + n * dim * 2}")
        return cls(faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC))

    def save(self, path: Path) -> None:
        """Write one file that ``open`` maps."""
        with path.open("wb") as file:
            file.write(_header(self.n, self.dim))
            file.write(self._codes.data)

    def vectors_of(self, rows: Rows) -> Vectors:
        """The vectors of the rows (m, d), in their order."""
        if len(rows) == 0:
            return np.zeros((0, self.dim), np.float32)
        if int(rows.min()) < 0 or int(rows.max()) >= self.n:
            raise ValueError(f"rows must be in 0..{self.n - 1}, got {int(rows.min())}..{int(rows.max())}")
        vectors: Vectors = self._index.sa_decode(self._codes[rows])
        return vectors

    def block(self, start: int) -> Vectors:
        """The vectors of the block that begins at a row."""
        return self.vectors_of(np.arange(start, min(start + _BLOCK_ROWS, self.n)))

    def blocks(self) -> range:
        """The first row of every block."""
        return range(0, self.n, _BLOCK_ROWS)

    def rescore(self, query: Vectors, rows: Rows, k: int) -> tuple[Vectors, Rows]:
        """The k best of the rows for one query (d,), scored exactly.

        Each score is summed by itself, so it is the same to the last bit whichever rows stand beside it,
        in whichever segment and by whichever engine they were proposed.
        """
        return order(self.scores_of(query, rows), rows, k)

    def scores_of(self, query: Vectors, rows: Rows) -> Vectors:
        """The score of each of the rows for one query (d,), in their order."""
        scores: Vectors = (self.vectors_of(rows) * query).sum(axis=1)
        return scores

    def search(self, queries: Vectors, k: int, mask: Mask | None = None) -> tuple[Vectors, Rows]:
        """Scores and rows of the k best vectors a query, exactly: (q, k'), (q, k'); ``mask`` (n,) filters."""
        n_allowed = self.n if mask is None else int(np.count_nonzero(mask))
        k = min(k, n_allowed)
        if k <= 0 or len(queries) == 0:
            return np.zeros((len(queries), max(k, 0)), np.float32), np.zeros(
                (len(queries), max(k, 0)), np.int64
            )
        n_fetched = min(k + _TIES, n_allowed)
        if mask is None and len(queries) >= _GEMM_QUERIES:
            proposed = self.nearest(queries, n_fetched)
        else:
            _, proposed = self._index.search(queries, n_fetched, params=search_parameters(mask))
        ranked = [self.rescore(query, rows, k) for query, rows in zip(queries, proposed, strict=True)]
        return np.stack([scores for scores, _ in ranked]), np.stack([rows for _, rows in ranked])

    def nearest(self, queries: Vectors, k: int) -> Rows:
        """The rows of the k best vectors a query (q, k), k at most n, by matrix products."""
        import faiss

        scores, rows = np.zeros((len(queries), 0), np.float32), np.zeros((len(queries), 0), np.int64)
        for start in self.blocks():
            block = self.block(start)
            more, at = faiss.knn(queries, block, min(k, len(block)), metric=faiss.METRIC_INNER_PRODUCT)
            scores, rows = np.hstack((scores, more)), np.hstack((rows, at + start))
            best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
            scores, rows = np.take_along_axis(scores, best, 1), np.take_along_axis(rows, best, 1)
        return rows


def search_parameters(mask: Mask | None, parameters: Any = None) -> Any:
    """FAISS search parameters that let only the masked rows through; None where nothing is filtered."""
    import faiss

    if mask is None:
        return parameters
    if parameters is None:
        parameters = faiss.SearchParameters()
    # Bits, not a batch of ids: a test costs one read however many rows are allowed. Set as an attribute, the
    # selector is kept alive by the parameters.
    bitmap_of: Any = faiss.IDSelectorBitmap  # the stubs know only the form C++ has
    selector = bitmap_of(np.packbits(mask, bitorder="little"))
    parameters.sel = selector
    parameters.kept_alive = selector
    return parameters
