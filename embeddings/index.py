"""The vector index: nearest vectors by inner product over FAISS, row i for vector i.

Few vectors are searched exactly, many through inverted lists whose candidates are scored exactly again. An
index is one segment and never changes; VectorSearch searches several as one.

Shapes: n vectors, q queries, d dims, k hits, m rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from embeddings.halves import HalfVectors, Mask, Rows, Vectors, order
from embeddings.inverted import InvertedLists, Kind

__all__ = ["PLAN", "Plan", "Probe", "Rows", "VectorIndex", "VectorSearch", "Vectors"]

LISTS_SUFFIX = ".lists"
FACTS_SUFFIX = ".lists.json"
_MANY = 10  # who asks for more than one in so many of the rows allowed has all of them scored


@dataclass(frozen=True, slots=True)
class Plan:
    """Which kind of index so many vectors get; docs/engine.md has the measurements.

    exact_rows: up to here every vector is scored, about 8 ms at 384 dims; opening is instant.
    byte_rows: up to here lists hold a byte a number, above a bit a number: 10 million take 4 GB or 0.6 GB.
    direct_rows: a filter that lets no more rows through has them all scored, exactly, in less than 10 ms.
    recall: the share of the exact first ten that lists are calibrated to find.
    lists: how many lists, where that is not to follow from the number of vectors.
    """

    exact_rows: int = 300_000
    byte_rows: int = 10_000_000
    direct_rows: int = 20_000
    recall: float = 0.99
    lists: int | None = None

    def lists_kind(self, n: int) -> Kind | None:
        """What the lists over n vectors hold, None for no lists.

        >>> [Plan().lists_kind(n) for n in (300_000, 300_001, 10_000_001)]
        [None, 'SQ8', 'RaBitQ']
        """
        if n <= self.exact_rows or n < 3:  # calibrating takes three vectors a query
            return None
        return "SQ8" if n <= self.byte_rows else "RaBitQ"


PLAN = Plan()
# Neighbours up to here are found with the recall that was calibrated, later ones as far as they stand in the
# same lists: a passage so far down is read only where its words put it higher.
SURE_PLACES = 50


@dataclass(frozen=True, slots=True)
class Probe:
    """How many lists a search looks into, and how many candidates of theirs it scores exactly."""

    lists: int
    candidates: int


def row_mask(n: int, allowed: Rows | None, dead: Rows | None) -> Mask | None:
    """Which of n rows may be returned, None for all of them.

    >>> row_mask(4, np.array([1, 2]), np.array([2])).tolist()
    [False, True, False, False]
    """
    if allowed is None and (dead is None or len(dead) == 0):
        return None
    for rows in (allowed, dead):
        if rows is not None and len(rows) and (int(np.min(rows)) < 0 or int(np.max(rows)) >= n):
            raise ValueError(f"rows must be in 0..{n - 1}, got {int(np.min(rows))}..{int(np.max(rows))}")
    mask = np.full(n, allowed is None)
    if allowed is not None:
        mask[np.asarray(allowed, np.int64)] = True
    if dead is not None:
        mask[np.asarray(dead, np.int64)] = False
    return mask


class VectorIndex:
    """Vectors searched by inner product: for unit vectors, by cosine.

    An index is never changed once built: a store writes a new one for each segment, so a reader may map the
    files and keep them open. Numbers are stored as half floats; scores are exact over what is stored.
    """

    def __init__(self, vectors: HalfVectors, lists: InvertedLists | None = None, plan: Plan = PLAN) -> None:
        self._halves, self._lists, self._plan = vectors, lists, plan

    @classmethod
    def build(cls, vectors: Vectors, plan: Plan = PLAN) -> VectorIndex:
        """An index over ``vectors`` (n, d), finite and under 65,504 in size; n may be 0."""
        halves = HalfVectors.build(vectors)
        kind = plan.lists_kind(halves.n)
        lists = InvertedLists.build(halves, kind, plan.recall, plan.lists) if kind else None
        return cls(halves, lists, plan)

    @staticmethod
    def files(path: Path) -> tuple[Path, ...]:
        """The files of the index saved at ``path``: one, or three where there are lists."""
        beside = [path.with_name(path.name + suffix) for suffix in (LISTS_SUFFIX, FACTS_SUFFIX)]
        return (path, *beside) if any(file.exists() for file in beside) else (path,)

    @classmethod
    def open(cls, path: Path, plan: Plan = PLAN) -> VectorIndex:
        """The index saved at ``path``, mapped: nothing is read until it is searched.

        Raises OSError, ValueError or RuntimeError where a file is missing, cut short or not of this index.
        """
        halves = HalfVectors.open(path)
        _, *beside = cls.files(path)
        if not beside:
            return cls(halves, None, plan)
        lists = InvertedLists.open(*beside)
        if (lists.n, lists.dim) != (halves.n, halves.dim):
            raise ValueError(f"{beside[0]} is of another index: {lists.n} vectors, expected {halves.n}")
        return cls(halves, lists, plan)

    def save(self, path: Path) -> None:
        """Write the index's ``files`` at ``path``. The caller makes them durable and moves them."""
        for stale in self.files(path)[1:]:
            stale.unlink(missing_ok=True)
        self._halves.save(path)
        if self._lists is not None:
            self._lists.save(*(path.with_name(path.name + suffix) for suffix in (LISTS_SUFFIX, FACTS_SUFFIX)))

    @property
    def n(self) -> int:
        """How many vectors there are."""
        return self._halves.n

    @property
    def dim(self) -> int:
        """The length of each vector."""
        return self._halves.dim

    @property
    def lists(self) -> InvertedLists | None:
        """The lists searched and how they are, None where every vector is."""
        return self._lists

    def vectors(self) -> Vectors:
        """Every vector, (n, d), as stored."""
        return self.vectors_of(np.arange(self.n))

    def vector(self, row: int) -> Vectors:
        """The vector of a row, (d,), as stored."""
        vector: Vectors = self.vectors_of(np.array([row]))[0]
        return vector

    def vectors_of(self, rows: Rows) -> Vectors:
        """The vectors of the rows (m, d), as stored, in the order given."""
        return self._halves.vectors_of(np.asarray(rows, np.int64))

    def search(
        self, queries: Vectors, k: int, allowed: Rows | None = None, dead: Rows | None = None
    ) -> tuple[Vectors, Rows]:
        """Scores and rows of the k best vectors a query, best first and equals by row: (q, k'), (q, k').

        ``allowed`` restricts the search to those rows before the cut, ``dead`` rows are never returned. k' is
        the smaller of k and the number of rows left, so no place is ever padded.
        """
        return self.search_masked(queries, k, row_mask(self.n, allowed, dead))

    def search_masked(self, queries: Vectors, k: int, mask: Mask | None) -> tuple[Vectors, Rows]:
        """As ``search``; ``mask`` (n,) says of every row whether it may be returned."""
        queries = np.ascontiguousarray(queries, np.float32)
        if queries.ndim != 2 or queries.shape[1] != self.dim or not bool(np.isfinite(queries).all()):
            raise ValueError(f"queries must be finite and (q, {self.dim}), got shape {queries.shape}")
        n_allowed = self.n if mask is None else int(np.count_nonzero(mask))
        k = min(k, n_allowed)
        probe = self.probe(k, n_allowed)
        if probe is None or self._lists is None:
            return self._halves.search(queries, k, mask)
        proposed = self._lists.propose(queries, probe.candidates, probe.lists, mask)
        scores, rows = np.empty((len(queries), k), np.float32), np.empty((len(queries), k), np.int64)
        for i, query in enumerate(queries):
            candidates = proposed[i][proposed[i] >= 0]
            if len(candidates) < k:  # the lists near this query hold too few rows
                (scores[i],), (rows[i],) = self._halves.search(query[None], k, mask)
            else:
                scores[i], rows[i] = self._halves.rescore(query, candidates, k)
        return scores, rows

    def probe(self, k: int, n_allowed: int) -> Probe | None:
        """How deep the lists are looked into for the k best of so many rows; None: each row is scored."""
        few = n_allowed <= min(self._plan.direct_rows, self.n - 1)  # of all rows lists are always looked into
        if self._lists is None or few or k <= 0 or n_allowed < _MANY * k:
            return None
        probing = self._lists.probing
        n_probed = probing.lists(min(k, SURE_PLACES) * self.n / n_allowed)
        if 2 * n_probed >= self._lists.n_lists:  # most of it would be read anyway
            return None
        return Probe(n_probed, min(k * probing.candidates + 1, n_allowed))

    def score(self, query: Vectors, k: int, mask: Mask | None) -> tuple[Vectors, Rows]:
        """Scores and rows (k',) of the k best of the masked rows for one query (d,), each row scored."""
        (scores,), (rows,) = self._halves.search(query[None], k, mask)
        return scores, rows

    def propose(self, query: Vectors, probe: Probe, mask: Mask | None) -> tuple[Vectors, Vectors, Rows]:
        """What the lists propose of the masked rows for one query: scores by code, exact scores, rows."""
        assert self._lists is not None
        (by_code,), (rows,) = self._lists.propose_scored(query[None], probe.candidates, probe.lists, mask)
        by_code, rows = by_code[rows >= 0], rows[rows >= 0]
        return by_code, self._halves.scores_of(query, rows), rows


class VectorSearch:
    """Several indexes searched as one: the row of a vector is its index's offset and its row there."""

    def __init__(self, segments: Sequence[VectorIndex], dead: Rows | None = None) -> None:
        """``dead`` are rows of the whole that no search returns."""
        if len({segment.dim for segment in segments}) > 1:
            raise ValueError(f"segments differ in dims: {sorted({segment.dim for segment in segments})}")
        self._segments = tuple(segments)
        self._offsets = np.cumsum([0, *(segment.n for segment in segments)])
        self._alive = row_mask(self.n, None, dead)

    @property
    def n(self) -> int:
        """How many vectors there are, dead ones among them."""
        return int(self._offsets[-1])

    def vector(self, row: int) -> Vectors:
        """The vector of a row, (d,), as stored."""
        vector: Vectors = self.vectors_of(np.array([row]))[0]
        return vector

    def vectors_of(self, rows: Rows) -> Vectors:
        """The vectors of the rows (m, d), as stored, in the order given."""
        rows = np.asarray(rows, np.int64)
        if len(rows) and (int(rows.min()) < 0 or int(rows.max()) >= self.n):
            raise ValueError(f"rows must be in 0..{self.n - 1}, got {int(rows.min())}..{int(rows.max())}")
        vectors = np.zeros((len(rows), self._segments[0].dim if self._segments else 0), np.float32)
        home = np.searchsorted(self._offsets, rows, side="right") - 1
        for at in np.unique(home):
            vectors[home == at] = self._segments[at].vectors_of(rows[home == at] - self._offsets[at])
        return vectors

    def search(self, queries: Vectors, k: int, allowed: Rows | None = None) -> tuple[Vectors, Rows]:
        """Scores and rows of the k best vectors a query over all segments, as one index would rank them."""
        mask = self._alive
        if allowed is not None:
            mask = row_mask(self.n, allowed, None)
            if mask is not None and self._alive is not None:
                mask &= self._alive
        scores, rows = [np.zeros((len(queries), 0), np.float32)], [np.zeros((len(queries), 0), np.int64)]
        for segment, start in zip(self._segments, self._offsets[:-1], strict=True):
            own = None if mask is None else mask[start : start + segment.n]
            more, at = segment.search_masked(queries, k, None if own is None or own.all() else own)
            scores.append(more)
            rows.append(at + start)
        every, where = np.hstack(scores), np.hstack(rows)
        if len(self._segments) == 1 or len(queries) == 0:
            return every, where
        ranked = [order(s, r, k) for s, r in zip(every, where, strict=True)]
        return np.stack([s for s, _ in ranked]), np.stack([r for _, r in ranked])
