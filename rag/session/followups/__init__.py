"""Follow-up questions completed from what was asked and answered before, by rules that can be read.

No model: a rule either recognises how a question leans on the one before it ("and in 2017?", "who said
that?", "when did she retire") or leaves it as it was typed. What is put in comes from the earlier question,
the names in its cited sentence, or its date, and the session shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.session.followups import phrases
from rag.session.followups.times import by_month, earlier_time, has_time, replaced_time, shifted_time
from rag.session.followups.words import Words, follow_ups, is_fragment, opens_with_verb
from rag.text.english import ENGLISH
from rag.text.language import FollowUpWords, Language

_MOST_CONTENT = 6  # words that carry meaning; a question with more of them says itself what it is about


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


def complete(question: str, history: Sequence[Earlier], language: Language = ENGLISH) -> Completed:
    """The question, completed from the last of ``history`` if it leans on it; else as it was typed.

    >>> before = [Earlier("how high did the river get on boxing day 2015?")]
    >>> complete("and in 2007?", before).text
    'how high did the river get in 2007?'
    >>> complete("who is the director now?", before).changed
    False
    """
    if not history or not question.strip() or language.follow_ups is None:
        return Completed(question)
    before = history[-1]
    typed = " ".join(question.split())
    for rule in _RULES:
        completion = rule(typed, before, language)
        if completion is not None:
            text, why = completion
            return Completed(text, text.casefold() != typed.casefold(), why)
    return Completed(question)


Completion = tuple[str, str] | None  # the completed question, and why in words


def _bare(typed: str, before: Earlier, language: Language) -> Completion:
    """ "why?", "when was that?": the earlier question, asked so."""
    known = follow_ups(language)
    match = known.bare.match(typed)
    if match is None:
        return None
    wh = match["wh"].casefold()
    return _asked_as(known.bare_as.get(wh, wh), before, known), f"“{wh}” asks on"


def _asked_as(wh: str, before: Earlier, known: FollowUpWords) -> str:
    """The earlier question with another question word; its whole with the answer where that cannot be."""
    words = Words.of(before.question, known)
    clause = words.clause()
    if clause is not None:
        return f"{wh} {clause}?"
    rest = words.without_question_word()
    answer = phrases.short(before.answer) if before.answer else ""
    return f"{wh} {rest} ({answer})?" if answer else f"{wh} {rest}?"


def _who_said(typed: str, before: Earlier, language: Language) -> Completion:
    """ "who said that?": the words that were cited."""
    known = follow_ups(language)
    match = known.who_said.match(typed)
    if match is None:
        return None
    cited = before.answer if len(before.answer.split()) > 4 else "".join(before.quotes[:1])
    words = phrases.short(cited or before.answer or before.question, 24)
    return known.who_said_this.format(verb=match["verb"], said=words), "“that” is the sentence cited"


def _onward(typed: str, before: Earlier, language: Language) -> Completion:
    """ "who else?", "and then?": more of what was asked before."""
    known = follow_ups(language)
    asked = before.question.rstrip("? ")
    match = known.other.match(typed)
    if match is not None:
        return known.more_of.format(wh=match["wh"].lower(), asked=asked), "more of the question before"
    if known.onward.match(typed):
        return known.on_from.format(asked=asked), "on from the question before"
    return None


def _elsewhen(typed: str, before: Earlier, language: Language) -> Completion:
    """ "and in 2007?", "what about a year later", "and now?": the earlier question at another time."""
    known = follow_ups(language)
    match = known.about.match(typed) or known.further.match(typed)
    rest = match["rest"] if match else typed.rstrip("? ")
    moved = shifted_time(rest, before.question, known, before.date)
    if moved is None:
        return None
    return replaced_time(before.question, moved, known), "the question before, at that time"


def _another(typed: str, before: Earlier, language: Language) -> Completion:
    """ "what about leadership", "and the other members?": the earlier question of something else."""
    known = follow_ups(language)
    match = known.about.match(typed)
    if match is None:
        match = known.further.match(typed)
        if match is None or not is_fragment(match["rest"], known):
            return None
    rest = match["rest"].strip()
    asked = before.question.rstrip("? ")
    swapped = phrases.swapped_name(before.question, rest, before.texts, language)
    if swapped is not None:
        return swapped, "the question before, of another"
    if known.others.match(rest):
        topic = phrases.topic(before.question, before.texts, language)
        joined = known.others_of.format(rest=rest, topic=topic) if topic else f"{rest}: {asked}"
        return f"{joined}?", "of what was asked before"
    return f"{asked}: {rest}?", "the question before, as to this"


def _counted(typed: str, before: Earlier, language: Language) -> Completion:
    """ "how many businesses?", "how many went to the niece?", "how many of them": what is counted."""
    known = follow_ups(language)
    match = known.counting.match(known.opener.sub("", typed).rstrip("? "))
    if match is None:
        return None
    wh, rest = match["wh"], match["rest"]
    of_them = known.of_them.match(rest)
    if of_them or (wh.casefold() in known.how_many and opens_with_verb(rest, known)):
        noun = phrases.counted_noun(before.question, known) or phrases.topic(
            before.question, before.texts, language
        )
        if noun is None:
            return None
        tail = rest[of_them.end() :].strip() if of_them else rest
        counted = known.counted_of.format(noun=noun) if of_them else noun
        return f"{wh} {counted} {tail}".strip() + "?", f"of “{noun}”"
    if wh.casefold() in known.which or not is_fragment(rest, known) or has_time(rest, known):
        return None
    if len(rest.split()) > 3:
        return None
    words = known.ends_in_then.sub("", rest)
    again = phrases.recounted(before.question, wh, words, known)
    if again is not None:
        return again, "counted as before"
    return f"{wh} {words} — {before.question.rstrip('? ')}?", "in the question before"


def _pronoun(typed: str, before: Earlier, language: Language) -> Completion:
    """ "when did she retire", "who led it?": what the pronoun stands for."""
    known = follow_ups(language)
    bare = known.opener.sub("", typed)
    words = Words.of(bare, known)
    at = words.leaning_pronoun()
    if at is None:
        return None
    meant = _meant(words.lower[at], before, language)
    pronoun = words.raw[at]
    if meant is None:
        asked = before.question.rstrip("? ")
        answer = f": {phrases.short(before.answer)}" if before.answer else ""
        return f"{bare.rstrip('? ')} ({asked}{answer})?", f"“{pronoun}” is what was asked before"
    return _then(words.with_meaning(at, meant), before, language), f"“{pronoun}” is {meant}"


def _meant(pronoun: str, before: Earlier, language: Language) -> str | None:
    """What a pronoun stands for after the earlier question; None where that is not known."""
    known = follow_ups(language)
    if pronoun in known.personal:
        return phrases.person(before.question, before.answer, before.quotes, before.texts, pronoun, language)
    if pronoun in known.plural:
        subject = phrases.subject(before.question, before.texts, language)
        return subject or phrases.topic(before.question, before.texts, language)
    if pronoun in known.place:
        return phrases.topic(before.question, before.texts, language)
    return phrases.thing(before.question, before.texts, language)


def _then(text: str, before: Earlier, language: Language) -> str:
    """ "by then" with the time it means."""
    known = follow_ups(language)
    if known.that_time.search(text) is None:
        return _after_that(text, before, known) or text
    time = earlier_time(before.question, known)
    if time is None and before.date is not None:
        time = by_month(before.date, language)
    if time is None:
        return text
    return known.that_time.sub(f" {time}", text, count=1).replace("  ", " ")


def _after_that(text: str, before: Earlier, known: FollowUpWords) -> str | None:
    """ "after that" with what was asked before it."""
    match = known.after_that.search(text)
    if match is None:
        return None
    asked = before.question.rstrip("? ")
    return known.after_this.format(before=text[: match.start()], how=match["how"], asked=asked)


def _that_time(typed: str, before: Earlier, language: Language) -> Completion:
    """ "what went in the case after that", "how many houses that time?"."""
    known = follow_ups(language)
    bare = known.opener.sub("", typed)
    leans = known.that_time.search(bare) or known.after_that.search(bare)
    if not leans or Words.of(bare, known).n_content > _MOST_CONTENT:
        return None
    if known.then.search(bare) and not known.then_is_time.search(bare):
        return None
    text = _then(bare, before, language)
    return (text, "“that” is what was asked before") if text != bare else None


_RULES: tuple[Callable[[str, Earlier, Language], Completion], ...] = (
    _bare,
    _who_said,
    _onward,
    _elsewhen,
    _counted,
    _another,
    _pronoun,
    _that_time,
)
