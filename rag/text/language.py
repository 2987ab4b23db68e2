"""What has to be known of a language: every list of words and every pattern that is made of words.

A second language is one file beside `rag.text.english`, named as the setting ``passages.language`` names it,
with a ``Language`` under its name in capitals (``GERMAN`` in ``german.py``), and the name added to
``rag.settings.LANGUAGES``. Every field must be given, save ``follow_ups``. Words are in small letters unless
a field says otherwise.

Loaders, layout and notices read every document with English's ``lines``, ``notices`` and ``dates``: nobody
tells them which language a file is in. With a second language they must be told, or try each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec

from rag.errors import SettingsError


class Wording:
    """A pattern made of words, compiled when it is first used; with ``case``, capital letters count.

    >>> Wording("as a result|so").match("So it went") is not None
    True
    """

    def __init__(self, pattern: str, *, case: bool = False) -> None:
        self.pattern = pattern
        self.case = case

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern, 0 if self.case else re.IGNORECASE)

    def search(self, text: str) -> re.Match[str] | None:
        """The first match anywhere."""
        return self._compiled.search(text)

    def match(self, text: str) -> re.Match[str] | None:
        """A match at the start."""
        return self._compiled.match(text)

    def fullmatch(self, text: str) -> re.Match[str] | None:
        """A match of the whole text."""
        return self._compiled.fullmatch(text)

    def findall(self, text: str) -> list[str]:
        """Every match, of a pattern without groups."""
        return self._compiled.findall(text)

    def sub(self, new: str | Callable[[re.Match[str]], str], text: str, count: int = 0) -> str:
        """The text with ``new`` for every match, or for the first ``count``."""
        return self._compiled.sub(new, text, count)


@dataclass(frozen=True, slots=True)
class NameWords:
    """What is known of names. ``inside`` may stand between two capitals ("of"), in small letters.

    ``openers`` begin a sentence with a capital and are no name. ``titles`` are forms of address, each with
    the pronoun it goes with, or "". ``organised`` are words that organisations and places go by.
    """

    inside: frozenset[str]
    openers: frozenset[str]
    titles: Mapping[str, str]
    organised: frozenset[str]


@dataclass(frozen=True, slots=True)
class DateWords:
    """Days and months. ``months`` and ``weekdays`` are whole, as written, January and Monday first.

    ``short_months`` says the number of a month's short form, without its full stop. ``short_weekdays``
    likewise. ``day_ending`` (after a day's figure) and ``day_to_month`` (between them) are parts of patterns;
    ``clock`` is a pattern of an hour. ``relative`` finds other words for a time ("last spring"). ``steps``
    are the words before ``year_word``, ``month_word`` or a month that count from now (-1: one back), and
    ``no_step`` those before them that make another thing of it ("the last year").
    """

    months: tuple[str, ...]
    short_months: Mapping[str, int]
    weekdays: tuple[str, ...]
    short_weekdays: tuple[str, ...]
    day_ending: str
    day_to_month: str
    clock: str
    relative: Wording
    seasons: tuple[str, ...]
    steps: Mapping[str, int]
    no_step: frozenset[str]
    year_word: str
    month_word: str


@dataclass(frozen=True, slots=True)
class FigureWords:
    """How figures are written. ``spelled`` are numbers below a hundred that are one word.

    ``scales`` multiply the number before them; ``joining`` is the word between parts of a number ("two
    hundred and five"). ``currencies`` are the signs that words of money stand for. ``of_time`` finds, at the
    end of what stands before a year, a word that makes it one ("in", "since").
    """

    spelled: Mapping[str, int]
    scales: Mapping[str, int]
    joining: str
    currencies: Mapping[str, str]
    of_time: Wording


@dataclass(frozen=True, slots=True)
class QuestionWords:
    """How questions are put.

    ``kinds`` are pairs of a `rag.answering.question.Kind` and its pattern, in small letters: the first that
    matches decides. ``asked_for`` says for every kind what a passage would have to state.
    ``empty`` are question words and auxiliaries, which say nothing of what a question is about; so do
    ``measured`` ("how long") and ``asking`` ("tell me"). ``as_of`` finds "as of 3 March 2016", with groups
    ``lead``, ``day``, ``month`` and ``year``; ``as_of_plain`` is said for its lead where documents are read.
    """

    kinds: tuple[tuple[str, Wording], ...]
    asked_for: Mapping[str, str]
    empty: frozenset[str]
    measured: Wording
    asking: Wording
    as_of: Wording
    as_of_plain: str


@dataclass(frozen=True, slots=True)
class FollowUpWords:
    """The words by which a question leans on the one before it; the rules are in `rag.session.followups`.

    Patterns match a whole question or its rest, if not told otherwise. Templates are filled with what their
    braces name: ``asked`` is the question before, ``rest`` what was typed.
    """

    personal: Mapping[str, str]  # pronouns of one person, each with its form that titles go with
    plural: frozenset[str]
    place: frozenset[str]
    impersonal: frozenset[str]
    subjects: frozenset[str]  # pronouns that do something,
    objects: frozenset[str]  # those it is done to,
    owners: frozenset[str]  # and those that own something
    question_words: frozenset[str]
    may_be_subject: frozenset[str]  # question words: "who led it"
    persons_asked: frozenset[str]  # question words: "who", "whose"
    auxiliaries: frozenset[str]
    with_subject: frozenset[str]  # auxiliaries that always have another subject: "did"
    articles: frozenset[str]
    prepositions: frozenset[str]
    clauses: frozenset[str]  # words that open another clause
    small: frozenset[str]  # every word that names nothing
    past: frozenset[str]  # verbs, irregular
    present: frozenset[str]
    past_ending: str
    before_nouns: frozenset[str]  # "the second" is no phrase: its noun comes next
    empty_subjects: frozenset[str]  # after "it" that stands for nothing: "is it true that"
    weather: frozenset[str]  # likewise: "is it raining"
    numbers: Mapping[str, int]  # of years, written out
    opener: Wording  # "and", "so" and the like at the start
    about: Wording  # "what about REST"; group ``rest``
    further: Wording  # "and REST"; group ``rest``
    bare: Wording  # "why?", "when was that?"; group ``wh``
    bare_as: Mapping[str, str]  # question words of ``bare`` that are asked by another: "what for", why
    who_said: Wording  # "who said that?"; group ``verb``
    other: Wording  # "who else?"; group ``wh``
    onward: Wording  # "and then?"
    others: Wording  # "the others" at the start
    counting: Wording  # "how many REST", "which REST"; groups ``wh`` and ``rest``
    counted: Wording  # "how many REST" alone; groups ``wh`` and ``rest``
    of_them: Wording  # at the start
    how_many: frozenset[str]  # ``wh`` of what can be counted one by one
    which: frozenset[str]  # ``wh`` that counts nothing
    that_time: Wording  # "by then", anywhere
    then: Wording  # a "then", anywhere,
    then_is_time: Wording  # and where it is one that means a time
    ends_in_then: Wording  # at the end
    after_that: Wording  # at the end; group ``how``
    leading: Wording  # words that lead to a time, at the start
    when: Wording  # a time with the words that lead to it
    event: Wording  # "after the reopening in 2018"
    month: str  # part of a pattern
    now: Wording
    shift: Wording  # "a year later"; groups ``n`` and ``way``
    backwards: tuple[str, ...]  # how ``way`` begins where it leads back
    at_now: str
    at_time: str  # template of ``time``
    by_time: str  # template of ``time``
    who_said_this: str  # template of ``verb`` and ``said``
    more_of: str  # template of ``wh`` and ``asked``
    on_from: str  # template of ``asked``
    others_of: str  # template of ``rest`` and ``topic``
    after_this: str  # template of ``before``, ``how`` and ``asked``
    counted_of: str  # template of ``noun``
    owner: str  # template of ``meant``
    owner_in_s: str  # likewise, of several who end in s


@dataclass(frozen=True, slots=True)
class LineWords:
    """What lines of letters, memos and reports look like. Capital letters count, unless the pattern says not.

    ``salutation``, ``closing``, ``byline`` and ``memo`` find such lines at their start. ``name_word`` is one
    word of a line made of names. ``breaks_off`` finds a last word that cannot end a sentence. ``date_cue``
    says that a date is one of publication, ``date_side`` are other words beside it. ``label`` is a whole line
    that says what kind of text follows; ``subject`` finds what stands after "Subject:"; ``updated``,
    ``minutes`` and ``published`` tell whose date a line has. ``keeps_hyphen`` are first halves of words that
    are written with a hyphen.
    """

    salutation: Wording
    closing: Wording
    byline: Wording
    memo: Wording
    name_word: Wording
    breaks_off: Wording
    date_cue: Wording
    date_side: frozenset[str]
    label: Wording
    subject: Wording
    updated: Wording
    minutes: Wording
    published: Wording
    keeps_hyphen: frozenset[str]


@dataclass(frozen=True, slots=True)
class NoticeRule:
    """Wording that makes a paragraph of at most ``max_words`` a web page's furniture of the kind ``name``."""

    name: str
    decisive: Wording
    leaning: Wording | None = None
    max_words: int = 90


@dataclass(frozen=True, slots=True)
class NoticeWords:
    """Wording of web pages that is about the page. ``price`` is a whole line, ``offer_word`` one word.

    ``reporting`` tells that a paragraph speaks about a notice and is not one.
    """

    rules: tuple[NoticeRule, ...]
    price: Wording
    offer_word: Wording
    reporting: Wording


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """All that is known of one language.

    ``code`` is its ISO 639-1 code, for sentence boundaries; ``stemmer`` is its Snowball algorithm.
    ``stop_words`` are no index terms. ``abbreviations`` end in a full stop that ends no sentence, save those
    of ``also_words`` before a capital. ``leaning_opener`` finds a sentence that leans on the one before.
    ``reason`` finds words that give a reason. ``denials`` deny, as does a word with ``denying_ending``;
    ``quantifiers`` say how far a sentence holds. ``number_words`` are figures written out, ``ordinals`` say
    which of several; ``no_number`` are answers to "how many" that are no figure.
    """

    name: str
    code: str
    stemmer: str
    stop_words: frozenset[str]
    abbreviations: frozenset[str]
    also_words: frozenset[str]
    leaning_opener: Wording
    reason: Wording
    denials: frozenset[str]
    denying_ending: str
    quantifiers: frozenset[str]
    number_words: frozenset[str]
    ordinals: frozenset[str]
    no_number: frozenset[str]
    spellings: tuple[tuple[str, str], ...]  # letters for which others stand in the same word
    percent: str  # part of a pattern: how a share is written beside "%"
    names: NameWords
    dates: DateWords
    figures: FigureWords
    questions: QuestionWords
    lines: LineWords
    notices: NoticeWords
    follow_ups: FollowUpWords | None = None  # without them a follow-up is asked as it was typed


def load_language(name: str) -> Language:
    """The language of a name, as ``rag.settings.LANGUAGES`` has it; SettingsError for any other.

    >>> load_language("english").code
    'en'
    """
    if not name.isidentifier() or find_spec(f"rag.text.{name}") is None:
        raise SettingsError(f"no language {name!r}", "rag info  # says what passages.language is, and why")
    language = getattr(import_module(f"rag.text.{name}"), name.upper(), None)
    if not isinstance(language, Language):
        raise SettingsError(f"no language {name!r}", "rag info  # says what passages.language is, and why")
    return language
