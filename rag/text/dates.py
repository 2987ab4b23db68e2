"""Dates written in text: 22 March 2017, March 22nd, 2017, 2017-03-22, 22/03/2017; March 2017, spring 2017.

In running text only whole dates count (day, month and year); a month or a season alone counts where a
document says its own date. "Last October" and "last year" are counted from a date that the caller knows.
Nothing here knows what a document is.
"""

from __future__ import annotations

import calendar
import datetime
import re
from functools import cache

from rag.errors import UsageError
from rag.text.english import ENGLISH
from rag.text.language import Language

_YEAR = "(?P<year{0}>(?:1[5-9]|20)\\d\\d)"
_DAY = "(?P<day{0}>[0-3]?\\d)"


@cache
def _whole_date(language: Language) -> re.Pattern[str]:
    """A date in one of four forms, A to D; each has groups of its own, named with its letter."""
    words = language.dates
    month = "|".join([*map(re.escape, words.months), *(f"{short}\\.?" for short in words.short_months)])
    month = f"(?P<month{{0}}>{month})"
    ending = f"(?:{words.day_ending})?"
    # No comma after the day: "Issue 1, June 1994" names no day.
    day_first = rf"\b{_DAY}{ending}(?:{words.day_to_month})?[\s-]+{month},?[\s,-]+{_YEAR}\b"
    month_first = rf"\b{month}\s+{_DAY}{ending},?\s+{_YEAR}\b"
    zone = r"(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?"
    iso = rf"(?<![\d-]){_YEAR}-(?P<month{{0}}>[01]\d)-{_DAY}(?![\d-]){zone}"
    slashes = rf"(?<![\d/.]){_DAY}(?P<mark>[/.])(?P<month{{0}}>[01]?\d)(?P=mark){_YEAR}(?![\d/])"
    forms = zip("ABCD", (day_first, month_first, iso, slashes), strict=True)
    return re.compile("|".join(f"(?:{form.replace('{0}', letter)})" for letter, form in forms), re.IGNORECASE)


@cache
def _beside_date(language: Language) -> re.Pattern[str]:
    """Weekdays, hours and separators."""
    days = "|".join(sorted((*language.dates.weekdays, *language.dates.short_weekdays), key=len, reverse=True))
    return re.compile(rf"\b(?:{days})\b\.?|{language.dates.clock}|[\s|·•,;:/()\[\]*_–—-]+", re.IGNORECASE)


@cache
def _months(language: Language) -> dict[str, int]:
    """The number of every month by its names, in small letters."""
    whole = {month.casefold(): number for number, month in enumerate(language.dates.months, 1)}
    return {**language.dates.short_months, **whole}


def month_number(word: str, language: Language = ENGLISH) -> int | None:
    """The number of a month by its name or its short form, or None.

    >>> month_number("March"), month_number("sept."), month_number("soon")
    (3, 9, None)
    """
    return _months(language).get(word.casefold().rstrip("."))


def _iso(match: re.Match[str], language: Language) -> str | None:
    form = next(form for form in "ABCD" if match[f"year{form}"])
    year, month_word, day = match[f"year{form}"], match[f"month{form}"], int(match[f"day{form}"])
    month = int(month_word) if month_word.isdigit() else month_number(month_word, language)
    if form == "D" and month and month > 12 >= day:  # month/day/year cannot be read any other way
        month, day = day, month
    try:
        return datetime.date(int(year), month or 0, day).isoformat()
    except ValueError:
        return None


def dates_in(text: str, language: Language = ENGLISH) -> list[tuple[int, int, str]]:
    """Every whole date in a text as (start, end, ISO 8601), in order; impossible dates are passed over.

    ``12/04/2016`` is read day first, unless only the other reading is a date.

    >>> dates_in("| 22 March 2017")
    [(2, 15, '2017-03-22')]
    >>> [iso for _, _, iso in dates_in("Friday, November 27, 2015; 08 Sep 2022; 31 June 2020; 12/04/2016")]
    ['2015-11-27', '2022-09-08', '2016-04-12']
    """
    matches = _whole_date(language).finditer(text)
    dates = ((match.start(), match.end(), _iso(match, language)) for match in matches)
    return [(start, end, iso) for start, end, iso in dates if iso is not None]


@cache
def _month_and_year(language: Language) -> re.Pattern[str]:
    names = "|".join(map(re.escape, sorted(_months(language), key=len, reverse=True)))
    return re.compile(rf"(?<!\d\s)\b(?P<month>{names})\b\.?,?\s+(?P<year>(?:1[5-9]|20)\d\d)\b", re.IGNORECASE)


def months_in(text: str, language: Language = ENGLISH) -> list[tuple[int, int, str]]:
    """Every month of a year that a text names without a day, as (start, end, ISO 8601), in order.

    >>> months_in("| March 2017, Sept. 2018, 3 May 2019")
    [(2, 12, '2017-03'), (14, 24, '2018-09')]
    """
    return [
        (match.start(), match.end(), f"{match['year']}-{month_number(match['month'], language):02}")
        for match in _month_and_year(language).finditer(text)
    ]


@cache
def _season_and_year(language: Language) -> re.Pattern[str]:
    names = "|".join(map(re.escape, language.dates.seasons))
    year = r"(?P<year>(?:1[5-9]|20)\d\d)"
    return re.compile(rf"\b(?:{names}),?\s+{year}(?:\s?[/–-]\s?\d{{2,4}})?\b", re.IGNORECASE)


def seasons_in(text: str, language: Language = ENGLISH) -> list[tuple[int, int, str]]:
    """Every season of a year that a text names, as (start, end, year), in order.

    The year is all that is sure: spring has other months in the south than in the north.

    >>> seasons_in("Newsletter | Spring 2017, winter 2018/19")
    [(13, 24, '2017'), (26, 40, '2018')]
    """
    return [
        (match.start(), match.end(), match["year"]) for match in _season_and_year(language).finditer(text)
    ]


@cache
def _relative(language: Language) -> re.Pattern[str]:
    words = language.dates
    months = "|".join(map(re.escape, words.months))  # as they are written: "this may" is no month
    steps = "|".join(map(re.escape, words.steps))
    what = rf"(?P<year>{words.year_word})|(?P<month>{words.month_word})|(?P<named>{months})"
    return re.compile(rf"\b(?P<step>(?i:{steps}))\s+(?:{what})\b(?!\s+\d)")


def relative_dates_in(text: str, date: str, language: Language = ENGLISH) -> list[tuple[int, int, str]]:
    """The months and years that a text of an ISO date names from that date, as (start, end, ISO 8601).

    "Last October" is the one before the month of the date, "this October" that of its year. "Next October"
    can be two of them and is passed over; so are "last summer", which is another one in the south, and "the
    last year", which may be twelve months. From a year alone only years are told.

    >>> text = "It closed last October, as it did last year. In the last year this may change next month."
    >>> [(text[start:end], iso) for start, end, iso in relative_dates_in(text, "2017-03-22")]
    [('last October', '2016-10'), ('last year', '2016'), ('next month', '2017-04')]
    >>> relative_dates_in("It closed last October.", "2017")
    []
    """
    dated = list[tuple[int, int, str]]()
    year = int(date[:4])
    month = int(date[5:7]) if len(date) >= 7 else None
    for match in _relative(language).finditer(text):
        before = text[max(0, match.start() - 20) : match.start()].split()
        if before and before[-1].strip("(“‘\"'").casefold() in language.dates.no_step:
            continue
        step = language.dates.steps[match["step"].casefold()]
        if match["year"]:
            iso = f"{year + step}"
        elif month is None:
            continue
        elif match["month"]:
            since, place = divmod(month - 1 + step, 12)
            iso = f"{year + since}-{place + 1:02}"
        else:
            named = month_number(match["named"], language) or 0
            if step > 0:
                continue
            iso = f"{year - (step < 0 and named >= month)}-{named:02}"
        dated.append((match.start(), match.end(), iso))
    return dated


def stated_date(text: str, language: Language = ENGLISH) -> str | None:
    """The date that a field for one states: a day, else a month, else a year; None for anything else.

    Of a season only its year is kept.

    >>> stated_date("22 March 2017"), stated_date("March 2017"), stated_date("2017-03"), stated_date("2017")
    ('2017-03-22', '2017-03', '2017-03', '2017')
    >>> stated_date("2017-13"), stated_date("soon")
    (None, None)
    """
    found = dates_in(text, language) or months_in(text, language) or seasons_in(text, language)
    if found:
        return found[0][2]
    plain = text.strip()
    return plain if re.fullmatch(r"(?:1[5-9]|20)\d\d(?:-(?:0[1-9]|1[0-2]))?", plain) else None


def around_date(line: str, language: Language = ENGLISH) -> str | None:
    """What a line says beside its first date, weekday, hour and separators; None where there is no date.

    >>> around_date("| 22 March 2017")
    ''
    >>> around_date("Updated 08 Sep 2022, 6.40am")
    'Updated'
    >>> around_date("No date") is None
    True
    """
    dates = dates_in(line, language)
    if not dates:
        return None
    start, end, _ = dates[0]
    return _beside_date(language).sub(" ", f"{line[:start]} {line[end:]}").strip()


def long_date(iso: str, language: Language = ENGLISH) -> str:
    """An ISO date as people write it, so that "in March 2017" finds a document dated 2017-03-22.

    >>> long_date("2017-03-22"), long_date("2017-03"), long_date("2017")
    ('22 March 2017', 'March 2017', '2017')
    """
    parts = [int(part) for part in iso.split("-")]
    if len(parts) == 1:
        return iso
    month = f"{language.dates.months[parts[1] - 1]} {parts[0]}"
    return month if len(parts) == 2 else f"{parts[2]} {month}"


_NAMED_YEAR = re.compile(r"\b(1[89]\d\d|20\d\d)\b")


def years_in(text: str) -> set[str]:
    """The years named in a text.

    >>> sorted(years_in("from 2015 to 2017, 300 people"))
    ['2015', '2017']
    """
    return set(_NAMED_YEAR.findall(text))


_HINT = "write it as 2016, 2016-03 or 2016-03-22"


def checked_date(date: str, name: str) -> str:
    """An ISO date, month or year as it was given; UsageError that says ``name`` for anything else.

    >>> checked_date("2016-03", "after")
    '2016-03'
    """
    if re.fullmatch(r"\d{4}(-\d{2}(-\d{2})?)?", date, re.ASCII):
        try:
            last_day(date)
            return date
        except UsageError:
            pass
    raise UsageError(f"{name}: expected a date, got {date!r}", _HINT)


def last_day(date: str) -> str:
    """The last day an ISO date, month or year covers. Raises UsageError for anything else.

    >>> last_day("2016"), last_day("2016-02"), last_day("2016-02-03")
    ('2016-12-31', '2016-02-29', '2016-02-03')
    """
    match = re.fullmatch(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?", date.strip())
    if match:
        year, month = int(match[1]), int(match[2] or 12)
        if year and 1 <= month <= 12:
            length = calendar.monthrange(year, month)[1]
            day = int(match[3] or length)
            if 1 <= day <= length:
                return f"{year:04}-{month:02}-{day:02}"
    raise UsageError(f"not a date: {date!r}", _HINT)
