"""What the leaning words of a question stand for: phrases of the question before, names in its evidence.

A noun phrase is recognised by the documents: words of a question that stand together in the cited passage.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.answering.question import Kind, kind_of
from rag.session.followups.words import TOKEN, Words, follow_ups, is_verb
from rag.text.language import FollowUpWords, Language
from rag.text.names import looks_like_person, name_parts, names_in, pronoun_of

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


def noun_phrases(question: str, texts: Sequence[str], language: Language) -> list[tuple[int, int]]:
    """Ranges of a question's words that stand together in the texts: phrases with "the", and names.

    >>> from rag.text.english import ENGLISH
    >>> noun_phrases("when did the thorne wing open", ["The Thorne Wing opened."], ENGLISH)
    [(2, 5)]
    """
    words = Words.of(question, follow_ups(language))
    known = [f" {_normal(text)} " for text in texts]
    capitals = {
        part.casefold() for text in texts for name in names_in(text, language) for part in name.split()
    }
    phrases: list[tuple[int, int]] = []
    at = 0
    while at < len(words.lower):
        determined = words.lower[at] in words.language.articles
        first = at + 1 if determined else at
        end = _longest(words, first, known)
        if end is not None and (
            determined or words.lower[first] in capitals or words.raw[first][0].isupper()
        ):
            phrases.append((at, end))
            at = end
        else:
            at += 1
    return phrases


def _longest(words: Words, first: int, known: Sequence[str]) -> int | None:
    """Where the longest run of words from ``first`` on ends that stands in a text and ends in a noun."""
    language = words.language
    best = None
    if first >= len(words.lower) or words.lower[first] in language.small:
        return None
    for end in range(first + 1, min(len(words.lower), first + 7) + 1):
        run = f" {_normal(' '.join(words.raw[first:end]))} "
        if not any(run in text for text in known):
            break
        last = words.lower[end - 1]
        if last not in language.small and not (is_verb(last, language) and end - first > 1):
            best = end
    if best is None and not is_verb(words.lower[first], language):
        best = first + 1  # unknown to the texts, yet "the X" is a phrase whatever X is
    while best is not None and words.lower[best - 1] in language.before_nouns and best < len(words.lower):
        best += 1  # "the second" is no phrase: its noun comes next
    return best


def _phrase(words: Words, span: tuple[int, int]) -> str:
    return words.text[words.spans[span[0]][0] : words.spans[span[1] - 1][1]]


def topic(question: str, texts: Sequence[str], language: Language) -> str | None:
    """What a question is about: its last noun phrase that is no time, else its first."""
    words = Words.of(question, follow_ups(language))
    spans = noun_phrases(question, texts, language)
    timeless = [span for span in spans if not words.lower[span[1] - 1].isdigit()]
    return _phrase(words, timeless[0]) if timeless else None


def subject(question: str, texts: Sequence[str], language: Language) -> str | None:
    """The noun phrase after a question's auxiliary: who or what does it.

    >>> from rag.text.english import ENGLISH
    >>> subject("why did brackwell leave the scheme?", ["Brackwell Civil left"], ENGLISH)
    'brackwell'
    """
    words = Words.of(question, follow_ups(language))
    known = words.language
    spans = noun_phrases(question, texts, language)
    for at, word in enumerate(words.lower[:-1]):
        if word in known.auxiliaries:
            for start, end in spans:
                if start == at + 1:
                    return _phrase(words, (start, end))
            following = words.lower[at + 1]
            if following not in known.small and not is_verb(following, known):
                return words.raw[at + 1]
    return None


def thing(question: str, texts: Sequence[str], language: Language) -> str | None:
    """What "it" stands for after a question: its subject, unless that is a person; else its topic."""
    names = {
        name.casefold()
        for text in texts
        for name in names_in(text, language)
        if looks_like_person(name, language)
    }

    def personal(phrase: str) -> bool:
        return any(phrase.casefold() in name for name in names)

    words = Words.of(question, follow_ups(language))
    first = subject(question, texts, language)
    if first is not None and not personal(first):
        return first
    phrases = [_phrase(words, span) for span in noun_phrases(question, texts, language)]
    return next((phrase for phrase in phrases if not personal(phrase)), None)


def person(
    question: str,
    answer: str,
    quotes: Sequence[str],
    texts: Sequence[str],
    pronoun: str,
    language: Language,
) -> str | None:
    """Whom "he" or "she" means: a person the question named, or the one that answered it."""
    meant = follow_ups(language).personal[pronoun]
    asked = {word.casefold() for word in TOKEN.findall(question)}
    people: dict[str, None] = {}
    for text in (answer, *quotes, *texts):
        for name in names_in(text, language):
            if looks_like_person(name, language):
                people.setdefault(name)
    titles = {name: pronoun_of(name, language) for name in people}
    fitting = [name for name in people if titles[name] in ("", meant)]
    named = [name for name in fitting if asked & name_parts(name, language)]
    answering = [name for name in fitting if name in " ".join(answer.split())]
    titled = [name for name in fitting if titles[name]]
    quoted = [name for name in fitting if any(name in " ".join(quote.split()) for quote in quotes[:1])]
    first = (answering, named) if kind_of(question, language) is Kind.WHO else (named, answering)
    tier = next((names for names in (*first, titled, quoted, fitting) if names), [])
    return next(iter(sorted(tier, key=lambda name: not titles[name])), None)


def counted_noun(question: str, language: FollowUpWords) -> str | None:
    """What a "how many" question counts.

    >>> from rag.text.english import FOLLOW_UPS
    >>> counted_noun("how many farrow pieces did the museum get to keep", FOLLOW_UPS)
    'farrow pieces'
    """
    match = language.counted.match(question.strip())
    if match is None:
        return None
    kept: list[str] = []
    for word in TOKEN.findall(match["rest"]):
        low = word.casefold()
        ends = language.auxiliaries | language.prepositions | language.question_words
        if low in ends or (kept and is_verb(low, language)):
            break
        kept.append(word)
    return " ".join(kept) or None


def recounted(question: str, wh: str, noun: str, language: FollowUpWords) -> str | None:
    """A "how many" question counting something else; None when it is none."""
    match, before = language.counted.match(question.strip()), counted_noun(question, language)
    if match is None or before is None:
        return None
    rest = match["rest"]
    if rest.casefold().startswith(before.casefold()):
        return f"{wh} {noun}{rest[len(before) :]}".rstrip("? ") + "?"
    return question.strip().rstrip("? ") + "?"


def swapped_name(question: str, name: str, texts: Sequence[str], language: Language) -> str | None:
    """The question with its one name put out for another; None unless both are names."""
    if not name[:1].isupper():
        return None
    words = Words.of(question, follow_ups(language))
    capital = [
        span
        for span in noun_phrases(question, texts, language)
        if words.raw[span[0]][0].isupper() and span[0] > 0
    ]
    if len(capital) != 1:
        return None
    start, end = words.spans[capital[0][0]][0], words.spans[capital[0][1] - 1][1]
    return f"{question[:start]}{name}{question[end:]}"
