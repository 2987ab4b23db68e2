"""Full dates written in text: 22 March 2017, March 22nd, 2017, 2017-03-22, 22/03/2017.

Only whole dates count (day, month and year): half a date is no date. Nothing here knows what a document is.
"""

from __future__ import annotations

import datetime
import re

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
