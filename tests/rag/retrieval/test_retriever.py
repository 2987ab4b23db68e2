"""Fusion of several views, filters before the cut, groups answering once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from embeddings.index import VectorIndex
from rag.records import Passage
from rag.retrieval.clock import StageClock
from rag.retrieval.groups import LabelledRows
from rag.retrieval.lexical import LexicalIndex
from rag.retrieval.retriever import PassagesOf, Retriever
from rag.retrieval.sentences import SentenceScores

WORDS = ("trust", "council", "rating", "letter")
TEXTS = ["trust council", "rating", "trust council", "letter rating", "trust"]
SENTENCES = [
    (0, "trust"),
    (0, "council"),
    (1, "rating"),
    (2, "trust"),
    (3, "letter"),
    (3, "rating"),
    (4, "trust"),
]


class CountingEncoder:
    """A vector of word counts: small enough to check by hand."""

    def encode(self, texts: Sequence[str], *, kind: str = "passage") -> NDArray[np.float32]:
        counts = np.array([[t.split().count(w) for w in WORDS] for t in texts], np.float32)
        unit: NDArray[np.float32] = (
            counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1)
        ).astype(np.float32)
        return unit


def passages_of(texts: Sequence[str]) -> PassagesOf:
    return lambda rows: [Passage(str(row), 0, len(texts[row]), texts[row]) for row in rows]


@pytest.fixture
def retriever() -> Retriever:
    encoder = CountingEncoder()
    return Retriever(
        encoder,
        VectorIndex.build(encoder.encode(TEXTS)),
        LexicalIndex.build(TEXTS),
        LabelledRows([0, 1, 0, 3, 4]),  # texts 0 and 2 say the same
        passages_of(TEXTS),
        sentences=SentenceScores.of(
            encoder.encode([s for _, s in SENTENCES]), np.array([row for row, _ in SENTENCES]), len(TEXTS)
        ),
    )


def test_equal_words_answer_once_and_name_the_other_place(retriever: Retriever) -> None:
    first = retriever.retrieve("trust council", 5)[0]
    assert (first.row, [twin.document_id for twin in first.duplicates]) == (0, ["2"])


def test_every_ranker_that_found_a_passage_is_heard(retriever: Retriever) -> None:
    said = {r.ranker: r.rank for r in retriever.retrieve("letter", 1)[0].ranked}
    assert said == {"dense": 1, "sentences": 1, "bm25": 1}


def test_a_filter_leaves_only_what_it_allows(retriever: Retriever) -> None:
    found = retriever.retrieve("trust", 5, allowed=np.array([2, 3]))
    assert {f.row for f in found} == {2, 3}


def test_a_passage_is_as_near_as_its_nearest_sentence_less_half_of_its_own_nearness(
    retriever: Retriever,
) -> None:
    sentences = {
        f.row: r.score for f in retriever.retrieve("letter", 5) for r in f.ranked if r.ranker == "sentences"
    }
    assert sentences[3] == pytest.approx(1 - 0.5 * 0.5**0.5, abs=1e-3)  # of "letter rating"


def test_each_stage_is_timed(retriever: Retriever) -> None:
    clock = StageClock()
    retriever.retrieve("trust", 1, clock=clock)
    assert set(clock.ms) == {"encode", "dense", "lexical", "fuse"}
    assert clock.total()["total"] >= sum(clock.ms.values())


def test_a_passage_that_alone_holds_the_telling_word_is_among_the_first(retriever: Retriever) -> None:
    filler = ["trust " * n for n in range(2, 14)]
    texts = [*filler, "council trust letter letter letter letter letter letter"]
    encoder = CountingEncoder()
    many = Retriever(
        encoder,
        VectorIndex.build(encoder.encode(texts)),
        LexicalIndex.build(texts),
        LabelledRows(range(len(texts))),
        passages_of(texts),
    )
    assert many.retrieve("trust council", 2)[0].row == len(texts) - 1
