"""A language is one record: English fills it, and another in its place is what every rule reads."""

from __future__ import annotations

import pkgutil
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest

import rag.text
from rag.answering.disagreement import denies
from rag.answering.question import Kind, can_answer, parse, states_reason
from rag.answering.reasons import why_weak
from rag.errors import SettingsError
from rag.passages.duplicates import near_equal
from rag.passages.header import passage_header
from rag.records import Document, Passage
from rag.retrieval.term_weights import TermWeights
from rag.session.followups import Earlier, complete
from rag.session.suggestions import Vocabulary, spellings
from rag.settings import LANGUAGES
from rag.text.dates import dates_in, long_date
from rag.text.english import ENGLISH
from rag.text.language import Wording, load_language
from rag.text.names import name_parts, names_in
from rag.text.terms import terms

# As much of German as a test can be read with.
GERMAN = replace(
    ENGLISH,
    name="german",
    code="de",
    stemmer="german",
    stop_words=frozenset("der die das und wer".split()),
    denials=frozenset({"nicht", "kein"}),
    denying_ending="\0",
    number_words=frozenset({"drei"}),
    reason=Wording(r"\b(weil|wegen)\b"),
    names=replace(
        ENGLISH.names, titles={"frau": "sie", "herr": "er"}, openers=frozenset({"die"}), inside=frozenset()
    ),
    dates=replace(
        ENGLISH.dates,
        months=tuple(
            "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split()
        ),
        short_months={"mär": 3},
        day_ending=r"\.",
    ),
    questions=replace(
        ENGLISH.questions,
        kinds=(("who", Wording(r"\bwer\b")),),
        asked_for={**ENGLISH.questions.asked_for, "who": "wer es war"},
        empty=frozenset({"wer", "war"}),
        as_of=Wording(r"\b(?P<lead>stand)(?P<day>x)? (?P<month>[a-zä]+) (?P<year>\d{4})"),
        as_of_plain="im",
    ),
    follow_ups=None,
)


def records(value: Any) -> list[Any]:
    """A record of a language with all records in it."""
    inside = [getattr(value, field.name) for field in fields(value)]
    return [value, *(each for part in inside if is_dataclass(part) for each in records(part))]


@pytest.mark.parametrize("name", LANGUAGES)
def test_every_language_offered_is_whole(name: str) -> None:
    language = load_language(name)
    assert language.name == name
    for record in records(language):
        for field in fields(record):
            value = getattr(record, field.name)
            if isinstance(value, Wording):
                assert value.search("\0") is None or value.fullmatch("\0"), f"{field.name} matches anything"
            else:
                assert value or field.name == "leaning", f"{field.name} is empty"
    for rule in language.notices.rules:
        assert rule.decisive.fullmatch("") is None
    assert [Kind(kind) for kind, _ in language.questions.kinds]
    assert set(language.questions.asked_for) == set(Kind)
    assert len(language.dates.months) == 12
    assert len(language.dates.weekdays) == 7


def test_every_language_that_has_a_file_is_offered() -> None:
    def is_language(name: str) -> bool:
        try:
            return load_language(name).name == name
        except SettingsError:
            return False

    assert {m.name for m in pkgutil.iter_modules(rag.text.__path__) if is_language(m.name)} == set(LANGUAGES)


@pytest.mark.parametrize("name", ["klingon", "terms", "", "../english"])
def test_an_unknown_language_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="no language"):
        load_language(name)


def test_words_and_names_are_those_of_the_language() -> None:
    assert terms("Die Gründe der Prüfungen", GERMAN) == ["grund", "prufung"]
    assert names_in("Frau. Kühn kam. Die Stadt Köln", GERMAN) == ["Frau Kühn", "Stadt Köln"]
    assert name_parts("Herr Kühn", GERMAN) == {"kühn"}
    assert denies("Sie kamen nicht", GERMAN)
    assert not denies("Sie kamen not", GERMAN)
    assert states_reason("geschlossen wegen Nässe", GERMAN)


def test_dates_are_those_of_the_language() -> None:
    assert [iso for _, _, iso in dates_in("am 3. März 2017, 4. mär. 2018, 3 March 2017", GERMAN)] == [
        "2017-03-03",
        "2018-03-04",
    ]
    assert long_date("2017-03-22", GERMAN) == "22 März 2017"
    document = Document("d", "/d.txt", "", "text/plain", "Text", title="Titel", date="2017-12")
    assert passage_header(document, Passage("d", 0, 4, "Text"), GERMAN) == "Titel | Dezember 2017"


def test_a_question_is_parsed_in_its_language() -> None:
    weights = TermWeights(lambda text: terms(text, GERMAN), lambda term: 0, 9)
    question = parse("Wer war Direktor Stand März 2016", weights, max_chars=99, language=GERMAN)
    assert (question.kind, question.as_of, question.plain) == (
        Kind.WHO,
        "2016-03-31",
        "Wer war Direktor im März 2016",
    )
    assert question.unknown == ("Direktor", "im", "März", "2016")
    assert why_weak(Kind.WHO, language=question.language).split(" clearly states ")[1] == (
        "wer es war; this is the nearest."
    )
    assert can_answer(Kind.HOW_MANY, "drei Stellen", GERMAN)
    assert not can_answer(Kind.HOW_MANY, "three", GERMAN)


def test_what_makes_two_passages_differ_is_of_the_language() -> None:
    text = "der Rat der Stadt beschloss am Ende des Jahres den Dienst wieder selbst zu leisten und"
    assert near_equal(text + " bald", text + " bald not", GERMAN)
    assert not near_equal(text + " bald", text + " bald nicht", GERMAN)


def test_a_language_without_words_for_follow_ups_asks_them_as_typed() -> None:
    assert not complete("and in 2007?", [Earlier("how high in 2015?")], GERMAN).changed


def test_question_words_are_never_taken_for_misspelt() -> None:
    vocabulary = Vocabulary(["They did wear the whole dress, and shoes."])
    assert spellings("whose shoees", lambda term: 0, vocabulary) == [("shoees", "shoes")]
    assert spellings("shouldn't", lambda term: 0, Vocabulary(["shoulder"])) == []
