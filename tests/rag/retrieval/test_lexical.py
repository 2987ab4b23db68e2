"""The lexical index against BM25 written out, and several segments against one."""

from __future__ import annotations

import contextlib
import json
import math
import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.retrieval import lexical
from rag.retrieval.lexical import ARRAYS, HEADER, LexicalIndex, LexicalSearch
from rag.text.terms import terms

TEXTS = [
    "The trust was decommissioned by the council in 2022.",
    "Inspectors rated the trust good. The trust improved, and trusts elsewhere did too.",
    "Children enter care at the right time.",
    "",
]


def bm25(query: str, texts: list[str], k1: float = 1.2, b: float = 0.75) -> list[float]:
    """Lucene's BM25, from its formula."""
    docs = [terms(text) for text in texts]
    mean = sum(map(len, docs)) / len(docs)
    scores = []
    for doc in docs:
        score = 0.0
        for term in terms(query):
            df, tf = sum(term in d for d in docs), doc.count(term)
            idf = math.log(1 + (len(docs) - df + 0.5) / (df + 0.5))
            score += idf * tf / (tf + k1 * (1 - b + b * len(doc) / mean)) if tf else 0.0
        scores.append(score)
    return scores


def assert_best(
    index: LexicalIndex | LexicalSearch, texts: list[str], query: str, k: int, eligible: set[int]
) -> None:
    """The k best of the eligible are found, by the formula; equal scores may be told apart by rounding."""
    scores, rows = index.search(query, k, None if len(eligible) == len(texts) else np.array(sorted(eligible)))
    expected = np.array(bm25(query, texts)) if texts else np.zeros(0)
    best = sorted((expected[row] for row in eligible if expected[row] > 0), reverse=True)[:k]
    assert len(set(rows.tolist())) == len(rows) == len(best)
    assert set(rows.tolist()) <= eligible
    np.testing.assert_allclose(scores, best, rtol=1e-4)
    np.testing.assert_allclose(expected[rows], best, rtol=1e-4)
    assert [*zip(-scores, rows, strict=True)] == sorted(zip(-scores, rows, strict=True))


@pytest.mark.parametrize(
    "query", ["trust council", "why was the trust decommissioned?", "children's care", "trust trust", "zebra"]
)
def test_scores_are_those_of_the_formula(query: str) -> None:
    assert_best(LexicalIndex.build(TEXTS), TEXTS, query, 4, {0, 1, 2, 3})


def test_only_texts_that_share_a_term_are_found() -> None:
    index = LexicalIndex.build(TEXTS)
    assert index.search("decommission", 10)[1].tolist() == [0]
    assert index.search("of the and", 10)[1].tolist() == []
    assert index.search("漢字", 10)[1].tolist() == []
    assert index.search("trust", 0)[1].tolist() == []


def test_a_filter_acts_before_the_cut() -> None:
    index = LexicalIndex.build(TEXTS)
    assert index.search("trust", 1)[1].tolist() == [1]
    assert index.search("trust", 1, np.array([0]))[1].tolist() == [0]
    assert index.search("trust", 2, np.array([2, 0, 0]))[1].tolist() == [0]
    assert index.search("trust", 2, np.array([], np.int64))[1].tolist() == []


def test_a_row_that_no_text_has_is_refused() -> None:
    with pytest.raises(IndexError):
        LexicalIndex.build(TEXTS).search("trust", 1, np.array([4]))
    with pytest.raises(IndexError):
        LexicalSearch([LexicalIndex.build(TEXTS)], dead=np.array([-1]))


def test_texts_that_score_alike_come_in_the_order_of_their_rows() -> None:
    segment = LexicalIndex.build(["a trust of the council"] * 3)
    assert LexicalSearch([segment, segment]).search("council trust", 4)[1].tolist() == [0, 1, 2, 3]


def test_a_saved_index_equals_the_one_loaded(tmp_path: Path) -> None:
    index = LexicalIndex.build(TEXTS)
    index.save(tmp_path / "lexical")
    opened = LexicalIndex.open(tmp_path / "lexical")
    assert opened.n == 4
    assert opened.vocabulary() == index.vocabulary() == sorted({t for text in TEXTS for t in terms(text)})
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(opened, name), getattr(index, name))
    assert [opened.document_frequency(t) for t in ("trust", "council", "zebra", "", "\ud800")] == [
        2,
        1,
        0,
        0,
        0,
    ]


@pytest.mark.parametrize("texts", [[], ["", "the of"]])
def test_texts_without_terms_make_an_index_that_finds_nothing(texts: list[str], tmp_path: Path) -> None:
    LexicalIndex.build(texts).save(tmp_path / "lexical")
    opened = LexicalIndex.open(tmp_path / "lexical")
    assert opened.n == len(texts)
    assert opened.search("trust", 5)[1].tolist() == []
    whole = LexicalSearch([opened, LexicalIndex.build(TEXTS), opened])
    assert whole.search("decommission", 5)[1].tolist() == [len(texts)]


def test_no_segment_at_all_finds_nothing() -> None:
    nothing = LexicalSearch([])
    assert (nothing.n, nothing.document_frequency("trust")) == (0, 0)
    assert nothing.search("trust", 5)[1].tolist() == []


def test_segments_of_two_languages_are_refused() -> None:
    english = LexicalIndex.build(TEXTS)
    other = LexicalIndex("klingon", **{name: getattr(english, name) for name in ARRAYS})
    with pytest.raises(ValueError, match="language"):
        LexicalSearch([english, other])


def test_counts_and_lengths_too_large_for_a_byte_are_kept(tmp_path: Path) -> None:
    LexicalIndex.build(["trust " * 300 + "word " * 70_000, "trust"]).save(tmp_path)
    opened = LexicalIndex.open(tmp_path)
    assert opened.lengths.tolist() == [70_300, 1]
    assert sorted(opened.counts.tolist()) == [1, 300, 70_000]


# Few terms in many texts, so that lists are long, scores are close and terms are left out for their bound.
WORDS = [f"{letter}{letter}{letter}" for letter in "bcdfghjklmnp"]
WEIGHTED = [word for rank, word in enumerate(WORDS) for _ in range(2 ** max(0, 6 - rank))]
TEXT = st.lists(st.sampled_from(WEIGHTED), max_size=12).map(" ".join)
QUERY = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)


@st.composite
def corpora(draw: st.DrawFn) -> tuple[list[str], list[int], set[int]]:
    """Texts, where they are cut into segments, and the rows that are dead."""
    texts = draw(st.lists(TEXT, max_size=60))
    rows = st.integers(0, max(0, len(texts)))
    cuts = sorted(draw(st.lists(rows, max_size=3)))
    return texts, cuts, draw(st.sets(rows)) & set(range(len(texts)))


def segments(texts: list[str], cuts: list[int]) -> list[LexicalIndex]:
    bounds = [0, *cuts, len(texts)]
    return [LexicalIndex.build(texts[a:b]) for a, b in pairwise(bounds)]


@pytest.mark.parametrize("lookup_cost", [0, 1, 12, 10_000])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_best_are_found_whatever_work_is_left_out(lookup_cost: int, data: st.DataObject) -> None:
    texts, cuts, dead = data.draw(corpora())
    query, k = data.draw(QUERY), data.draw(st.integers(1, 8))
    eligible = set(range(len(texts))) - dead
    if data.draw(st.booleans()):
        eligible &= data.draw(st.sets(st.integers(0, 60)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lexical, "LOOKUP_COST", lookup_cost)
        search = LexicalSearch(segments(texts, cuts), np.array(sorted(dead), np.int64))
        allowed = np.array(sorted(eligible), np.int64)
        assert_best(search, texts, query, k, eligible)
        several, one = search.search(query, k, allowed), LexicalIndex.build(texts).search(query, k, allowed)
    assert several[0].tobytes() == one[0].tobytes()  # to the last bit, so that ties stay ties
    assert several[1].tolist() == one[1].tolist()


@settings(max_examples=60, deadline=None)
@given(corpora(), st.integers(1, 30))
def test_merged_segments_equal_the_index_of_their_texts(
    corpus: tuple[list[str], list[int], set[int]], run_postings: int
) -> None:
    texts, cuts, dead = corpus
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lexical, "RUN_POSTINGS", run_postings)  # many runs of a few texts
        merged = LexicalIndex.merge(segments(texts, cuts), np.array(sorted(dead), np.int64))
    built = LexicalIndex.build([text for row, text in enumerate(texts) if row not in dead])
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(merged, name), getattr(built, name), err_msg=name)


@settings(max_examples=60, deadline=None)
@given(corpora())
def test_how_many_texts_hold_a_term_is_summed_over_segments(
    corpus: tuple[list[str], list[int], set[int]],
) -> None:
    texts, cuts, dead = corpus
    search = LexicalSearch(segments(texts, cuts), np.array(sorted(dead), np.int64))
    assert search.n == len(texts)
    for word in (*WORDS, "zzz"):
        assert search.document_frequency(word) == sum(word in text.split() for text in texts)


@given(st.text(max_size=200))
def test_any_text_has_terms_without_a_crash(text: str) -> None:
    assert all(isinstance(term, str) and term for term in terms(text))
    found = LexicalIndex.build([text])
    assert found.vocabulary() == sorted(set(terms(text)))
    assert all(found.document_frequency(term) == 1 for term in terms(text))


FILES = [HEADER, *(f"{name}.npy" for name in ARRAYS)]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("fault", ["missing", "emptied", "truncated", "longer", "of another index"])
def test_a_damaged_file_is_an_error_when_the_index_is_opened(name: str, fault: str, tmp_path: Path) -> None:
    LexicalIndex.build(TEXTS).save(tmp_path)
    other = tmp_path / "other"
    LexicalIndex.build([*TEXTS, "one more text, of seven " + "words " * 300]).save(other)
    path = tmp_path / name
    if fault == "missing":
        path.unlink()
    elif fault == "emptied":
        path.write_bytes(b"")
    elif fault == "truncated":
        os.truncate(path, path.stat().st_size - 2)
    elif fault == "longer":
        path.write_bytes(path.read_bytes() + b"}")
    else:
        path.write_bytes((other / name).read_bytes())
    with pytest.raises((OSError, ValueError)):
        LexicalIndex.open(tmp_path)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    LexicalIndex.build(TEXTS).save(folder)
    return folder


@settings(max_examples=300)
@given(name=st.sampled_from(FILES), place=st.integers(0, 140), bit=st.integers(0, 7))
def test_a_flipped_bit_at_the_start_of_a_file_is_an_error_of_reading_or_of_a_value_or_none(
    saved: Path, name: str, place: int, bit: int
) -> None:
    path = saved / name
    whole = path.read_bytes()
    damaged = bytearray(whole)
    damaged[place % len(whole)] ^= 1 << bit
    try:
        path.write_bytes(damaged)
        with contextlib.suppress(OSError, ValueError):
            assert LexicalIndex.open(saved).n == len(TEXTS)
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize(
    "header",
    [[], {}, {"format": 0}, {"format": 1, "n": 4}, {"format": 1, "language": "klingon", "n": 4},
     {"format": 1, "language": 3, "n": 4}, {"format": 1, "language": "english", "n": 5}],
)  # fmt: skip
def test_a_header_that_says_something_else_is_an_error(header: object, tmp_path: Path) -> None:
    LexicalIndex.build(TEXTS).save(tmp_path)
    (tmp_path / HEADER).write_text(json.dumps(header), "utf-8")
    with pytest.raises(ValueError, match=r"lexical\.json|belong together"):
        LexicalIndex.open(tmp_path)
