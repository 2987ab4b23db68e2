"""The question, parsed once: what it asks for, of which time, in which words.

Rules, not a model: they are few, they can be read, and a wrong guess costs presentation, not truth.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from rag.errors import UsageError
from rag.retrieval.term_weights import TermWeights
from rag.text.dates import last_day, month_number, years_in
from rag.text.english import ENGLISH
from rag.text.language import Language


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


def kind_of(question: str, language: Language = ENGLISH) -> Kind:
    """The kind of a question; WHAT when no rule speaks.

    >>> [kind_of(q).value for q in ("Why did it close?", "is it open", "how much was paid", "rating 2015")]
    ['why', 'yes_no', 'how_many', 'what']
    """
    words = question.casefold().strip()
    return Kind(next((kind for kind, rule in language.questions.kinds if rule.search(words)), Kind.WHAT))


_CAPITAL = re.compile(r"[A-Z]\w")
_DIGIT = re.compile(r"\d")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


def states_reason(text: str, language: Language = ENGLISH) -> bool:
    """Whether a text joins one thing to another as its reason, by the words a language has for that.

    >>> states_reason("It shut because the roof leaked."), states_reason("Following its decision to close,")
    (True, False)
    """
    return bool(language.reason.search(text))


def can_answer(kind: Kind, words: str, language: Language = ENGLISH) -> bool:
    """Whether words look like what is asked for: a name, a date, a figure; True where no rule speaks.

    >>> can_answer(Kind.WHO, "Ros Jones"), can_answer(Kind.HOW_MANY, "a few"), can_answer(Kind.WHY, "rain")
    (True, False, True)
    """
    if kind in (Kind.WHO, Kind.WHERE):
        return bool(_CAPITAL.search(words))
    if kind is Kind.WHEN:
        dates = language.dates
        named = any(name in words for name in (*dates.months, *dates.weekdays))
        return named or bool(_DIGIT.search(words) or dates.relative.search(words))
    if kind is Kind.HOW_MANY:
        figures = language.number_words | language.no_number
        spelt = any(word.casefold() in figures for word in _WORD.findall(words))
        return spelt or bool(_DIGIT.search(words))
    return True


def as_of_in(question: str, language: Language = ENGLISH) -> str | None:
    """The date a question asks to be taken back to, as the last ISO day it covers, or None.

    >>> as_of_in("as of March 2017 what was the rating"), as_of_in("what was the rating in 2017")
    ('2017-03-31', None)
    """
    match = language.questions.as_of.search(question)
    if not match:
        return None
    month = month_number(match["month"], language) if match["month"] else None
    if match["month"] and month is None:
        return None
    parts = [match["year"], f"{month:02}" if month else None, match["day"] if month else None]
    try:
        return last_day("-".join(part for part in parts if part))
    except UsageError:
        return None


def in_plain_words(question: str, language: Language = ENGLISH) -> str:
    """The question with "as of 2016" said as documents say it: "in 2016".

    >>> in_plain_words("chair of the trustees as of March 2016"), in_plain_words("as it was")
    ('chair of the trustees in March 2016', 'as it was')
    """
    words = language.questions
    return words.as_of.sub(
        lambda match: words.as_of_plain + match.group().removeprefix(match["lead"]), question
    )


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


def content_words(question: str, language: Language = ENGLISH) -> list[str]:
    """The words that say what a question is about, as typed: question words and auxiliaries left out.

    >>> content_words("How many posts were vacant?"), content_words("how long did it take")
    (['posts', 'vacant'], ['it', 'take'])
    """
    words = language.questions
    about = words.asking.sub(" ", words.measured.sub(" ", question))
    return [word for word in _WORD.findall(about) if word.casefold().replace("’", "'") not in words.empty]


@dataclass(frozen=True, slots=True)
class ParsedQuestion:
    """A question with all that later stages want to know of its words.

    ``text`` is as asked, without outer white space; ``plain`` is what is searched for and read. ``as_of`` is
    the last ISO day of the time it asks to be taken back to. ``terms`` are the index terms of what it is
    about with their weights in the store, ``unknown`` the words of it that stand in no document, as typed.
    ``language`` is that of the question and the documents.
    """

    text: str
    plain: str
    kind: Kind
    years: frozenset[str]
    as_of: str | None
    terms: Mapping[str, float]
    unknown: tuple[str, ...]
    language: Language = ENGLISH


def parse(
    text: str,
    weights: TermWeights,
    *,
    max_chars: int,
    as_of: str | None = None,
    language: Language = ENGLISH,
) -> ParsedQuestion:
    """The parsed question; ``as_of`` (an ISO date, month or year) overrules what the question says of it.

    Raises UsageError where it is empty, too long, or ``as_of`` is no date.

    >>> weights = TermWeights(str.split, lambda term: int(term != "zoo"), 9)
    >>> parsed = parse(" who ran the zoo as of 2016? ", weights, max_chars=100)
    >>> parsed.kind.value, parsed.plain, parsed.as_of, parsed.unknown
    ('who', 'who ran the zoo in 2016?', '2016-12-31', ('zoo',))
    """
    question = usable_question(text, max_chars)
    plain = in_plain_words(question, language)
    about = content_words(plain, language)
    return ParsedQuestion(
        text=question,
        plain=plain,
        kind=kind_of(plain, language),
        years=frozenset(years_in(plain)),
        as_of=last_day(as_of) if as_of else as_of_in(question, language),
        terms=weights.of(" ".join(about)),
        unknown=tuple(weights.unknown(about)),
        language=language,
    )
