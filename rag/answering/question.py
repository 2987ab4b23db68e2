"""The question, parsed once: what it asks for, of which time, in which words.

Rules, not a model: they are few, they can be read, and a wrong guess costs presentation, not truth.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from rag.errors import UsageError
from rag.retrieval.term_weights import TermWeights
from rag.text.dates import last_day, years_in


class Kind(StrEnum):
    """What a question asks for."""

    WHO = "who"
    WHEN = "when"
    WHERE = "where"
    HOW_MANY = "how_many"
    WHY = "why"
    HOW = "how"
    YES_NO = "yes_no"
    LIST = "list"
    CHANGE = "change"
    WHAT = "what"


# In order: the first that matches decides.
_RULES: tuple[tuple[Kind, str], ...] = (
    (
        Kind.WHY,
        r"\b(why|how come|what (was|were|is|are) the (reasons?|causes?)|reasons? (for|why|behind)"
        r"|what (made|caused|led)|what for)\b",
    ),
    (
        Kind.LIST,
        r"\b(list|name (all|the|two|three|four|some)|what (are|were) the|who (are|were) the|examples of"
        r"|(which|what) (?!was|is|has|does)(people|children|[a-z]+[^\Ws]s))\b",
    ),
    (
        Kind.CHANGE,
        r"\b(chang(e|es|ed|ing)|over time|improv(e|ed|ing) (since|between|from)|trend|progress(ed)?"
        r" (since|between|from)|compared (with|to)|between \d{4} and \d{4}|from \d{4} to \d{4})\b",
    ),
    (
        Kind.HOW_MANY,
        r"\b(how (many|much|often|long|old|large|big|far|high)|what (percentage|proportion|number|"
        r"share|rate|amount|figure)|percentage|cost of|number of)\b",
    ),
    (Kind.WHEN, r"\b(when|what (year|date|month|day|time)|which (year|month|date|day)|since when|by when)\b"),
    (Kind.WHO, r"\b(who|whom|whose|which (person|minister|inspector|mayor|councillor|director))\b"),
    (Kind.WHERE, r"\b(where|which (town|city|place|building|street))\b"),
    (Kind.HOW, r"\bhow\b"),
    (Kind.YES_NO, r"^(is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|might)\b"),
)
_COMPILED = tuple((kind, re.compile(pattern)) for kind, pattern in _RULES)


def kind_of(question: str) -> Kind:
    """The kind of a question; WHAT when no rule speaks.

    >>> [kind_of(q).value for q in ("Why did it close?", "is it open", "how much was paid", "rating 2015")]
    ['why', 'yes_no', 'how_many', 'what']
    """
    words = question.casefold().strip()
    return next((kind for kind, pattern in _COMPILED if pattern.search(words)), Kind.WHAT)


_NUMBER_WORDS = (
    "one two three four five six seven eight nine ten eleven twelve half third quarter dozen hundred "
    "thousand million billion once twice none no"
)
_LOOKS_LIKE = {
    Kind.WHO: re.compile(r"[A-Z]\w"),
    Kind.WHERE: re.compile(r"[A-Z]\w"),
    Kind.WHEN: re.compile(
        rf"\d|{'|'.join(calendar.month_name[1:])}|{'|'.join(calendar.day_name)}"
        r"|\b(last|next|yesterday|today|earlier|spring|summer|autumn|winter|century)\b"
    ),
    Kind.HOW_MANY: re.compile(rf"\d|\b({'|'.join(_NUMBER_WORDS.split())})\b", re.IGNORECASE),
}


_REASON = re.compile(
    r"\b(because|due to|owing to|thanks to|as a result|results? (of|from)|resulted from|so that|so as to"
    r"|in order to|reasons?|caus(e|es|ed)|led to|prompted|blamed?|therefore|mean(s|t) that|in response to"
    r"|for want of|for fear of|explained by|on the (grounds|advice))\b",
    re.IGNORECASE,
)


def states_reason(text: str) -> bool:
    """Whether a text joins one thing to another as its reason, by the words English has for that.

    >>> states_reason("It shut because the roof leaked."), states_reason("Following its decision to close,")
    (True, False)
    """
    return bool(_REASON.search(text))


def can_answer(kind: Kind, words: str) -> bool:
    """Whether words look like what is asked for: a name, a date, a figure; True where no rule speaks.

    >>> can_answer(Kind.WHO, "Ros Jones"), can_answer(Kind.HOW_MANY, "a few"), can_answer(Kind.WHY, "rain")
    (True, False, True)
    """
    rule = _LOOKS_LIKE.get(kind)
    return rule is None or bool(rule.search(words))


_MONTHS = {name.casefold(): number for number, name in enumerate(calendar.month_name) if name}
_AS_OF = re.compile(
    r"\bas (?:of|at) (?:the end of )?(?:(?P<day>\d{1,2}) )?(?:(?P<month>[a-z]+) )?(?P<year>\d{4})\b", re.I
)


def as_of_in(question: str) -> str | None:
    """The date a question asks to be taken back to, as the last ISO day it covers, or None.

    >>> as_of_in("as of March 2017 what was the rating"), as_of_in("what was the rating in 2017")
    ('2017-03-31', None)
    """
    match = _AS_OF.search(question)
    if not match:
        return None
    month = _MONTHS.get((match["month"] or "").casefold())
    if match["month"] and month is None:
        return None
    parts = [match["year"], f"{month:02}" if month else None, match["day"] if month else None]
    try:
        return last_day("-".join(part for part in parts if part))
    except UsageError:
        return None


def in_plain_words(question: str) -> str:
    """The question with "as of 2016" said as documents say it: "in 2016".

    >>> in_plain_words("chair of the trustees as of March 2016"), in_plain_words("as it was")
    ('chair of the trustees in March 2016', 'as it was')
    """
    return _AS_OF.sub(lambda match: re.sub(r"^as (?:of|at)", "in", match.group(), flags=re.I), question)


def usable_question(text: str, max_chars: int) -> str:
    """The question without outer white space; UsageError when it is empty or too long.

    >>> usable_question("  Who led the trust? ", 1000)
    'Who led the trust?'
    """
    question = text.strip()
    if not question:
        raise UsageError("the question is empty", 'rag ask "why was the trust decommissioned?"')
    if len(question) > max_chars:
        raise UsageError(
            f"the question has {len(question):,} characters; at most {max_chars:,} are read",
            "ask for one thing in a sentence or two (the setting is retrieval.max_question_chars)",
        )
    return question


# What makes a sentence a question, and says nothing of what it is about.
_QUESTION_WORDS = frozenset(
    """who whom whose what which when where why how many much is are was were be been being am do does did
    has have had can could will would shall should may might must isn't aren't wasn't weren't don't doesn't
    didn't hasn't haven't hadn't can't couldn't won't wouldn't shouldn't please""".split()
)
_MEASURED = re.compile(r"\bhow\s+(?:long|old|large|big|far|high|often|soon|late|early)\b", re.IGNORECASE)
_ASKING = re.compile(r"^\W*(?:tell me|show me|give|name|list|describe|explain)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


def content_words(question: str) -> list[str]:
    """The words that say what a question is about, as typed: question words and auxiliaries left out.

    >>> content_words("How many posts were vacant?"), content_words("how long did it take")
    (['posts', 'vacant'], ['it', 'take'])
    """
    about = _ASKING.sub(" ", _MEASURED.sub(" ", question))
    return [word for word in _WORD.findall(about) if word.casefold().replace("’", "'") not in _QUESTION_WORDS]


@dataclass(frozen=True, slots=True)
class ParsedQuestion:
    """A question with all that later stages want to know of its words.

    ``text`` is as asked, without outer white space; ``plain`` is what is searched for and read. ``as_of`` is
    the last ISO day of the time it asks to be taken back to. ``terms`` are the index terms of what it is
    about with their weights in the store, ``unknown`` the words of it that stand in no document, as typed.
    """

    text: str
    plain: str
    kind: Kind
    years: frozenset[str]
    as_of: str | None
    terms: Mapping[str, float]
    unknown: tuple[str, ...]


def parse(text: str, weights: TermWeights, *, max_chars: int, as_of: str | None = None) -> ParsedQuestion:
    """The parsed question; ``as_of`` (an ISO date, month or year) overrules what the question says of it.

    Raises UsageError where it is empty, too long, or ``as_of`` is no date.

    >>> weights = TermWeights(str.split, lambda term: int(term != "zoo"), 9)
    >>> parsed = parse(" who ran the zoo as of 2016? ", weights, max_chars=100)
    >>> parsed.kind.value, parsed.plain, parsed.as_of, parsed.unknown
    ('who', 'who ran the zoo in 2016?', '2016-12-31', ('zoo',))
    """
    question = usable_question(text, max_chars)
    plain = in_plain_words(question)
    about = content_words(plain)
    return ParsedQuestion(
        text=question,
        plain=plain,
        kind=kind_of(plain),
        years=frozenset(years_in(plain)),
        as_of=last_day(as_of) if as_of else as_of_in(question),
        terms=weights.of(" ".join(about)),
        unknown=tuple(weights.unknown(about)),
    )
