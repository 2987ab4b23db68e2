"""Dates as people write them."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.dates import dates_in, relative_dates_in, seasons_in, stated_date


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
        "Issue 1, June 1994",
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


@pytest.mark.parametrize(
    ("text", "date", "told"),
    [
        ("It closed last October.", "2017-03-22", "2016-10"),
        ("It closed last October.", "2017-10-02", "2016-10"),
        ("It closed last October.", "2017-11", "2017-10"),
        ("Last year's report said so.", "2017", "2016"),
        ("It opens this May or never.", "2017-03-22", "2017-05"),
        ("It opens this year.", "2017-03", "2017"),
        ("It opens next year.", "2017-12-31", "2018"),
        ("It opens next month.", "2017-12-31", "2018-01"),
        ("It closed last month.", "2017-01-01", "2016-12"),
    ],
)
def test_a_time_is_counted_from_the_date_as_far_as_both_say(text: str, date: str, told: str) -> None:
    assert [iso for _, _, iso in relative_dates_in(text, date)] == [told]


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("It closed last October.", "2017"),  # before or after it?
        ("It closed last month.", "2017"),
        ("In the last year it closed twice.", "2017-03-22"),  # twelve months
        ("It was her last year at school.", "2017-03-22"),
        ("It opens next October.", "2017-03-22"),
        ("It closed last summer.", "2017-03-22"),  # another one in the south
        ("At last may I say that this may be so.", "2017-03-22"),
        ("It closed last October 3.", "2017-03-22"),
        ("At last, October came.", "2017-03-22"),
    ],
)
def test_what_may_be_another_time_is_not_told(text: str, date: str) -> None:
    assert relative_dates_in(text, date) == []


def test_of_a_season_the_year_is_kept() -> None:
    assert [year for _, _, year in seasons_in("Spring 2017, Winter 2018/19, summer of 2019, 2020")] == [
        "2017",
        "2018",
    ]
    assert stated_date("Autumn 2016") == "2016"
