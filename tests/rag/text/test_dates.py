"""Dates as people write them."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.dates import dates_in


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("22 March 2017", "2017-03-22"),
        ("| 22 March 2017", "2017-03-22"),
        ("Friday, November 27, 2015", "2015-11-27"),
        ("By Laura Benson / 3 October 2014", "2014-10-03"),
        ("1st March 2019", "2019-03-01"),
        ("the 2nd of May, 2019", "2019-05-02"),
        ("Updated 08 Sep 2022, 6.40am", "2022-09-08"),
        ("Sept. 8, 2022", "2022-09-08"),
        ("2019-10-17", "2019-10-17"),
        ("2024-11-14T09:30:00+00:00", "2024-11-14"),
        ("12/04/2016", "2016-04-12"),
        ("04/13/2016", "2016-04-13"),
        ("12.04.2016", "2016-04-12"),
    ],
)
def test_this_is_a_date(text: str, iso: str) -> None:
    assert [found for _, _, found in dates_in(text)] == [iso]


@pytest.mark.parametrize(
    "text",
    [
        "31 June 2020",
        "March 2013",
        "in 2016",
        "57 at January 2016",
        "1.2.3",
        "2016-17",
        "12/2016",
        "may 20 2",
        "",
    ],
)
def test_this_is_none(text: str) -> None:
    assert dates_in(text) == []


@given(st.dates(datetime.date(1500, 1, 1), datetime.date(2099, 12, 31)))
def test_every_day_is_read_back_in_every_form(day: datetime.date) -> None:
    month = day.strftime("%B")
    for text in (f"{day.day} {month} {day.year}", f"{month} {day.day}, {day.year}", day.isoformat()):
        assert [iso for _, _, iso in dates_in(text)] == [day.isoformat()]
