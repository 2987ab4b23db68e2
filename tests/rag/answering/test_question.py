"""What questions ask for."""

from __future__ import annotations

import pytest
from hand_made_evidence import question as parsed
from hypothesis import given
from hypothesis import strategies as st

from rag.answering.question import Kind, as_of_in, content_words, kind_of
from rag.errors import UsageError
from rag.text.dates import last_day


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("why was the trust decommissioned?", Kind.WHY),
        ("what were the reasons for the move", Kind.WHY),
        ("who ran the trust in 2015", Kind.WHO),
        ("what year did it open", Kind.WHEN),
        ("percentage of health assessments done on time", Kind.HOW_MANY),
        ("which areas did the visit cover", Kind.LIST),
        ("did inspectors praise the trust", Kind.YES_NO),
        ("how did they stabilise the workforce", Kind.HOW),
        ("how has the rating changed over time", Kind.CHANGE),
        ("rating 2015", Kind.WHAT),
        ("почему закрыли трест", Kind.WHAT),
    ],
)
def test_a_question_asks_for(question: str, kind: Kind) -> None:
    assert kind_of(question) is kind


@pytest.mark.parametrize(
    ("question", "day"),
    [
        ("as of 2016, what was the rating", "2016-12-31"),
        ("what was the rating as of march 2017?", "2017-03-31"),
        ("rating as at 22 March 2017", "2017-03-22"),
        ("as of 31 February 2017", None),
        ("as of late 2016", None),
        ("what happened in 2016", None),
    ],
)
def test_a_date_to_go_back_to_is_read_from_the_question(question: str, day: str | None) -> None:
    assert as_of_in(question) == day


@pytest.mark.parametrize("date", ["", "yesterday", "2016-13", "2016-02-30", "0000", "16", "2016-00"])
def test_what_is_no_date_is_refused_with_the_form_wanted(date: str) -> None:
    with pytest.raises(UsageError) as caught:
        last_day(date)
    assert "2016-03-22" in caught.value.hint


@given(st.text(max_size=80))
def test_any_text_is_some_kind_of_question(text: str) -> None:
    assert isinstance(kind_of(text), Kind)
    as_of_in(text)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("how many posts were vacant?", ["posts", "vacant"]),
        ("How long did the repairs take", ["the", "repairs", "take"]),
        ("tell me what the long bridge is made of", ["the", "long", "bridge", "made", "of"]),
        ("didn’t the mayor resign?", ["the", "mayor", "resign"]),
    ],
)
def test_question_words_and_auxiliaries_say_nothing_of_the_subject(question: str, words: list[str]) -> None:
    assert content_words(question) == words


def test_a_question_is_parsed_once_into_all_that_later_stages_ask() -> None:
    question = parsed("how many zoos did the council run as of March 2016?")
    assert question.kind is Kind.HOW_MANY
    assert question.plain == "how many zoos did the council run in March 2016?"
    assert (question.as_of, set(question.years)) == ("2016-03-31", {"2016"})
    assert "many" not in question.unknown
    assert "zoos" in question.unknown
