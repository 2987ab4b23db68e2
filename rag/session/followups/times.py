"""Times in questions: what "a year later" means, and a question moved to another time."""

from __future__ import annotations

import re

from rag.session.followups.words import follow_ups
from rag.text.dates import long_date
from rag.text.language import FollowUpWords, Language

_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")


def has_time(text: str, language: FollowUpWords) -> bool:
    """Whether a text names a date, a month or a year.

    >>> from rag.text.english import FOLLOW_UPS
    >>> has_time("vacancies in march 2018", FOLLOW_UPS), has_time("the other members", FOLLOW_UPS)
    (True, False)
    """
    return language.when.search(text) is not None


def earlier_time(question: str, language: FollowUpWords) -> str | None:
    """The time a question names, with the word that leads to it.

    >>> from rag.text.english import FOLLOW_UPS
    >>> earlier_time("how many children moved in jan 2016?", FOLLOW_UPS)
    'in jan 2016'
    """
    time = language.when.search(question)
    return time.group().strip() if time else None


def shifted_time(rest: str, question: str, language: FollowUpWords, date: str | None = None) -> str | None:
    """The time that a fragment names, absolute or against the question before; None when it names none.

    >>> from rag.text.english import FOLLOW_UPS
    >>> shifted_time("in 2007", "how high in 2015?", FOLLOW_UPS)
    'in 2007'
    >>> shifted_time("3 years earlier", "what in nov 2015", FOLLOW_UPS)
    'in 2012'
    >>> shifted_time("a year later", "in jan 2016", FOLLOW_UPS)
    'in jan 2017'
    >>> shifted_time("leadership", "in 2015", FOLLOW_UPS) is None
    True
    """
    rest = rest.strip().rstrip("?").strip()
    if language.now.match(rest):
        return language.at_now
    shift = language.shift.match(rest)
    if shift is not None:
        year = _YEAR.search(question)
        base = int(year.group()) if year else int(date[:4]) if date else None
        if base is None:
            return None
        n = shift["n"]
        by = 1 if n is None else int(n) if n.isdigit() else language.numbers[n.casefold()]
        back = (shift["way"] or "").casefold().startswith(language.backwards)
        then = str(base - by if back else base + by)
        if by == 1 and year is not None:
            month = re.search(rf"({language.month})\s+{year.group()}", question, re.I)
            then = f"{month[1]} {then}" if month else then
        return language.at_time.format(time=then)
    if language.when.fullmatch(rest) is None:
        return None
    return rest if language.leading.match(rest) else language.at_time.format(time=rest)


def by_month(date: str, language: Language) -> str:
    """The month of an ISO date, or its year where no month is known, as the end of a time.

    >>> from rag.text.english import ENGLISH
    >>> by_month("2019-10-04", ENGLISH), by_month("2019", ENGLISH)
    ('by October 2019', 'by 2019')
    """
    return follow_ups(language).by_time.format(time=long_date(date[:7], language))


def replaced_time(question: str, time: str, language: FollowUpWords) -> str:
    """The question at another time: in place of the one it names, else at its end.

    >>> from rag.text.english import FOLLOW_UPS
    >>> replaced_time("how high did it get on boxing day 2015?", "in 2007", FOLLOW_UPS)
    'how high did it get in 2007?'
    >>> replaced_time("what is the price after the reopening in 2018", "now", FOLLOW_UPS)
    'what is the price now?'
    """
    bare = question.rstrip("? ")
    if "“" in bare:  # a quotation says what it says
        return f"{bare} {time}?"
    old = language.event.search(bare) or language.when.search(bare)
    if old is None:
        return f"{bare} {time}?"
    gap = "" if bare[: old.start()].endswith(" ") or not old.start() else " "
    moved = f"{bare[: old.start()]}{gap}{time}{bare[old.end() :]}"
    return " ".join(moved.split()) + "?"
