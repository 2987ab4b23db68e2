"""Figures in a text with what they measure: money, shares, dates, counts of something."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache

from rag.text.dates import dates_in, month_number
from rag.text.english import ENGLISH
from rag.text.language import Language


class Measure(StrEnum):
    """What a figure is a figure of."""

    MONEY = "money"
    SHARE = "per cent"
    DATE = "date"
    COUNT = "number"


Day = tuple[int | None, int | None, int | None]  # year, month, day; None: not said


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure at characters ``start``..``end``; ``unit`` are the words that follow it at once.

    ``sign`` is the currency of money. ``value`` is of numbers, ``day`` of dates; of "2017-18" the day holds
    the first year and the value the last two digits.
    """

    start: int
    end: int
    measure: Measure
    value: Decimal | None = None
    day: Day | None = None
    sign: str = ""
    unit: str = ""

    def is_same(self, other: Figure) -> bool:
        """Whether the other says this figure, in whatever spelling; a date may say more than this one.

        >>> here, there = figures_in("in March 2016; on 31 March 2016")
        >>> here.is_same(there), there.is_same(here)
        (True, False)
        """
        if self.measure is not other.measure or self.sign != other.sign:
            return False
        if self.day is not None and other.day is not None:
            same_day = all(mine in (None, its) for mine, its in zip(self.day, other.day, strict=True))
            return same_day and self.value in (None, other.value)
        return self.value == other.value


_YEAR = r"(?:1[5-9]|20)\d\d"
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_NEXT_WORD = re.compile(r"[ \u00a0-]([^\W\d_]+(?:['’-][^\W\d_]+)*)")


@cache
def _figure_pattern(language: Language) -> re.Pattern[str]:
    """Parts of dates, years, money, numbers in digits, numbers in words; each with groups of its own."""
    dates, known = language.dates, language.figures
    short = sorted({name.capitalize() for name in dates.short_months}, key=len, reverse=True)
    month = "(?:" + "|".join([*dates.months, *(rf"{name}\b\.?" for name in short)]) + ")"
    day = rf"(?:{dates.day_ending})?"
    scale = "|".join(sorted(known.scales, key=len, reverse=True))
    scale = r"(?:\s?(?P<{}>" + scale + r")\b)?"
    share = rf"(?P<{{}}>\s?%|\s(?:{language.percent})\b)?"
    written = [*known.spelled, *(name for name in known.scales if len(name) > 2)]
    spelled = "(?i:" + "|".join(sorted(written, key=len, reverse=True)) + ")"
    return re.compile(
        rf"""
          \b(?P<day>\d{{1,2}}){day}(?:{dates.day_to_month})?\s+(?P<month>{month})(?!\s+\d)
        | \b(?P<month2>{month})(?:,?\s+(?P<year2>{_YEAR})\b|\s+(?P<day2>\d{{1,2}}){day}(?![\d.,]\d|\d))
        | \b(?P<year>{_YEAR})(?:[-–/](?P<until>\d\d|{_YEAR}))?\b(?!,\d|\.\d|\s?%|\s(?:{language.percent})\b)
        | (?P<sign>[£$€])\s?(?P<money>{_NUMBER}){scale.format("money_scale")}
        | (?<![\w.,])(?P<number>{_NUMBER}){scale.format("scale")}(?![A-Z]){share.format("share")}
          (?:\s(?P<currency>{"|".join(known.currencies)})\b)?
        | \b(?P<spelled>{spelled}(?:(?:[\s-]+|\s+{known.joining}\s+){spelled})*)\b{share.format("share2")}
        """,
        re.VERBOSE,
    )


N_UNIT_WORDS = 4  # "24 vacant social worker posts"


def spelled_number(words: str, language: Language = ENGLISH) -> int:
    """The number that words spell.

    >>> spelled_number("fifty-seven"), spelled_number("two hundred and five thousand")
    (57, 205000)
    """
    known = language.figures
    total = part = 0
    for word in re.findall(r"[^\W\d_]+", words.casefold()):
        scale = known.scales.get(word, 0)
        if word in known.spelled:
            part += known.spelled[word]
        elif scale == 100:
            part = (part or 1) * scale
        elif scale:
            total += (part or 1) * scale
            part = 0
    return total + part


def figures_in(text: str, language: Language = ENGLISH) -> list[Figure]:
    """The figures of a text in order; "one" alone is a word and no figure.

    A year is told from a count by the word before it ("in 2016 children ...", "received 1940 requests").

    >>> [text[f.start:f.end] for text in ["£6.5m in 2015, 45 per cent, two rooms"] for f in figures_in(text)]
    ['£6.5m', '2015', '45 per cent', 'two']
    """
    found = [
        Figure(start, end, Measure.DATE, day=(int(iso[:4]), int(iso[5:7]), int(iso[8:])))
        for start, end, iso in dates_in(text, language)
    ]
    hidden = list(text)
    for figure in found:  # what is part of a whole date is no figure of its own
        hidden[figure.start : figure.end] = "\0" * (figure.end - figure.start)
    matches = _figure_pattern(language).finditer("".join(hidden))
    made = (_figure(match, text, language) for match in matches)
    found += [figure for figure in made if figure is not None]
    return sorted(found, key=lambda figure: figure.start)


def _figure(match: re.Match[str], text: str, language: Language) -> Figure | None:
    start, end = match.span()
    known = language.figures
    if month_name := match["month"] or match["month2"]:
        day, year = match["day"] or match["day2"], match["year2"]
        if day and not 1 <= int(day) <= 31:
            return None
        month = month_number(month_name, language)
        when = (int(year) if year else None, month, int(day) if day else None)
        return Figure(start, end, Measure.DATE, day=when)
    if match["year"]:
        return _year_or_count(match, text, language)
    if match["sign"]:
        value = _value(match["money"], match["money_scale"], language)
        return Figure(start, end, Measure.MONEY, value, sign=match["sign"])
    if match["spelled"]:
        if match["spelled"].casefold() in known.scales or spelled_number(match["spelled"], language) < 2:
            return None
        value, share = Decimal(spelled_number(match["spelled"], language)), match["share2"]
    else:
        value, share = _value(match["number"], match["scale"], language), match["share"]
    if share:
        return Figure(start, end, Measure.SHARE, value)
    if match["currency"]:
        return Figure(start, end, Measure.MONEY, value, sign=known.currencies[match["currency"]])
    return Figure(start, end, Measure.COUNT, value, unit=_unit(text, end, language))


def _year_or_count(match: re.Match[str], text: str, language: Language) -> Figure:
    start, end = match.span()
    until, unit = match["until"], _unit(text, end, language)
    timed = language.figures.of_time.search(text[max(0, start - 12) : start])
    if unit and unit[0].islower() and not until and not timed:
        return Figure(start, end, Measure.COUNT, Decimal(match["year"]), unit=unit)  # 1940 requests
    day = (int(match["year"]), None, None)
    return Figure(start, end, Measure.DATE, Decimal(until[-2:]) if until else None, day)


def _value(number: str, scale: str | None, language: Language) -> Decimal:
    return Decimal(number.replace(",", "")) * (language.figures.scales[scale] if scale else 1)


def _unit(text: str, end: int, language: Language = ENGLISH) -> str:
    """The words right after a figure, as far as what is counted may go.

    >>> _unit("24 vacant posts were filled", 2)
    'vacant posts'
    """
    at = end
    for _ in range(N_UNIT_WORDS):
        match = _NEXT_WORD.match(text, at)
        if match is None or match[1].casefold() in language.stop_words:
            break
        at = match.end()
    return text[end:at].strip(" \u00a0-")
