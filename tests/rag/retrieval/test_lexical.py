"""The lexical index against BM25 written out."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.retrieval.lexical import LexicalIndex
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


@pytest.mark.parametrize(
    "query", ["trust council", "why was the trust decommissioned?", "children's care", "zebra"]
)
def test_scores_are_those_of_the_formula(query: str) -> None:
    found = LexicalIndex.build(TEXTS).scores(query)
    np.testing.assert_allclose(found, bm25(query, TEXTS), rtol=1e-4, atol=1e-6)


def test_only_texts_that_share_a_term_are_found() -> None:
    index = LexicalIndex.build(TEXTS)
    assert index.search("decommission", 10)[1].tolist() == [0]
    assert index.search("of the and", 10)[1].tolist() == []
    assert index.search("漢字", 10)[1].tolist() == []


def test_a_filter_acts_before_the_cut() -> None:
    assert LexicalIndex.build(TEXTS).search("trust", 1, np.array([0]))[1].tolist() == [0]


def test_a_saved_index_equals_the_one_loaded(tmp_path: Path) -> None:
    index = LexicalIndex.build(TEXTS)
    index.save(tmp_path / "lexical")
    opened = LexicalIndex.open(tmp_path / "lexical")
    assert opened.n == 4
    np.testing.assert_array_equal(opened.scores("trust council"), index.scores("trust council"))
    assert [opened.document_frequency(t) for t in ("trust", "council", "zebra")] == [2, 1, 0]


@pytest.mark.parametrize("texts", [[], ["", "the of"]])
def test_texts_without_terms_make_an_index_that_finds_nothing(texts: list[str], tmp_path: Path) -> None:
    LexicalIndex.build(texts).save(tmp_path / "lexical")
    opened = LexicalIndex.open(tmp_path / "lexical")
    assert opened.search("trust", 5)[1].tolist() == []


@given(st.text(max_size=200))
def test_any_text_has_terms_without_a_crash(text: str) -> None:
    assert all(isinstance(term, str) and term for term in terms(text))
