"""What the leaning words of a question stand for: phrases of the question before, names in its evidence.

A noun phrase is recognised by the documents: words of a question that stand together in the cited passage.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rag.answering.question import Kind, kind_of
from rag.session.followups.words import AUX, PREPOSITIONS, SMALL, TOKEN, WH, Words, is_verb
from rag.text.names import TITLES, looks_like_person, names_in

_N_SHORT = 14


def short(text: str, n_words: int = _N_SHORT) -> str:
    """The first words of a text, in one line.

    >>> short("one two  three.", 2)
    'one two'
    """
    words = text.split()
    return " ".join(words[:n_words]).rstrip(" .,;:") if words else ""


def _normal(text: str) -> str:
    return " ".join(word.casefold().replace("’", "").replace("'", "") for word in TOKEN.findall(text))


def noun_phrases(question: str, texts: Iterable[str]) -> list[tuple[int, int]]:
    """Ranges of a question's words that stand together in the texts: phrases with "the", and names.

    >>> noun_phrases("when did the thorne wing open", ["The Thorne Wing opened."])
    [(2, 5)]
    """
    words = Words.of(question)
    known = [f" {_normal(text)} " for text in texts]
    capitals = {part.casefold() for text in texts for name in names_in(text) for part in name.split()}
    found: list[tuple[int, int]] = []
    at = 0
    while at < len(words.lower):
        determined = words.lower[at] in ("the", "a", "an")
        first = at + 1 if determined else at
        end = _longest(words, first, known)
        if end is not None and (
            determined or words.lower[first] in capitals or words.raw[first][0].isupper()
        ):
            found.append((at, end))
            at = end
        else:
            at += 1
    return found


_BEFORE_NOUNS = frozenset("first second third fourth last next new old main whole former same".split())


def _longest(words: Words, first: int, known: Sequence[str]) -> int | None:
    """Where the longest run of words from ``first`` on ends that stands in a text and ends in a noun."""
    best = None
    if first >= len(words.lower) or words.lower[first] in SMALL:
        return None
    for end in range(first + 1, min(len(words.lower), first + 7) + 1):
        run = f" {_normal(' '.join(words.raw[first:end]))} "
        if not any(run in text for text in known):
            break
        last = words.lower[end - 1]
        if last not in SMALL and not (is_verb(last) and end - first > 1):
            best = end
    if best is None and not is_verb(words.lower[first]):
        best = first + 1  # unknown to the texts, yet "the X" is a phrase whatever X is
    while best is not None and words.lower[best - 1] in _BEFORE_NOUNS and best < len(words.lower):
        best += 1  # "the second" is no phrase: its noun comes next
    return best


def _phrase(words: Words, span: tuple[int, int]) -> str:
    return words.text[words.spans[span[0]][0] : words.spans[span[1] - 1][1]]


def topic(question: str, texts: Sequence[str]) -> str | None:
    """What a question is about: its last noun phrase that is no time, else its first."""
    words = Words.of(question)
    found = [span for span in noun_phrases(question, texts) if not words.lower[span[1] - 1].isdigit()]
    return _phrase(words, found[0]) if found else None


def subject(question: str, texts: Sequence[str]) -> str | None:
    """The noun phrase after a question's auxiliary: who or what does it.

    >>> subject("why did brackwell leave the scheme?", ["Brackwell Civil left"])
    'brackwell'
    """
    words = Words.of(question)
    found = noun_phrases(question, texts)
    for at, word in enumerate(words.lower[:-1]):
        if word in AUX:
            for start, end in found:
                if start == at + 1:
                    return _phrase(words, (start, end))
            following = words.lower[at + 1]
            if following not in SMALL and not is_verb(following):
                return words.raw[at + 1]
    return None


def thing(question: str, texts: Sequence[str]) -> str | None:
    """What "it" stands for after a question: its subject, unless that is a person; else its topic."""
    names = {name.casefold() for text in texts for name in names_in(text) if looks_like_person(name)}

    def personal(phrase: str) -> bool:
        return any(phrase.casefold() in name for name in names)

    words = Words.of(question)
    first = subject(question, texts)
    if first is not None and not personal(first):
        return first
    phrases = [_phrase(words, span) for span in noun_phrases(question, texts)]
    return next((phrase for phrase in phrases if not personal(phrase)), None)


def person(
    question: str, answer: str, quotes: Sequence[str], texts: Sequence[str], pronoun: str
) -> str | None:
    """Whom "he" or "she" means: a person the question named, or the one that answered it."""
    asked = {word.casefold() for word in TOKEN.findall(question)}
    people: dict[str, None] = {}
    for text in (answer, *quotes, *texts):
        for name in names_in(text):
            if looks_like_person(name):
                people.setdefault(name)
    fitting = [name for name in people if _gender(name) in ("", pronoun[0])]
    named = [name for name in fitting if asked & {w.casefold() for w in name.split()} - TITLES]
    answering = [name for name in fitting if name in " ".join(answer.split())]
    titled = [name for name in fitting if _gender(name)]
    quoted = [name for name in fitting if any(name in " ".join(quote.split()) for quote in quotes[:1])]
    first = (answering, named) if kind_of(question) is Kind.WHO else (named, answering)
    tier = next((names for names in (*first, titled, quoted, fitting) if names), [])
    return next(iter(sorted(tier, key=lambda name: not _gender(name))), None)


def _gender(name: str) -> str:
    title = name.split()[0].strip(".").casefold()
    return {
        "mr": "h",
        "sir": "h",
        "lord": "h",
        "mrs": "s",
        "ms": "s",
        "miss": "s",
        "lady": "s",
        "baroness": "s",
    }.get(title, "")


_COUNT = re.compile(r"^(?P<wh>how many|how much)\s+(?P<rest>.+)$", re.I)


def counted_noun(question: str) -> str | None:
    """What a "how many" question counts.

    >>> counted_noun("how many farrow pieces did the museum get to keep")
    'farrow pieces'
    """
    match = _COUNT.match(question.strip())
    if match is None:
        return None
    kept: list[str] = []
    for word in TOKEN.findall(match["rest"]):
        low = word.casefold()
        if low in AUX | PREPOSITIONS | WH or (kept and is_verb(low)):
            break
        kept.append(word)
    return " ".join(kept) or None


def recounted(question: str, wh: str, noun: str) -> str | None:
    """A "how many" question counting something else; None when it is none."""
    before = counted_noun(question)
    if before is None:
        return None
    return (
        re.sub(
            rf"^how (?:many|much)\s+{re.escape(before)}",
            lambda _: f"{wh} {noun}",
            question.strip(),
            flags=re.I,
        ).rstrip("? ")
        + "?"
    )


def swapped_name(question: str, name: str, texts: Sequence[str]) -> str | None:
    """The question with its one name put out for another; None unless both are names."""
    if not name[:1].isupper():
        return None
    words = Words.of(question)
    named = [
        span for span in noun_phrases(question, texts) if words.raw[span[0]][0].isupper() and span[0] > 0
    ]
    if len(named) != 1:
        return None
    start, end = words.spans[named[0][0]][0], words.spans[named[0][1] - 1][1]
    return f"{question[:start]}{name}{question[end:]}"
