"""Figures: what they measure, what they count, and when two spellings are one figure."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.figures import Measure, figures_in


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("£6.5m", "£6.5 million"),
        ("£6,500", "£6500"),
        ("45%", "45 per cent"),
        ("31 posts", "thirty-one posts"),
        ("1 September 2022", "September 1, 2022"),
        ("2022-09-01", "1 September 2022"),
        ("2017-18", "2017–18"),
        ("10 million pounds", "£10m"),
        ("received 1940 requests", "1,940 requests"),
    ],
)
def test_two_spellings_of_one_figure_are_the_same(here: str, there: str) -> None:
    (left,), (right,) = figures_in(here), figures_in(there)
    assert left.is_same(right)
    assert right.is_same(left)


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("£6.5m", "€6.5m"),
        ("45%", "45"),
        ("March 2016", "March 2017"),
        ("31 posts", "30 posts"),
        ("2017-18", "2017"),
        ("2017-18", "2017-19"),
    ],
)
def test_two_figures_are_not_the_same(here: str, there: str) -> None:
    (left,), (right,) = figures_in(here), figures_in(there)
    assert not left.is_same(right)


def test_a_year_after_a_word_of_time_is_a_date_and_before_a_noun_else_a_count() -> None:
    assert [one.measure for one in figures_in("in 2016 children moved")] == [Measure.DATE]
    assert [one.measure for one in figures_in("received 2016 requests")] == [Measure.COUNT]


def test_what_is_counted_ends_at_a_function_word() -> None:
    assert [one.unit for one in figures_in("24 vacant posts at the end, 3 of them")] == ["vacant posts", ""]


@given(st.text(alphabet="0123456789,.£$%- MayJune/two hundred\n\0", max_size=50))
def test_any_text_has_figures_inside_it_and_none_overlap(text: str) -> None:
    found = figures_in(text)
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(one.end <= other.start for one, other in pairwise(found))
