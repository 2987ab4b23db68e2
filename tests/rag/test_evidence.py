"""Which sentences are shown, and what is marked in them."""

from __future__ import annotations

from rag.evidence import disagreements, explained, select
from rag.kinds import Kind
from rag.reading import Mark, Reading
from rag.records import Hit, Passage
from rag.sentences import sentences

TEXT = "The trust opened in 2014. It was rated good in 2018. Staff, carers and schools took part."


def hit(text: str, document: str = "a", row: int = 0) -> Hit:
    return Hit(Passage(document, 0, len(text), text), row, 0.0, "fused")


def mark(text: str, words: str, score: float = 1.0) -> Mark:
    start = text.index(words)
    return Mark(start, start + len(words), score)


def test_the_sentence_that_holds_the_mark_is_quoted() -> None:
    reading = Reading(2.0, (mark(TEXT, "good"),))
    (evidence,) = select(Kind.WHAT, [hit(TEXT)], [reading], sentences)
    assert TEXT[slice(*evidence.quote)] == "It was rated good in 2018."


def test_a_mark_over_two_sentences_quotes_both() -> None:
    reading = Reading(2.0, (mark(TEXT, "2014. It was"),))
    (evidence,) = select(Kind.WHAT, [hit(TEXT)], [reading], sentences)
    assert TEXT[slice(*evidence.quote)] == "The trust opened in 2014. It was rated good in 2018."


def test_a_list_question_marks_every_item_near_the_best() -> None:
    marks = (mark(TEXT, "Staff", 5.0), mark(TEXT, "schools", 4.0), mark(TEXT, "2014", -9.0))
    (evidence,) = select(Kind.LIST, [hit(TEXT)], [Reading(2.0, marks)], sentences)
    assert [TEXT[m.start : m.end] for m in evidence.marks] == ["Staff", "schools"]


def test_passages_far_below_the_best_are_not_shown() -> None:
    readings = [Reading(-4.0, (mark(TEXT, "good"),)), Reading(3.0, (mark(TEXT, "2018"),)), Reading(2.9)]
    chosen = select(Kind.WHEN, [hit(TEXT, row=r) for r in range(3)], readings, sentences)
    assert [e.hit.row for e in chosen] == [1]


def test_a_reason_that_leans_on_the_sentence_before_is_shown_with_it() -> None:
    text = "Caseloads fell. This means that workers know the children."
    found = explained(sentences(text), text, (16, len(text)))
    assert text[slice(*found)] == text


def test_different_figures_in_two_documents_are_a_disagreement() -> None:
    one, two, three = "There were 31 posts.", "There were 24 posts.", "31 posts stood empty."
    readings = [
        Reading(2.0, (mark(t, t.split()[2] if "were" in t else "31", 1.0),)) for t in (one, two, three)
    ]
    chosen = select(Kind.HOW_MANY, [hit(one, "a"), hit(two, "b", 1), hit(three, "c", 2)], readings, sentences)
    pairs = {
        (a.hit.passage.document_id, b.hit.passage.document_id)
        for a, b in disagreements(Kind.HOW_MANY, chosen)
    }
    assert pairs == {("a", "b"), ("b", "c")}
    assert disagreements(Kind.WHY, chosen) == []
