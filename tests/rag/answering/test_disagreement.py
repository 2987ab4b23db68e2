"""When two documents tell different things, and when two wordings are no contradiction."""

from __future__ import annotations

import pytest

from rag.answering.disagreement import disagreements
from rag.answering.evidence import Evidence, draft
from rag.answering.question import Kind
from rag.reader.base import Mark, Reading
from rag.records import Hit, Passage
from rag.text.sentences import sentences


def evidence(kind: Kind, document: str, text: str, words: str, relevance: float = 2.0) -> Evidence:
    start = text.index(words)
    reading = Reading(relevance, (Mark(start, start + len(words), 1.0),))
    return draft(kind, Hit(Passage(document, 0, len(text), text), 0, 0.0, "fused"), reading, sentences)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (Kind.HOW_MANY, "There were [31] posts.", "There were [24] posts."),
        (Kind.WHEN, "It shut on [3 May 2014].", "It shut in [June 2013]."),
        (Kind.WHO, "[Mr Paul Moffat] led it.", "It was led by [Nuala Fennelly]."),
        (Kind.WHAT, "Inspectors judged it [Inadequate].", "They found it [requires improvement]."),
        (Kind.YES_NO, "It had [31 vacant posts].", "The board counted [24 vacant posts]."),
        (
            Kind.YES_NO,
            "The council [will close the library] in March.",
            "The council [will not close the library] in March.",
        ),
    ],
)
def test_documents_that_tell_different_things_are_reported(kind: Kind, one: str, other: str) -> None:
    chosen = [_marked(kind, "a", one), _marked(kind, "b", other)]
    assert disagreements(kind, chosen, [1.0, 0.8]) == [(0, 1)]


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
    assert disagreements(kind, [_marked(kind, "a", one), _marked(kind, "b", other)], [1.0, 1.0]) == []


def test_a_document_does_not_contradict_itself_nor_does_evidence_that_hardly_answers() -> None:
    one, other = "There were [31] posts.", "There were [24] posts."
    kind = Kind.HOW_MANY
    chosen = [_marked(kind, "a", one), _marked(kind, "a", other)]
    assert disagreements(kind, chosen, [1.0, 1.0]) == []
    chosen = [_marked(kind, "a", one), _marked(kind, "b", other, relevance=-1.0)]
    assert disagreements(kind, chosen, [1.0, 1.0]) == []


def test_a_sentence_about_something_else_does_not_contradict() -> None:
    kind = Kind.HOW_MANY
    chosen = [_marked(kind, "a", "There were [31] posts."), _marked(kind, "b", "It took [24] days.")]
    assert disagreements(kind, chosen, [1.0, 0.3]) == []


def _marked(kind: Kind, document: str, text: str, relevance: float = 2.0) -> Evidence:
    """Evidence from a text whose marked words stand in brackets."""
    before, words, after = text.partition("[")[0], *text.partition("[")[2].split("]")
    return evidence(kind, document, before + words + after, words, relevance)
