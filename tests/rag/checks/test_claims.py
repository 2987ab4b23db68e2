"""What of a text is looked up, and where it stands in it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.checks.claims import MAX_WORDS, ClaimKind, claims_in
from rag.text.wordmatch import words


def quotations(text: str) -> list[str]:
    return [claim.words for claim in claims_in(text) if claim.kind is ClaimKind.QUOTATION]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('He said "it closed" then.', ["it closed"]),
        ("He said “it closed” then.", ["it closed"]),
        ("He said «it closed» then.", ["it closed"]),
        ("Er sagte „it closed“ dann.", ["it closed"]),
        ("Er sagte »it closed« dann.", ["it closed"]),
        ("He said ‘the trust’s staff’ then.", ["the trust’s staff"]),
        ("He said 'the trust's staff' then.", ["the trust's staff"]),
        ("Don't, won't, the boys' own.", []),
        ('A 5" pipe and a 6" pipe.', []),
        ("“He said ‘it closed’ then”", ["He said ‘it closed’ then"]),
        ("“One.\n\n“Two.”", ["One.", "Two."]),
        ("> It *closed*\n> in May.\n>\n> — Minutes", ["It closed\nin May."]),
        ("> “It closed”\n", ["It closed"]),
        ('`"code"` and <!-- "hidden" --> and\n```\n"fenced"\n```\n', []),
        ('"..."', []),
        ("", []),
    ],
)
def test_a_quotation_is_what_stands_between_its_marks(text: str, expected: list[str]) -> None:
    assert quotations(text) == expected


def test_what_stands_inside_a_quotation_is_looked_up_with_it_alone() -> None:
    claims = claims_in('"Mr Ray paid £5m in May 2019," said Ann Lee.')
    assert [(claim.kind.value, claim.words) for claim in claims] == [
        ("quotation", "Mr Ray paid £5m in May 2019,"),
        ("name", "Ann Lee"),
    ]


def test_numbers_of_a_list_and_words_of_a_heading_are_no_claims() -> None:
    assert claims_in("# The Trust And Council\n\n1. it closed\n2.3 it opened\n") == []


def test_a_claim_knows_its_line_and_its_characters() -> None:
    text = "one\n\nIt was “shut\ndown” there."
    (claim,) = claims_in(text)
    assert (claim.line, text[claim.start : claim.end], text[: claim.after][-1]) == (3, "shut\ndown", "”")


def test_a_long_quotation_is_cut_at_sentences_and_loses_no_word() -> None:
    said = " ".join(f"This is sentence number {n} of many." for n in range(200))
    pieces = quotations(f"“{said}”")
    assert max(len(words(piece)) for piece in pieces) <= MAX_WORDS
    assert " ".join(pieces) == said


@given(st.text(alphabet="\"'“”‘’«»>*_`\\[]()#-\n .aA1£", max_size=80))
def test_any_text_has_claims_inside_it_in_their_order(text: str) -> None:
    claims = claims_in(text)
    assert all(0 <= one.start < one.end <= one.after <= len(text) for one in claims)
    assert [one.start for one in claims] == sorted(one.start for one in claims)


@pytest.mark.parametrize(
    "unit", ["'a ", '" "', "“a ", "<!--", "`a ", "[^", "» a", "‘a’b ", "](", "A of ", "1 "]
)
def test_time_grows_no_faster_than_the_text(unit: str) -> None:
    def seconds(n: int) -> float:
        start = time.process_time()
        claims_in(unit * n)
        return time.process_time() - start

    less, more = (min(seconds(n) for _ in range(3)) for n in (1500, 12_000))
    assert more < 28 * max(less, 0.005)  # 8 times when linear, 64 times when quadratic
