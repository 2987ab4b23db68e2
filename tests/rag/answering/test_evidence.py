"""Which sentences are shown, and what is marked in them."""

from __future__ import annotations

from dataclasses import replace

from rag.answering.evidence import draft, explained, select
from rag.answering.question import Kind
from rag.reader.base import Mark, Reading
from rag.records import Hit, Passage
from rag.text.sentences import sentences

TEXT = "The trust opened in 2014. It was rated good in 2018. Staff, carers and schools took part."


def hit(text: str, document: str = "a", row: int = 0) -> Hit:
    return Hit(Passage(document, 0, len(text), text), row, 0.0, "fused")


def mark(text: str, words: str, score: float = 1.0) -> Mark:
    start = text.index(words)
    return Mark(start, start + len(words), score)


def test_the_sentence_that_holds_the_mark_is_quoted() -> None:
    evidence = draft(Kind.WHAT, hit(TEXT), Reading(2.0, (mark(TEXT, "good"),)), sentences)
    assert TEXT[slice(*evidence.quote)] == "It was rated good in 2018."


def test_a_mark_over_two_sentences_quotes_both() -> None:
    evidence = draft(Kind.WHAT, hit(TEXT), Reading(2.0, (mark(TEXT, "2014. It was"),)), sentences)
    assert TEXT[slice(*evidence.quote)] == "The trust opened in 2014. It was rated good in 2018."


def test_a_list_question_marks_every_item_near_the_best() -> None:
    marks = (mark(TEXT, "Staff", 5.0), mark(TEXT, "schools", 4.0), mark(TEXT, "2014", -9.0))
    evidence = draft(Kind.LIST, hit(TEXT), Reading(2.0, marks), sentences)
    assert [TEXT[m.start : m.end] for m in evidence.marks] == ["Staff", "schools"]


def test_what_is_far_below_the_best_or_unmarked_is_not_shown() -> None:
    marked = Reading(0.0, (mark(TEXT, "2018"),))
    drafts = [
        replace(draft(Kind.WHEN, hit(TEXT, row=row), reading, sentences), worth=value)
        for row, reading, value in (
            (0, Reading(9.0), 9.0),
            (1, marked, 5.0),
            (2, marked, 4.0),
            (3, marked, -5.0),
        )
    ]
    assert [evidence.hit.row for evidence in select(drafts)] == [1, 2]


def test_a_reason_that_leans_on_the_sentence_before_is_shown_with_it() -> None:
    text = "Caseloads fell. This means that workers know the children."
    found = explained(sentences(text), text, (16, len(text)))
    assert text[slice(*found)] == text
