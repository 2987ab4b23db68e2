"""Which sentences are shown, and what is marked in them."""

from __future__ import annotations

from hand_made_evidence import evidence

from rag.answering.evidence import quotation, select, with_explained
from rag.answering.question import Kind
from rag.reader.base import Mark, Reading
from rag.text.sentences import sentences

TEXT = "The trust opened in 2014. It was rated good in 2018. Staff, carers and schools took part."


def mark(words: str, score: float) -> Mark:
    start = TEXT.index(words)
    return Mark(start, start + len(words), score)


def test_the_sentence_that_holds_the_mark_is_quoted() -> None:
    found = evidence("The trust opened in 2014. It was rated [good] in 2018. Staff took part.")
    assert (found.quoted, found.marked) == ("It was rated good in 2018.", "good")


def test_a_mark_over_two_sentences_quotes_both() -> None:
    quote, _ = quotation(Kind.WHAT, TEXT, Reading(1.0, (mark("2014. It was", 1.0),)))
    assert TEXT[slice(*quote)] == "The trust opened in 2014. It was rated good in 2018."


def test_a_list_question_marks_every_item_near_the_best() -> None:
    marks = (mark("Staff", 5.0), mark("schools", 4.0), mark("2014", -9.0))
    _, shown = quotation(Kind.LIST, TEXT, Reading(1.0, marks))
    assert [TEXT[m.start : m.end] for m in shown] == ["Staff", "schools"]


def test_what_is_far_below_the_best_or_unmarked_is_not_shown() -> None:
    ranked = [
        evidence("No mark.", rank_score=9.0, row=0),
        evidence("In [2018].", rank_score=5.0, row=1),
        evidence("By [2018].", rank_score=4.0, row=2),
        evidence("Of [2018].", rank_score=-5.0, row=3),
    ]
    assert [each.hit.row for each in select(ranked)] == [1, 2]


def test_words_that_stand_in_several_passages_are_quoted_once_with_every_place() -> None:
    ranked = [
        evidence("It opened in [2018].", rank_score=5.0, document="minutes", row=1),
        evidence("It opened in [2018].", rank_score=4.9, document="letter", row=2),
        evidence("A year later, in [2019].", rank_score=4.8, document="news", row=3),
    ]
    first, second = select(ranked)
    assert [first.document.id, *(twin.document_id for twin in first.hit.duplicates)] == ["minutes", "letter"]
    assert second.document.id == "news"


def test_a_reason_that_leans_on_the_sentence_before_is_shown_with_it() -> None:
    text = "Caseloads fell. This means that workers know the children."
    quote = with_explained(sentences(text), text, (16, len(text)))
    assert text[slice(*quote)] == text
