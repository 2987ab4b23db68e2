"""Reciprocal rank fusion (Cormack, Clarke & Buettcher 2009): several rankings made one.

Ranks need no common scale of scores (cosine, BM25), but forget how far ahead the first one is: a passage that
alone holds the question's one telling word counts as little more than the next. ``leads`` brings that back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def fuse(
    rankings: Mapping[str, Sequence[int]],
    *,
    rrf_k: int = 60,
    weights: Mapping[str, float] | None = None,
    leads: Mapping[int, float] | None = None,
) -> list[tuple[int, float]]:
    """Rows with their fused scores, best first; ties go to the smaller row.

    A row scores ``sum(weight / (rrf_k + rank))`` over the rankings that hold it, ranks counted from 1, and
    what ``leads`` holds for it on top.

    >>> fuse({"dense": [4, 7], "bm25": [7]}, rrf_k=1)
    [(7, 0.8333333333333333), (4, 0.5)]
    >>> fuse({"dense": [4, 7]}, rrf_k=1, leads={7: 0.5})
    [(7, 0.8333333333333333), (4, 0.5)]
    """
    scores: dict[int, float] = dict(leads or {})
    for name, rows in rankings.items():
        weight = 1.0 if weights is None else weights.get(name, 1.0)
        for rank, row in enumerate(rows, start=1):
            scores[row] = scores.get(row, 0.0) + weight / (rrf_k + rank)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
