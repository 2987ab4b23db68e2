"""The vector index against a plain dot product."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from embeddings.index import VectorIndex


def vectors(seed: int, n: int, dim: int = 8) -> NDArray[np.float32]:
    drawn = np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)
    unit: NDArray[np.float32] = (
        drawn / np.maximum(np.linalg.norm(drawn, axis=1, keepdims=True), 1e-9)
    ).astype(np.float32)
    return unit


@given(seed=st.integers(0, 99), n=st.integers(0, 40), k=st.integers(1, 50))
def test_search_ranks_as_the_dot_product_does(seed: int, n: int, k: int) -> None:
    stored, query = vectors(seed, n), vectors(seed + 1000, 1)
    scores, rows = VectorIndex.build(stored).search(query, k)
    exact = stored @ query[0]
    assert rows.shape == (1, min(k, n))
    np.testing.assert_allclose(scores[0], np.sort(exact)[::-1][:k], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(exact[rows[0]], scores[0], rtol=1e-5, atol=1e-6)


@given(seed=st.integers(0, 99), k=st.integers(1, 12), allowed=st.sets(st.integers(0, 29), max_size=10))
def test_a_filter_acts_before_the_cut(seed: int, k: int, allowed: set[int]) -> None:
    stored, query = vectors(seed, 30), vectors(seed + 1000, 1)
    _, rows = VectorIndex.build(stored).search(query, k, np.array(sorted(allowed), np.int64))
    best = sorted(allowed, key=lambda row: -float(stored[row] @ query[0]))[:k]
    assert sorted(rows[0].tolist()) == sorted(best)


def test_a_saved_index_equals_the_one_loaded(tmp_path: Path) -> None:
    stored = vectors(3, 20)
    VectorIndex.build(stored).save(tmp_path / "v.faiss")
    opened = VectorIndex.open(tmp_path / "v.faiss")
    assert (opened.n, opened.dim) == (20, 8)
    np.testing.assert_array_equal(opened.vectors(), stored)


def test_vectors_must_be_a_table() -> None:
    with pytest.raises(ValueError, match=r"\(n, d\)"):
        VectorIndex.build(np.zeros(4, np.float32))
