"""When two documents tell different things, and when two wordings are no contradiction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hand_made_evidence import evidence, question

from rag.answering.disagreement import disagreements, notice
from rag.answering.evidence import Evidence
from rag.answering.question import Kind
from rag.reader.base import Candidate, Judgement, Reader
from rag.reader.similarity import SimilarityReader


class Judge(SimilarityReader):
    """Holds two quotations to be in conflict when one of them has the word "not"."""

    judges_pairs = True

    def __init__(self) -> None:
        self.asked: list[str] = []

    def judge(self, question: str, pairs: Sequence[tuple[Candidate, Candidate]]) -> list[Judgement]:
        self.asked.append(question)
        conflict = [float(("not" in a.text.split()) != ("not" in b.text.split())) for a, b in pairs]
        return [Judgement(value, 1 - value, 0.0) for value in conflict]


def told(kind: Kind, chosen: Sequence[Evidence], reader: Reader | None = None) -> list[tuple[int, int]]:
    by_rules = SimilarityReader(lambda texts: np.zeros((len(texts), 1), np.float32), "")
    return disagreements(replace(question("q"), kind=kind), chosen, reader or by_rules)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (Kind.HOW_MANY, "There were [31] posts.", "There were [24] posts."),
        (Kind.WHEN, "It shut on [3 May 2014].", "It shut in [June 2013]."),
        (Kind.WHO, "[Mr Paul Moffat] led it.", "It was led by [Nuala Fennelly]."),
        (Kind.YES_NO, "It had [31 vacant posts].", "The board counted [24 vacant posts]."),
        (
            Kind.YES_NO,
            "The council [will close the library] in March.",
            "The council [will not close the library] in March.",
        ),
    ],
)
def test_documents_that_tell_different_things_are_reported(kind: Kind, one: str, other: str) -> None:
    chosen = [evidence(one, kind=kind, document="a"), evidence(other, kind=kind, document="b")]
    assert told(kind, chosen) == [(0, 1)]


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (Kind.HOW_MANY, "There were [1,200] posts.", "[1200] posts stood empty."),
        (Kind.WHY, "It shut for want of [31] staff.", "It shut after [24] complaints."),
        (Kind.WHO, "[Nuala Fennelly] led it.", "It was led by [Ms Fennelly]."),
        (Kind.WHAT, "It is [a trust].", "It is [a company]."),
        (Kind.HOW_MANY, "There were [31] posts.", "Of all posts [19 per cent] were vacant."),
        (Kind.HOW_MANY, "There were [31] posts.", "There were 31 posts in 2016 and [24] in 2017."),
        (Kind.HOW_MANY, "There were [31] posts.", "| Posts | [24 | 20] |"),
    ],
)
def test_other_words_for_the_same_or_for_something_else_are_none(kind: Kind, one: str, other: str) -> None:
    assert (
        told(kind, [evidence(one, kind=kind, document="a"), evidence(other, kind=kind, document="b")]) == []
    )


def test_a_document_does_not_contradict_itself_nor_does_evidence_that_hardly_answers() -> None:
    one, other = "There were [31] posts.", "There were [24] posts."
    kind = Kind.HOW_MANY
    chosen = [evidence(one, kind=kind, document="a"), evidence(other, kind=kind, document="a")]
    assert told(kind, chosen) == []
    chosen = [
        evidence(one, kind=kind, document="a"),
        evidence(other, kind=kind, document="b", relevance=-1.0),
    ]
    assert told(kind, chosen) == []


def test_a_sentence_about_something_else_does_not_contradict() -> None:
    kind = Kind.HOW_MANY
    chosen = [
        evidence("There were [31] posts.", kind=kind, document="a"),
        evidence("It took [24] days.", kind=kind, document="b", coverage=0.3),
    ]
    assert told(kind, chosen) == []


def test_the_notice_names_both_sides_with_their_files_and_dates() -> None:
    left, right = evidence("There were [31] posts."), evidence("There were [24] posts.", document="b")
    assert notice(Kind.HOW_MANY, left, right) == (
        "The documents may disagree: “31” (d.txt, undated), but “24” (b.txt, undated)."
    )


def test_a_reader_that_judges_pairs_decides_and_is_asked_only_of_what_can_be_compared() -> None:
    reader, kind = Judge(), Kind.WHAT
    first = evidence("It [will close].", document="a")
    denial = evidence("It will [not close].", document="b")
    assert told(kind, [first, denial], reader) == [(0, 1)]
    assert told(kind, [first, evidence("It [will shut].", document="c")], reader) == []
    assert len(reader.asked) == 2
    assert told(kind, [first, evidence("It will [not close].", document="a")], reader) == []
    assert len(reader.asked) == 2
