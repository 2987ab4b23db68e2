"""Parts of an index: what they find together is what one search of the whole finds."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from embeddings.index import Plan, VectorIndex, VectorSearch
from embeddings.parts import VectorPart, merged

DIM = 16
EXACT, LISTED = Plan(), Plan(exact_rows=100, direct_rows=50, lists=64)


def unit(n: int, seed: int) -> np.ndarray:
    """Vectors round 200 directions: few lists hold the neighbours of each."""
    random = np.random.default_rng(seed)
    directions = np.random.default_rng(0).normal(size=(200, DIM))
    vectors = directions[random.integers(200, size=n)] + 0.2 * random.normal(size=(n, DIM))
    vectors = vectors.astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


@pytest.fixture(scope="module")
def segments() -> list[VectorIndex]:
    """A large segment with lists, a small one without, and many vectors that are equal."""
    large = unit(4000, 1)
    large[100:120] = large[3900:3920]
    return [VectorIndex.build(large, LISTED), VectorIndex.build(unit(90, 2), EXACT)]


@pytest.mark.parametrize("n_parts", [1, 2, 3, 7])
@pytest.mark.parametrize("filtered", [False, True])
def test_the_best_of_the_parts_are_the_best_of_the_whole(
    segments: list[VectorIndex], n_parts: int, filtered: bool
) -> None:
    n = sum(segment.n for segment in segments)
    dead = np.arange(5, n, 11)
    whole = VectorSearch(segments, dead)
    bounds = [n * i // n_parts for i in range(n_parts + 1)]
    parts = [VectorPart(segments, dead, first, end) for first, end in pairwise(bounds)]
    allowed = np.setdiff1d(np.arange(n), np.arange(0, n, 3)) if filtered else None
    alive = np.setdiff1d(np.arange(n) if allowed is None else allowed, dead)
    n_allowed = np.diff(np.searchsorted(alive, [0, segments[0].n, n])).tolist()
    assert segments[0].probe(10, n_allowed[0]) is not None  # the lists are looked into
    for query in unit(50, 3):
        found = [proposed for part in parts for proposed in part.search(query, 10, allowed, n_allowed)]
        together = merged(found, 10)
        (scores,), (rows,) = whole.search(query[None], 10, allowed)
        assert together is not None
        assert together[0].tolist() == scores.tolist()
        assert together[1].tolist() == rows.tolist()


def test_parts_say_so_where_the_lists_hold_too_few(segments: list[VectorIndex]) -> None:
    part = VectorPart(segments, np.zeros(0, np.int64), 0, 4090)
    (query,) = unit(1, 4)
    listed, exact = part.search(query, 10, None, [4000, 90])
    assert listed.by_code is not None
    assert exact.by_code is None
    few = type(listed)(0, listed.scores[:3], listed.rows[:3], listed.by_code[:3], listed.candidates, 10)
    assert merged([few, exact], 10) is None
