"""Copies are found, and passages that differ in a fact are none."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.passages.duplicates import groups, near_equal

LONG = (
    "The sufficiency strategy is informed by a detailed analysis of needs. Ambitious approaches, supported "
    "by the Trust and the council, are being developed to meet the needs of children. The numbers of them "
    "with three or more moves have reduced from 57 at January 2016 to 39 at January 2017, and "
    "performance is improved and good."
)


def test_case_spaces_quotes_and_punctuation_do_not_count() -> None:
    assert groups(["“The Trust’s plan”, he said.", "other", "the  trust's plan he said", "OTHER!"]) == [
        0,
        1,
        0,
        1,
    ]


def test_a_tail_of_plain_words_does_not_count() -> None:
    assert groups([LONG, LONG + " it said"]) == [0, 0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2016", "2015"),
        ("57", "58"),
        ("are being", "are not being"),
        ("the Trust", "the Board"),
        ("reduced", "increased"),
        ("improved and good", "improved and inadequate"),
        ("three or more", "four or more"),
        ("to 39 at January 2017", "at January 2017"),
        ("January 2017", "June 2017"),
    ],
)
def test_a_differing_fact_makes_them_two(old: str, new: str) -> None:
    assert old in LONG
    assert groups([LONG, LONG.replace(old, new)]) == [0, 1]


def test_names_that_change_places_make_them_two() -> None:
    text = "In the final before a crowd of many thousands the team from Barnsley beat Rotherham " * 2
    assert not near_equal(text, text.replace("Barnsley beat Rotherham", "Rotherham beat Barnsley"))


def test_a_spelling_does_not_make_them_two() -> None:
    assert near_equal(LONG + " They organise it.", LONG + " They organize it.")


def test_short_passages_are_copies_only_when_equal() -> None:
    assert groups(["It was rated good by all.", "It was rated good by them all."]) == [0, 1]


@given(st.lists(st.text(alphabet="ab .", max_size=12)))
def test_a_group_is_led_by_its_first_member(texts: list[str]) -> None:
    found = groups(texts)
    assert all(leader <= row and found[leader] == leader for row, leader in enumerate(found))


def test_a_shuffled_thousand_finds_every_copy() -> None:
    rng = random.Random(1)
    words = [f"w{chr(97 + a)}{chr(97 + b)}" for a in range(26) for b in range(26)]
    originals = [" ".join(rng.choices(words, k=60)) for _ in range(500)]
    copies = [text + " indeed so" for text in originals]
    assert groups(originals + copies) == [*range(500), *range(500)]
