"""Naming a document, and the lines around a place in it."""

from __future__ import annotations

import hand_made
import pytest

from rag.errors import DocumentNotFoundError
from rag.store.lookup import Named, around, find_path, parse_name

PATHS = ["/d/minutes/2016.md", "/d/minutes/2017.md", "/d/letter.txt", "/d/old/letter.txt"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a.txt", Named("a.txt")),
        ("a.txt:12", Named("a.txt", None, 12)),
        ("a.pdf:p3", Named("a.pdf", 3)),
        ("a.pdf:p3:12", Named("a.pdf", 3, 12)),
        ("a:b.txt", Named("a:b.txt")),
    ],
)
def test_a_name_may_carry_a_page_and_a_line(text: str, named: Named) -> None:
    assert parse_name(text) == named


def test_a_path_that_ends_like_a_place_is_taken_as_it_is() -> None:
    assert parse_name("talk:12", ["/d/talk:12"]) == Named("talk:12")


def test_a_document_is_found_by_path_by_name_by_end_and_by_part() -> None:
    assert find_path("/d/letter.txt", PATHS) == "/d/letter.txt"
    assert find_path("2016.md", PATHS) == "/d/minutes/2016.md"
    assert find_path("2017", PATHS) == "/d/minutes/2017.md"
    assert find_path("old/letter.txt", PATHS) == "/d/old/letter.txt"
    assert find_path("OLD", PATHS) == "/d/old/letter.txt"


def test_a_name_that_fits_several_lists_them() -> None:
    with pytest.raises(DocumentNotFoundError, match=r"2 documents go by the name 'letter\.txt'") as caught:
        find_path("letter.txt", PATHS)
    assert "/d/letter.txt" in caught.value.hint
    assert "/d/old/letter.txt" in caught.value.hint


def test_a_name_that_fits_none_lists_the_nearest() -> None:
    with pytest.raises(DocumentNotFoundError, match="no document in the store") as caught:
        find_path("lettre.txt", PATHS)
    assert "letter.txt" in caught.value.hint


def test_the_lines_around_a_line_are_numbered_and_it_is_marked() -> None:
    lines = around(hand_made.NOTE, Named("note.txt", None, 3), 1)
    assert [(line.number, line.wanted) for line in lines] == [(2, False), (3, True), (4, False)]
    assert lines[1].text.startswith("In February 2022")


def test_without_a_place_the_whole_document_is_given() -> None:
    assert "\n".join(line.text for line in around(hand_made.NOTE, Named("x"), 1)) == hand_made.NOTE.text


def test_lines_of_a_paged_document_are_numbered_page_by_page() -> None:
    lines = around(hand_made.REVIEW, Named("x", 2), 1)
    assert [(line.page, line.number, line.text) for line in lines] == [
        (1, 2, "The trust ran services from October 2014."),
        (2, 1, "Staff"),
        (2, 2, "Pay stayed the same."),
    ]


def test_a_place_past_the_end_is_refused_with_where_the_end_is() -> None:
    with pytest.raises(DocumentNotFoundError, match="has no line 99; it ends at line 7"):
        around(hand_made.NOTE, Named("x", None, 99), 1)
    with pytest.raises(DocumentNotFoundError, match="has no page 3; it ends at page 2"):
        around(hand_made.REVIEW, Named("x", 3), 1)
