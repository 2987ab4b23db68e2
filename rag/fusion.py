"""Reciprocal rank fusion (Cormack, Clarke & Buettcher 2009): several rankings made one.

Ranks are all that is used, so scores of different kinds (cosine, BM25) need no common scale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def fuse(
    rankings: Mapping[str, Sequence[int]], *, rrf_k: int = 60, weights: Mapping[str, float] | None = None
) -> list[tuple[int, float]]:
    """Rows with their fused scores, best first; ties go to the smaller row.

    A row scores ``sum(weight / (rrf_k + rank))`` over the rankings that hold it, ranks counted from 1.

    >>> fuse({"dense": [4, 7], "bm25": [7]}, rrf_k=1)
    [(7, 0.8333333333333333), (4, 0.5)]
    """
    scores: dict[int, float] = {}
    for name, rows in rankings.items():
        weight = 1.0 if weights is None else weights.get(name, 1.0)
        for rank, row in enumerate(rows, start=1):
            scores[row] = scores.get(row, 0.0) + weight / (rrf_k + rank)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
