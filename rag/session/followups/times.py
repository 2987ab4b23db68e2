"""Times in questions: what "a year later" means, and a question moved to another time."""

from __future__ import annotations

import re

_MONTH_NAMES = "january february march april may june july august september october november december".split()
_MONTH = "(?:" + "|".join(f"{name}|{name[:3]}" for name in [*_MONTH_NAMES, "sept"]) + r")\.?"
_YEAR = r"(?:1[5-9]|20)\d\d"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_DATE = (
    rf"(?:(?:{_DAY}\s+)?{_MONTH}\s+(?:{_DAY},?\s+)?{_YEAR}"
    rf"|{_YEAR}(?:-\d\d){{0,2}}(?:[-/]\d\d)?|{_MONTH}(?!\w))"
)
_FEAST = r"(?:boxing day|christmas(?: day)?|easter|new year(?:'s day)?|(?:mid|early|late)[ -]?)"
_LEADING = r"(?:(?:back )?(?:in|on|at|by|for|since|during|before|after|from|until|as of|as at|of)\s+)"
_SPAN = r"(?:the (?:end|start|beginning|middle) of\s+)"
_WHEN = re.compile(rf"{_LEADING}?{_SPAN}?(?:{_FEAST}\s*)?{_DATE}", re.I)
_EVENT = re.compile(rf"\b(?:before|after|since|until|during)\s+[^?]*?\b{_DATE}", re.I)
_NOW = re.compile(r"^(?:right )?(?:now|today|at present|currently|these days|nowadays)$", re.I)
_NUMBERS = {word: n for n, word in enumerate("one two three four five six seven eight nine ten".split(), 1)}
_NUMBERS |= {"a": 1, "an": 1}
_SHIFT = re.compile(
    r"^(?:in |the )?(?:(?P<n>an?|one|two|three|four|five|six|seven|eight|nine|ten|\d{1,2}) years?|"
    r"(?:the )?year|next year)"
    r"\s*(?P<way>later|after(?: that)?|earlier|before(?: that)?|on)?$",
    re.I,
)


def has_time(text: str) -> bool:
    """Whether a text names a date, a month or a year.

    >>> has_time("vacancies in march 2018"), has_time("the other members")
    (True, False)
    """
    return _WHEN.search(text) is not None


def earlier_time(question: str) -> str | None:
    """The time a question names, with the word that leads to it.

    >>> earlier_time("how many children moved in jan 2016?")
    'in jan 2016'
    """
    found = _WHEN.search(question)
    return found.group().strip() if found else None


def shifted_time(rest: str, question: str, date: str | None = None) -> str | None:
    """The time that a fragment names, absolute or against the question before; None when it names none.

    >>> shifted_time("in 2007", "how high in 2015?"), shifted_time("3 years earlier", "what in nov 2015")
    ('in 2007', 'in 2012')
    >>> shifted_time("a year later", "in jan 2016"), shifted_time("leadership", "in 2015")
    ('in jan 2017', None)
    """
    rest = rest.strip().rstrip("?").strip()
    if _NOW.match(rest):
        return "now"
    shift = _SHIFT.match(rest)
    if shift is not None and (shift["way"] or "next" in rest.casefold() or "year" in rest.casefold()):
        year = re.search(_YEAR, question)
        base = int(year.group()) if year else int(date[:4]) if date else None
        if base is None:
            return None
        n = shift["n"]
        by = 1 if n is None else int(n) if n.isdigit() else _NUMBERS[n.casefold()]
        way = (shift["way"] or "later").casefold()
        then = base - by if way.startswith(("earlier", "before")) else base + by
        if by == 1 and year is not None:
            month = re.search(rf"({_MONTH})\s+{year.group()}", question, re.I)
            return f"in {month[1]} {then}" if month else f"in {then}"
        return f"in {then}"
    found = _WHEN.fullmatch(rest)
    if found is not None:
        led = re.match(_LEADING, rest, re.I)
        return rest if led else f"in {rest}"
    return None


def month_of(date: str) -> str:
    """The month of an ISO date, or its year where no month is known.

    >>> month_of("2019-10-04"), month_of("2019")
    ('October 2019', '2019')
    """
    from rag.text.dates import long_date

    return long_date(date[:7])


def replaced_time(question: str, time: str) -> str:
    """The question at another time: in place of the one it names, else at its end.

    >>> replaced_time("how high did it get on boxing day 2015?", "in 2007")
    'how high did it get in 2007?'
    >>> replaced_time("what is the price after the reopening in 2018", "now")
    'what is the price now?'
    """
    bare = question.rstrip("? ")
    if "“" in bare:  # a quotation says what it says
        return f"{bare} {time}?"
    found = _EVENT.search(bare) or _WHEN.search(bare)
    if found is None:
        return f"{bare} {time}?"
    lead = "" if bare[: found.start()].endswith(" ") or not found.start() else " "
    moved = f"{bare[: found.start()]}{lead}{time}{bare[found.end() :]}"
    return " ".join(moved.split()) + "?"
