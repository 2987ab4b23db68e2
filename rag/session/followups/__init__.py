"""Follow-up questions completed from what was asked and answered before, by rules that can be read.

No model: a rule either recognises how a question leans on the one before it ("and in 2017?", "who said
that?", "when did she retire") or leaves it as it was typed. What is put in comes from the earlier question,
the names in its cited sentence, or its date, and the session shows it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.session.followups import phrases
from rag.session.followups.times import earlier_time, has_time, month_of, replaced_time, shifted_time
from rag.session.followups.words import PERSONAL, PLACE, PLURAL, Words, is_fragment, opens_with_verb


@dataclass(frozen=True, slots=True)
class Earlier:
    """A question as it was asked, with its answer: the marked words, the cited sentences, their passages.

    ``date`` is the ISO date of the document cited first.
    """

    question: str
    answer: str = ""
    quotes: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    date: str | None = None


@dataclass(frozen=True, slots=True)
class Completed:
    """A question that stands alone; ``changed`` when it is not what was typed, and ``why`` in words."""

    text: str
    changed: bool = False
    why: str = ""


def complete(question: str, history: Sequence[Earlier]) -> Completed:
    """The question, completed from the last of ``history`` if it leans on it; else as it was typed.

    >>> before = [Earlier("how high did the river get on boxing day 2015?")]
    >>> complete("and in 2007?", before).text
    'how high did the river get in 2007?'
    >>> complete("who is the director now?", before).changed
    False
    """
    if not history or not question.strip():
        return Completed(question)
    before = history[-1]
    typed = " ".join(question.split())
    for rule in _RULES:
        found = rule(typed, before)
        if found is not None:
            text, why = found
            return Completed(text, text.casefold() != typed.casefold(), why)
    return Completed(question)


Found = tuple[str, str] | None  # the completed question, and why in words


_LEAD = re.compile(r"^(?:and|but|so|ok|okay|then|also)\b[,\s]+", re.I)
_ABOUT = re.compile(r"^(?:(?:and|but|so)\s+)?(?:what|how) about\s+(?:the\s+)?(?P<rest>.+?)\s*\??$", re.I)
_AND = re.compile(r"^(?:and|but|or)\s+(?P<rest>.+?)\s*\??$", re.I)
_BARE = re.compile(
    r"^(?:and\s+|but\s+|so\s+)?"
    r"(?P<wh>why not|why|when|where|how|who|how come|since when|by whom|"
    r"how many|how much|which ones?|what for|says who)"
    r"(?:\s+(?:was|is|did|does|were)\s+(?:that|this|it))?\s*\??$",
    re.I,
)
_SAID = re.compile(
    r"^(?:and\s+|so\s+)?who (?P<verb>said|says|wrote|told (?:them|him|her|us)|claimed|reported|"
    r"decided|thought|thinks) (?:that|this|so|it)\s*\??$",
    re.I,
)


def _bare(typed: str, before: Earlier) -> Found:
    """ "why?", "when was that?": the earlier question, asked so."""
    match = _BARE.match(typed)
    if match is None:
        return None
    wh = match["wh"].casefold()
    asked = _asked_as({"says who": "who said", "what for": "why", "by whom": "who"}.get(wh, wh), before)
    return asked, f"“{wh}” asks on"


def _asked_as(wh: str, before: Earlier) -> str:
    """The earlier question with another question word; its whole with the answer where that cannot be."""
    words = Words.of(before.question)
    clause = words.clause()
    if clause is not None:
        return f"{wh} {clause}?"
    rest = words.without_question_word()
    said = phrases.short(before.answer) if before.answer else ""
    return f"{wh} {rest} ({said})?" if said else f"{wh} {rest}?"


def _who_said(typed: str, before: Earlier) -> Found:
    """ "who said that?": the words that were cited."""
    match = _SAID.match(typed)
    if match is None:
        return None
    told = before.answer if len(before.answer.split()) > 4 else "".join(before.quotes[:1])
    said = phrases.short(told or before.answer or before.question, 24)
    return f"who {match['verb']} “{said}”?", "“that” is the sentence cited"


_ELSE = re.compile(r"^(?:and\s+|but\s+)?(?P<wh>who|what|where) else\s*\??$", re.I)
_NEXT = re.compile(
    r"^(?:and (?:then|after that|next)|(?:and\s+)?what (?:happened|came) (?:next|then|afterwards?))\s*\??$",
    re.I,
)


def _onward(typed: str, before: Earlier) -> Found:
    """ "who else?", "and then?": more of what was asked before."""
    asked = before.question.rstrip("? ")
    match = _ELSE.match(typed)
    if match is not None:
        return f"{match['wh'].lower()} else: {asked}?", "more of the question before"
    return (
        (f"what happened after this: {asked}?", "on from the question before") if _NEXT.match(typed) else None
    )


def _elsewhen(typed: str, before: Earlier) -> Found:
    """ "and in 2007?", "what about a year later", "and now?": the earlier question at another time."""
    match = _ABOUT.match(typed) or _AND.match(typed)
    rest = match["rest"] if match else typed.rstrip("? ")
    moved = shifted_time(rest, before.question, before.date)
    if moved is None:
        return None
    return replaced_time(before.question, moved), "the question before, at that time"


def _another(typed: str, before: Earlier) -> Found:
    """ "what about leadership", "and the other members?": the earlier question of something else."""
    match = _ABOUT.match(typed)
    if match is None:
        match = _AND.match(typed)
        if match is None or not is_fragment(match["rest"]):
            return None
    rest = match["rest"].strip()
    swapped = phrases.swapped_name(before.question, rest, before.texts)
    if swapped is not None:
        return swapped, "the question before, of another"
    if re.match(r"(?:(?:all|any) )?(?:the )?others?\b", rest, re.I):
        topic = phrases.topic(before.question, before.texts)
        joined = f"who are {rest} of {topic}" if topic else f"{rest}: {before.question.rstrip('? ')}"
        return f"{joined}?", "of what was asked before"
    return f"{before.question.rstrip('? ')}: {rest}?", "the question before, as to this"


def _counted(typed: str, before: Earlier) -> Found:
    """ "how many businesses?", "how many went to the niece?", "how many of them": what is counted."""
    bare = _LEAD.sub("", typed).rstrip("? ")
    match = re.match(r"^(?P<wh>how many|how much|which|what)\s+(?P<rest>.+)$", bare, re.I)
    if match is None:
        return None
    wh, rest = match["wh"], match["rest"]
    of = re.match(r"^of (?:them|these|those|it)\b", rest, re.I)
    noun = phrases.counted_noun(before.question)
    if of or (wh.casefold() == "how many" and opens_with_verb(rest)):
        if noun is None:
            noun = phrases.topic(before.question, before.texts)
        if noun is None:
            return None
        tail = rest[of.end() :].strip() if of else rest
        counted = f"of {noun}" if of else noun
        return f"{wh} {counted} {tail}".strip() + "?", f"of “{noun}”"
    if wh.casefold() in ("which", "what") or not is_fragment(rest) or has_time(rest):
        return None
    if len(rest.split()) > 3:
        return None
    words = re.sub(r"\s+(?:that time|then|there)$", "", rest, flags=re.I)
    again = phrases.recounted(before.question, wh, words)
    if again is not None:
        return again, "counted as before"
    return f"{wh} {words} — {before.question.rstrip('? ')}?", "in the question before"


def _pronoun(typed: str, before: Earlier) -> Found:
    """ "when did she retire", "who led it?": what the pronoun stands for."""
    bare = _LEAD.sub("", typed)
    words = Words.of(bare)
    at = words.leaning_pronoun()
    if at is None:
        return None
    pronoun = words.lower[at]
    if pronoun in PERSONAL:
        meant = phrases.person(before.question, before.answer, before.quotes, before.texts, pronoun)
    elif pronoun in PLURAL:
        meant = phrases.subject(before.question, before.texts) or phrases.topic(before.question, before.texts)
    elif pronoun in PLACE:
        meant = phrases.topic(before.question, before.texts)
    else:
        meant = phrases.thing(before.question, before.texts)
    typed_pronoun = words.raw[at]
    if meant is None:
        topic = before.question.rstrip("? ")
        said = f": {phrases.short(before.answer)}" if before.answer else ""
        return f"{bare.rstrip('? ')} ({topic}{said})?", f"“{typed_pronoun}” is what was asked before"
    text = words.with_meaning(at, meant)
    text = _then(text, before)
    return text, f"“{typed_pronoun}” is {meant}"


_THEN = re.compile(
    r"\b(?:by|since|before|after|until|around)?\s*(?:then|that time|that day|that year)\b", re.I
)
_AFTER_THAT = re.compile(
    r"\b(?P<how>after|before|since|until|on|about|with|for|to) (?:that|this)\s*\??$", re.I
)


def _then(text: str, before: Earlier) -> str:
    """ "by then" with the time it means."""
    found = _THEN.search(text)
    if found is None:
        return _after_that(text, before) or text
    time = earlier_time(before.question)
    if time is None and before.date is not None:
        time = f"by {month_of(before.date)}"
    if time is None:
        return text
    return _THEN.sub(f" {time}", text, count=1).replace("  ", " ")


def _after_that(text: str, before: Earlier) -> str | None:
    """ "after that" with what was asked before it."""
    found = _AFTER_THAT.search(text)
    if found is None:
        return None
    clause = before.question.rstrip("? ")
    return f"{text[: found.start()]}{found['how']} this: {clause}?"


def _that_time(typed: str, before: Earlier) -> Found:
    """ "what went in the case after that", "how many houses that time?"."""
    bare = _LEAD.sub("", typed)
    if not (_THEN.search(bare) or _AFTER_THAT.search(bare)) or Words.of(bare).n_content > 6:
        return None
    if re.search(r"\bthen\b", bare, re.I) and not re.search(
        r"\b(?:by|since|until|before) then\b|then\s*\??$", bare, re.I
    ):
        return None
    text = _then(bare, before)
    return (text, "“that” is what was asked before") if text != bare else None


_RULES: tuple[Callable[[str, Earlier], Found], ...] = (
    _bare,
    _who_said,
    _onward,
    _elsewhen,
    _counted,
    _another,
    _pronoun,
    _that_time,
)
