"""Sentences: exact, complete, and not fooled by abbreviations or quotation marks."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.sentences import sentences


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@given(
    st.one_of(
        st.text(),
        st.lists(
            st.sampled_from(
                [
                    "Mr. ",
                    "He left. ",
                    "“No.” ",
                    "\n",
                    "\n\n",
                    "- a ",
                    "😀 ",
                    "e.g. ",
                    "£6.5m. ",
                    "It’s ",
                    "\u00a0",
                ]
            )
        ).map("".join),
    )
)
def test_sentences_are_in_order_apart_trimmed_and_cover_everything(text: str) -> None:
    pairs = sentences(text)
    assert all(start < end and text[start:end] == text[start:end].strip() for start, end in pairs)
    assert all(before[1] <= after[0] for before, after in pairwise(pairs))
    kept = "".join(text[start:end] for start, end in pairs)
    assert "".join(kept.split()) == "".join(text.split())


@pytest.mark.parametrize(
    "text",
    [
        "Cllr. Jones met Mr. Smith and Dr. Lee of St. Mary’s.",
        "See No. 5 on p. 7, fig. 2, e.g. the trust, i.e. DCST.",
        "It paid £6.5m to cover the VAT.",
        "It opened at 9.30 a.m. and closed at 5 p.m. on weekdays.",
        "J. Smith and A. B. Jones were there.",
        "“Is it right?” asked Mr Moffat.",
        "“It was the right one!” she said.",
        "A rise of 6.7% was seen, against 0.8 to 2 per cent.",
    ],
)
def test_this_is_one_sentence(text: str) -> None:
    assert cut(text) == [text]


@pytest.mark.parametrize(
    "parts",
    [
        ["He said “no.”", "Then he left."],
        ["“We knew it.", "All of us,” he said."],
        ["Was it good?", "It was!", "So they say…", "And more."],
        ["The answer was no.", "He left."],
        ["It happened in 2017.", "57 children moved."],
        ["It was “good”.", "“Better than good,” she said."],
    ],
)
def test_these_are_sentences(parts: list[str]) -> None:
    assert cut(" ".join(parts)) == parts


def test_a_quotation_mark_after_the_full_stop_belongs_to_the_sentence() -> None:
    assert cut("“We are on track.” The trust agreed.")[0] == "“We are on track.”"


def test_items_rows_and_short_lines_end_a_sentence() -> None:
    assert cut("Areas:\n- planning\n- the school") == ["Areas:", "- planning", "- the school"]
    assert cut("| a | b |\n| c | d |") == ["| a | b |", "| c | d |"]
    assert cut("Civic Office\nDoncaster\nDN1 3BU") == ["Civic Office", "Doncaster", "DN1 3BU"]


def test_a_wrapped_line_does_not_end_a_sentence() -> None:
    text = "The authority and the trust continue to make good\nprogress in improving services."
    assert cut(text) == [text]


def test_a_sentence_over_a_page_break_is_one() -> None:
    text = "There is sensitive work on identity, and there is\n\nalso effective work on contact."
    assert cut(text) == [text]


def test_positions_count_characters_and_not_bytes() -> None:
    text = "😀 “É” is £1. Naïve ones fail."
    assert sentences(text) == [(0, 12), (13, 29)]
