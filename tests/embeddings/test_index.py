"""The vector index against a plain dot product over the half floats it stores."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from embeddings.index import FACTS_SUFFIX, LISTS_SUFFIX, Plan, VectorIndex, VectorSearch

LISTS = {
    "SQ8": Plan(exact_rows=0, byte_rows=10_000, direct_rows=20, lists=64),
    "RaBitQ": Plan(exact_rows=0, byte_rows=0, direct_rows=20, lists=64),
}


def vectors(seed: int, n: int, dim: int = 8) -> NDArray[np.float32]:
    drawn = np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)
    unit: NDArray[np.float32] = (
        drawn / np.maximum(np.linalg.norm(drawn, axis=1, keepdims=True), 1e-9)
    ).astype(np.float32)
    return unit


def grouped(seed: int, n: int, dim: int = 32) -> NDArray[np.float32]:
    """Vectors round twelve centres, as texts lie round topics."""
    rng = np.random.default_rng(seed)
    centres = vectors(7, 12, dim)
    moved = centres[rng.integers(12, size=n)] + 0.5 * vectors(seed, n, dim)
    unit: NDArray[np.float32] = (moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32)
    return unit


def halved(stored: NDArray[np.float32]) -> NDArray[np.float32]:
    return stored.astype(np.float16).astype(np.float32)


def ranked(stored: NDArray[np.float32], query: NDArray[np.float32], rows: list[int], k: int) -> list[int]:
    """The k best of the rows by brute force, equals by row."""
    scores = (halved(stored) * query).sum(axis=1)
    return sorted(rows, key=lambda row: (-float(scores[row]), row))[:k]


def recall(true: NDArray[np.int64], returned: NDArray[np.int64]) -> float:
    return float(np.mean([np.isin(t, r).mean() for t, r in zip(true, returned, strict=True)]))


@pytest.fixture(scope="module", params=LISTS)
def listed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> VectorIndex:
    """An index with lists over 4,000 vectors, saved and opened again."""
    plan = LISTS[request.param]
    path = tmp_path_factory.mktemp("lists") / "v.faiss"
    VectorIndex.build(grouped(1, 4000), plan).save(path)
    return VectorIndex.open(path, plan)


@given(seed=st.integers(0, 99), n=st.integers(0, 40), k=st.integers(1, 50), q=st.integers(0, 20))
def test_search_ranks_as_the_dot_product_does(seed: int, n: int, k: int, q: int) -> None:
    stored, queries = vectors(seed, n), vectors(seed + 1000, q)
    scores, rows = VectorIndex.build(stored).search(queries, k)
    assert rows.shape == scores.shape == (q, min(k, n))
    for query, of_query, at in zip(queries, scores, rows, strict=True):
        assert at.tolist() == ranked(stored, query, list(range(n)), k)
        np.testing.assert_allclose(halved(stored)[at] @ query, of_query, rtol=1e-5, atol=1e-6)


@given(
    seed=st.integers(0, 99),
    k=st.integers(1, 12),
    allowed=st.none() | st.lists(st.integers(0, 29), max_size=10),
    dead=st.sets(st.integers(0, 29), max_size=10),
)
def test_a_filter_and_the_dead_act_before_the_cut(
    seed: int, k: int, allowed: list[int] | None, dead: set[int]
) -> None:
    stored, query = vectors(seed, 30), vectors(seed + 1000, 1)
    rows_allowed = None if allowed is None else np.array(allowed, np.int64)
    _, rows = VectorIndex.build(stored).search(query, k, rows_allowed, np.array(sorted(dead), np.int64))
    left = set(range(30) if allowed is None else allowed) - dead
    assert rows[0].tolist() == ranked(stored, query[0], sorted(left), k)


@given(k=st.integers(1, 40))
def test_equal_scores_come_by_row(k: int) -> None:
    stored = np.repeat(vectors(5, 3), 10, axis=0)
    _, rows = VectorIndex.build(stored).search(stored[:1], k)
    assert rows[0, : min(k, 10)].tolist() == list(range(min(k, 10)))


def test_many_queries_at_once_are_answered_as_one_by_one() -> None:
    index, queries = VectorIndex.build(vectors(1, 500)), vectors(2, 40)
    scores, rows = index.search(queries, 7)
    for query, of_query, at in zip(queries, scores, rows, strict=True):
        alone, rows_alone = index.search(query[None], 7)
        assert rows_alone[0].tolist() == at.tolist()
        assert alone[0].tobytes() == of_query.tobytes()


@given(
    seed=st.integers(0, 99),
    sizes=st.lists(st.integers(0, 25), max_size=4),
    k=st.integers(1, 30),
    data=st.data(),
)
def test_segments_are_searched_as_one_index_would_be(
    seed: int, sizes: list[int], k: int, data: st.DataObject
) -> None:
    n = sum(sizes)
    rows_of = st.sets(st.integers(0, n - 1)) if n else st.just(set())
    dead, allowed = data.draw(rows_of), data.draw(st.none() | rows_of)
    stored, queries = vectors(seed, n), vectors(seed + 1000, 2)
    parts = np.split(stored, np.cumsum(sizes)[:-1]) if sizes else []
    segments = [VectorIndex.build(part) for part in parts]
    whole = VectorSearch(segments, np.array(sorted(dead), np.int64))
    rows_allowed = None if allowed is None else np.array(sorted(allowed), np.int64)
    assert whole.n == n
    scores, rows = whole.search(queries, k, rows_allowed)
    if not sizes:
        assert rows.shape == (2, 0)
        return
    alone = VectorIndex.build(stored)
    scores_alone, rows_alone = alone.search(queries, k, rows_allowed, np.array(sorted(dead), np.int64))
    assert rows.tolist() == rows_alone.tolist()
    assert scores.tobytes() == scores_alone.tobytes()
    every = np.random.default_rng(seed).permutation(n)
    np.testing.assert_array_equal(whole.vectors_of(every), halved(stored)[every])
    np.testing.assert_array_equal(alone.vectors_of(every), halved(stored)[every])


def test_segments_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match=r"dims: \[4, 8\]"):
        VectorSearch([VectorIndex.build(vectors(1, 3)), VectorIndex.build(vectors(1, 3, 4))])


def test_a_saved_index_equals_the_one_loaded(tmp_path: Path) -> None:
    stored = vectors(3, 20)
    path = tmp_path / "v.faiss"
    VectorIndex.build(stored).save(path)
    opened = VectorIndex.open(path)
    assert (opened.n, opened.dim, opened.files(path)) == (20, 8, (path,))
    np.testing.assert_array_equal(opened.vectors(), halved(stored))
    np.testing.assert_array_equal(opened.vector(7), halved(stored)[7])
    opened.save(tmp_path / "again.faiss")
    assert (tmp_path / "again.faiss").read_bytes() == path.read_bytes()


def test_an_empty_index_is_saved_opened_and_searched(tmp_path: Path) -> None:
    VectorIndex.build(np.zeros((0, 8), np.float32), LISTS["SQ8"]).save(tmp_path / "v.faiss")
    opened = VectorIndex.open(tmp_path / "v.faiss")
    assert opened.vectors().shape == (0, 8)
    assert opened.search(vectors(1, 2), 3)[1].shape == (2, 0)


def test_vectors_must_be_a_table() -> None:
    with pytest.raises(ValueError, match=r"\(n, d\)"):
        VectorIndex.build(np.zeros(4, np.float32))


@pytest.mark.parametrize("number", [np.nan, np.inf, 70_000.0])
def test_a_number_that_a_half_float_cannot_hold_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="half float"):
        VectorIndex.build(np.array([[number, 1.0]], np.float32))


@pytest.mark.parametrize("query", [[[np.nan, 0.0]], [[1.0, 0.0, 0.0]], [1.0, 0.0]])
def test_a_query_that_is_no_vector_of_the_index_is_refused(query: list[float]) -> None:
    with pytest.raises(ValueError, match=r"finite and \(q, 2\)"):
        VectorIndex.build(np.eye(2, dtype=np.float32)).search(np.array(query, np.float32), 1)


@pytest.mark.parametrize("row", [-1, 20])
def test_a_row_that_does_not_exist_is_refused(row: int) -> None:
    index = VectorIndex.build(vectors(3, 20))
    with pytest.raises(ValueError, match=r"0\.\.19"):
        index.search(vectors(1, 1), 3, np.array([row]))
    with pytest.raises(ValueError, match=r"0\.\.19"):
        index.vector(row)
    with pytest.raises(ValueError, match=r"0\.\.19"):
        VectorSearch([index]).vectors_of(np.array([row]))


def test_lists_find_what_they_were_calibrated_to(listed: VectorIndex) -> None:
    queries = grouped(2, 100)
    exact = VectorIndex.build(grouped(1, 4000))
    assert listed.lists is not None
    assert listed.lists.probing.recall >= 0.99
    true_scores, true = exact.search(queries, 10)
    scores, rows = listed.search(queries, 10)
    assert recall(true, rows) >= 0.98  # other queries than it was calibrated with
    same = rows == true
    assert scores[same].tobytes() == true_scores[same].tobytes()


def test_lists_are_searched_in_part() -> None:
    index = VectorIndex.build(grouped(1, 4000), LISTS["SQ8"])
    assert index.lists is not None
    assert index.lists.probing.lists_at_k < index.lists.n_lists / 2


@pytest.mark.parametrize("n_allowed", [4, 40, 400, 3990])
def test_lists_answer_a_filter_in_full(listed: VectorIndex, n_allowed: int) -> None:
    allowed = np.sort(np.random.default_rng(4).choice(4000, n_allowed, replace=False))
    queries = grouped(2, 60)
    _, rows = listed.search(queries, 10, allowed, allowed[:1])
    assert rows.shape == (60, min(10, n_allowed - 1))
    assert np.isin(rows, allowed[1:]).all()
    _, true = VectorIndex.build(grouped(1, 4000)).search(queries, 10, allowed, allowed[:1])
    assert recall(true, rows) >= 0.98


def test_lists_give_every_row_where_as_many_are_asked_for(listed: VectorIndex) -> None:
    _, rows = listed.search(grouped(2, 1), 5000)
    assert sorted(rows[0].tolist()) == list(range(4000))


def test_lists_too_short_for_k_are_made_up_exactly() -> None:
    # Two far groups, and every list of the near one together holds fewer than k rows: the rest is beyond.
    near, far = np.eye(2, dtype=np.float32)
    stored = np.vstack([np.tile(near, (30, 1)), np.tile(far, (970, 1))])
    stored += 0.01 * vectors(1, 1000, 2)
    index = VectorIndex.build(stored, Plan(exact_rows=0, direct_rows=0, lists=8))
    _, rows = index.search(near[None], 40)
    assert set(range(30)) <= set(rows[0].tolist())
    assert len(set(rows[0].tolist())) == 40


def test_the_same_vectors_give_the_same_lists(tmp_path: Path) -> None:
    paths = tmp_path / "a", tmp_path / "b"
    for path in paths:
        VectorIndex.build(grouped(1, 1000), LISTS["RaBitQ"]).save(path)
    one, other = ([file.read_bytes() for file in VectorIndex.files(path)] for path in paths)
    assert len(one) == 3
    assert one == other


def test_an_index_saved_over_another_leaves_none_of_its_files(tmp_path: Path) -> None:
    path = tmp_path / "v.faiss"
    VectorIndex.build(grouped(1, 500), LISTS["SQ8"]).save(path)
    VectorIndex.build(grouped(1, 400)).save(path)
    assert list(tmp_path.iterdir()) == [path]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "v.faiss"
    VectorIndex.build(grouped(1, 500), LISTS["SQ8"]).save(path)
    return path


@pytest.mark.parametrize("suffix", ["", LISTS_SUFFIX, FACTS_SUFFIX])
def test_a_missing_file_is_an_error(saved: Path, suffix: str) -> None:
    saved.with_name(saved.name + suffix).unlink()
    with pytest.raises(OSError, match=r"v\.faiss"):
        VectorIndex.open(saved)


@pytest.mark.parametrize("suffix", ["", LISTS_SUFFIX, FACTS_SUFFIX])
@settings(max_examples=30)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_file_cut_short_is_an_error(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, share: float
) -> None:
    path = tmp_path_factory.mktemp("cut") / "v.faiss"
    VectorIndex.build(grouped(1, 60), LISTS["SQ8"]).save(path)
    cut = path.with_name(path.name + suffix)
    content = cut.read_bytes()
    # The facts end in a line break that means nothing.
    cut.write_bytes(content[: int(share * (len(content) - 1))])
    with pytest.raises((OSError, ValueError, RuntimeError)):
        VectorIndex.open(path)


@pytest.mark.parametrize("at", range(81))
def test_a_damaged_header_is_an_error(saved: Path, at: int) -> None:
    content = bytearray(saved.read_bytes())
    content[at] ^= 0x41
    saved.write_bytes(content)
    with pytest.raises(ValueError, match="no vector file"):
        VectorIndex.open(saved)


def test_lists_of_another_index_are_an_error(saved: Path) -> None:
    VectorIndex.build(grouped(1, 499)).save(saved.with_name("other"))
    saved.with_name("other").replace(saved)
    with pytest.raises(ValueError, match="of another index: 500 vectors, expected 499"):
        VectorIndex.open(saved)


@pytest.mark.parametrize(
    ("key", "value"),
    [("n", 501), ("dim", 31), ("lists", 63), ("bytes", 1), ("format", 2), ("probing", {}), ("probing", None)],
)
def test_facts_that_are_not_so_are_an_error(saved: Path, key: str, value: object) -> None:
    path = saved.with_name(saved.name + FACTS_SUFFIX)
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(ValueError, match=r"damaged|format 2, expected 1"):
        VectorIndex.open(saved)
