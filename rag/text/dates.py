"""Full dates written in text: 22 March 2017, March 22nd, 2017, 2017-03-22, 22/03/2017.

Only whole dates count (day, month and year): half a date is no date. Nothing here knows what a document is.
"""

from __future__ import annotations

import calendar
import datetime
import re

from rag.errors import UsageError

_MONTHS = ("january february march april may june july august september october november december").split()
_MONTH = "(?P<month{0}>" + "|".join([*_MONTHS, *(name[:3] + "\\.?" for name in _MONTHS), "sept\\.?"]) + ")"
_YEAR = "(?P<year{0}>(?:1[5-9]|20)\\d\\d)"
_DAY = "(?P<day{0}>[0-3]?\\d)"
_WEEKDAY = r"\b(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\b\.?"
_CLOCK = r"\b\d{1,2}(?:[.:]\d\d){1,2}\s*(?:[ap]\.?m\.?)?(?:\s*(?:GMT|BST|UTC|Z))?|\b\d{1,2}\s*[ap]\.?m\b\.?"


def _forms() -> re.Pattern[str]:
    day_first = rf"\b{_DAY}(?:st|nd|rd|th)?(?:\s+of)?[\s,-]+{_MONTH},?[\s,-]+{_YEAR}\b".replace("{0}", "A")
    month_first = rf"\b{_MONTH}\s+{_DAY}(?:st|nd|rd|th)?,?\s+{_YEAR}\b".replace("{0}", "B")
    zone = r"(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?"
    iso = rf"(?<![\d-]){_YEAR}-(?P<month{{0}}>[01]\d)-{_DAY}(?![\d-]){zone}".replace("{0}", "C")
    slashes = rf"(?<![\d/.]){_DAY}(?P<mark>[/.])(?P<month{{0}}>[01]?\d)(?P=mark){_YEAR}(?![\d/])".replace(
        "{0}", "D"
    )
    return re.compile(f"(?:{day_first})|(?:{month_first})|(?:{iso})|(?:{slashes})", re.IGNORECASE)


_DATE = _forms()
_SIDE = re.compile(rf"{_WEEKDAY}|{_CLOCK}|[\s|·•,;:/()\[\]*_–—-]+", re.IGNORECASE)


def _iso(match: re.Match[str]) -> str | None:
    form = next(form for form in "ABCD" if match[f"year{form}"])
    year, month_word, day = match[f"year{form}"], match[f"month{form}"].lower(), int(match[f"day{form}"])
    if month_word.isdigit():
        month = int(month_word)
        if form == "D" and month > 12 >= day:  # month/day/year cannot be read any other way
            month, day = day, month
    else:
        month = next(number for number, name in enumerate(_MONTHS, 1) if name[:3] == month_word[:3])
    try:
        return datetime.date(int(year), month, day).isoformat()
    except ValueError:
        return None


def dates_in(text: str) -> list[tuple[int, int, str]]:
    """Every whole date in a text as (start, end, ISO 8601), in order; impossible dates are passed over.

    ``12/04/2016`` is read day first, unless only the other reading is a date.

    >>> dates_in("| 22 March 2017")
    [(2, 15, '2017-03-22')]
    >>> [iso for _, _, iso in dates_in("Friday, November 27, 2015; 08 Sep 2022; 31 June 2020; 12/04/2016")]
    ['2015-11-27', '2022-09-08', '2016-04-12']
    """
    found = ((match.start(), match.end(), _iso(match)) for match in _DATE.finditer(text))
    return [(start, end, iso) for start, end, iso in found if iso is not None]


def around_date(line: str) -> str | None:
    """What a line says beside its first date, weekday, hour and separators; None where there is no date.

    >>> around_date("| 22 March 2017")
    ''
    >>> around_date("Updated 08 Sep 2022, 6.40am")
    'Updated'
    >>> around_date("No date") is None
    True
    """
    dates = dates_in(line)
    if not dates:
        return None
    start, end, _ = dates[0]
    return _SIDE.sub(" ", f"{line[:start]} {line[end:]}").strip()


def long_date(iso: str) -> str:
    """An ISO date as people write it, so that "in March 2017" finds a document dated 2017-03-22.

    >>> long_date("2017-03-22"), long_date("2017-03"), long_date("2017")
    ('22 March 2017', 'March 2017', '2017')
    """
    parts = [int(part) for part in iso.split("-")]
    if len(parts) == 1:
        return iso
    month = f"{datetime.date(parts[0], parts[1], 1):%B} {parts[0]}"
    return month if len(parts) == 2 else f"{parts[2]} {month}"


_NAMED_YEAR = re.compile(r"\b(1[89]\d\d|20\d\d)\b")


def years_in(text: str) -> set[str]:
    """The years named in a text.

    >>> sorted(years_in("from 2015 to 2017, 300 people"))
    ['2015', '2017']
    """
    return set(_NAMED_YEAR.findall(text))


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
    raise UsageError(f"not a date: {date!r}", "write it as 2016, 2016-03 or 2016-03-22")
