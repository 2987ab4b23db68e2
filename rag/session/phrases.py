"""The words of a question: which of them lean on what was said before, and what they may stand for.

A noun phrase is recognised by the documents: the words of a question that stand together in the cited passage.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rag.kinds import Kind, kind_of
from rag.session.names import TITLES, looks_like_person, names_in

PERSONAL = frozenset("he she him her his hers".split())
PLURAL = frozenset("they them their theirs".split())
PLACE = frozenset(["there"])
IMPERSONAL = frozenset("it its".split())
_PRONOUNS = PERSONAL | PLURAL | IMPERSONAL | PLACE
_SUBJECTS = frozenset("he she they it there".split())
_OWNERS = frozenset("his her their its".split())
_WH = frozenset("who whom whose what which when where why how".split())
_AUX = frozenset(
    """am is are was were be been being do does did have has had can could will would shall should may might
    must wasnt isnt arent werent didnt doesnt dont hasnt havent hadnt cant couldnt wouldnt wont""".split()
)
_DETERMINERS = frozenset("the a an this that these those its his her their our my your any some all each no".split())
_PREPOSITIONS = frozenset(
    """about above after against around as at before behind below between beyond by down during for from in inside
    into near of off on onto out over per since than through to toward towards under until up upon via with
    within without versus vs""".split()
)
_CLAUSES = frozenset(
    "and or but when while because if that who which whether so before after since as than where how"
    .split()
)
_SMALL = _WH | _AUX | _DETERMINERS | _PREPOSITIONS | _PRONOUNS | frozenset(
    """and or but if so because while not many much long far high often old there then now i we you me us
    more most else also even just only other others same such""".split()
)
_PAST = frozenset(
    """became began bought brought built came chose cost cut did drew fell felt fought found gave got grew had
    held hit kept knew laid led left lent let lost made meant met paid put ran rose said sat saw sent set shut
    sold spent spoke stood stopped struck swore taught thought threw told took went were won wore wrote""".split()
)
_PRESENT = frozenset(
    """agree become begin buy close come cost do drop end fall feel finish get give go happen have hear help hold
    join keep know last lead leave live look lose make mean meet move need open pay put reach retire rise run
    say see sell set show sit spend stand start stay stop take talk tell think turn want win work write""".split()
)  # fmt: skip
_TOKEN = re.compile(r"[\w£$€%]+(?:['’.,/-][\w%]+)*\+?")
_N_SHORT = 14


def short(text: str, n_words: int = _N_SHORT) -> str:
    """The first words of a text, in one line.

    >>> short("one two  three.", 2)
    'one two'
    """
    words = text.split()
    return " ".join(words[:n_words]).rstrip(" .,;:") if words else ""


def _is_verb(word: str) -> bool:
    low = word.casefold()
    if low in _PAST or low in _PRESENT or low in _AUX:
        return True
    return len(low) > 4 and low.endswith("ed")


def opens_with_verb(text: str) -> bool:
    """Whether the first word is a verb that lacks its noun: "went to the niece".

    >>> opens_with_verb("went to the niece"), opens_with_verb("businesses")
    (True, False)
    """
    words = _TOKEN.findall(text)
    if not words:
        return False
    first = words[0].casefold()
    return first in _PAST or first in _AUX - {"have", "do"} or (len(first) > 4 and first.endswith("ed"))


def is_fragment(text: str) -> bool:
    """Whether a text has no verb, so that it cannot be a question of its own.

    >>> is_fragment("the other members"), is_fragment("who led it"), is_fragment("businesses flooded")
    (True, False, False)
    """
    words = [word.casefold() for word in _TOKEN.findall(text)]
    return bool(words) and not any(_is_verb(word) for word in words) and words[0] not in _WH


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a question, as typed and in lower case."""

    text: str
    raw: tuple[str, ...]
    lower: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, text: str) -> Words:
        """The words of a text."""
        found = list(_TOKEN.finditer(text))
        raw = tuple(match.group() for match in found)
        return cls(text, raw, tuple(w.casefold().replace("’", "'") for w in raw), tuple(m.span() for m in found))

    @property
    def n_content(self) -> int:
        """How many of the words carry meaning."""
        return sum(word not in _SMALL for word in self.lower)

    def _nouns_before(self, at: int) -> list[int]:
        return [i for i in range(at) if self.lower[i] not in _SMALL and not _is_verb(self.lower[i])]

    def leaning_pronoun(self) -> int | None:
        """The first pronoun that stands for nothing in the question itself, by position; None without one.

        >>> Words.of("when did she retire").leaning_pronoun()
        2
        >>> Words.of("how did edmund farrow make his money").leaning_pronoun() is None
        True
        >>> Words.of("how much did the government pay for it").leaning_pronoun()
        7
        """
        for at, word in enumerate(self.lower):
            if word in _PRONOUNS and self._leans(at):
                return at
        return None

    def _leans(self, at: int) -> bool:
        word, nouns = self.lower[at], self._nouns_before(at)
        following = self.lower[at + 1] if at + 1 < len(self.lower) else ""
        after_aux = at > 0 and self.lower[at - 1] in _AUX
        if word == "there":  # "was there a report" names nothing; "who works there" does
            return not nouns and at == len(self.lower) - 1 and not after_aux
        if word == "it" and following in ("true", "possible", "said", "known", "that", "clear", "right"):
            return False
        if word in _SUBJECTS and after_aux:
            opened = self.lower[0] in _WH and not any(w in _CLAUSES for w in self.lower[1 : at - 1])
            return opened or not nouns
        if word in _OWNERS and following and following not in _SMALL and not (word == "her" and not following):
            if self.lower[0] in ("who", "whose") and at > 1 and self.lower[1] not in _AUX:
                return False
            return not nouns
        if not nouns:
            return not (self.lower[0] == "who" and word in PERSONAL | PLURAL and at > 1 and self.lower[1] not in _AUX)
        if word in ("it", "him", "her", "them") and following not in _AUX and not _is_verb(following):
            one_group = nouns == list(range(nouns[0], nouns[-1] + 1))
            clause = any(w in _CLAUSES for w in self.lower[nouns[0] : at])
            return one_group and not clause
        return False

    def with_meaning(self, at: int, meant: str) -> str:
        """The text with the pronoun at a position replaced by what it means, as owner where it owns.

        >>> Words.of("what was her job?").with_meaning(2, "Ann Lee")
        "what was Ann Lee's job?"
        """
        word = self.lower[at]
        following = self.lower[at + 1] if at + 1 < len(self.lower) else ""
        owns = word in ("his", "its", "their") or (word == "her" and following and following not in _SMALL)
        if owns:
            meant += "'" if meant.endswith("s") and word == "their" else "'s"
        start, end = self.spans[at]
        return f"{self.text[:start]}{meant}{self.text[end:]}".rstrip("? ") + "?"

    def clause(self) -> str | None:
        """The question from its auxiliary on, its question word taken off; None when it has none there.

        >>> Words.of("when did the trust take over").clause(), Words.of("who led it").clause()
        ('did the trust take over', None)
        """
        if not self.lower:
            return None
        if self.lower[0] in _AUX:
            return self.text.rstrip("? ")
        if self.lower[0] not in _WH:
            return None
        for at, word in enumerate(self.lower[:6]):
            if at and word in _AUX and at + 1 < len(self.lower):
                if self.lower[0] in ("who", "what", "which") and at == 1 and word not in ("did", "do", "does"):
                    return None  # "who was director" has no other subject
                return self.text[self.spans[at][0] :].rstrip("? ")
        return None

    def without_question_word(self) -> str:
        """The text without its leading question word."""
        at = 1 if self.lower and self.lower[0] in _WH and len(self.lower) > 1 else 0
        return self.text[self.spans[at][0] :].rstrip("? ") if self.spans else self.text


def _normal(text: str) -> str:
    return " ".join(word.casefold().replace("’", "").replace("'", "") for word in _TOKEN.findall(text))


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
        if end is not None and (determined or words.lower[first] in capitals or words.raw[first][0].isupper()):
            found.append((at, end))
            at = end
        else:
            at += 1
    return found


def _longest(words: Words, first: int, known: Sequence[str]) -> int | None:
    """Where the longest run of words from ``first`` on ends that stands in a text and ends in a noun."""
    best = None
    if first >= len(words.lower) or words.lower[first] in _SMALL:
        return None
    for end in range(first + 1, min(len(words.lower), first + 7) + 1):
        run = f" {_normal(' '.join(words.raw[first:end]))} "
        if not any(run in text for text in known):
            break
        last = words.lower[end - 1]
        if last not in _SMALL and not (_is_verb(last) and end - first > 1):
            best = end
    if best is None and not _is_verb(words.lower[first]):
        return first + 1  # unknown to the texts, yet "the X" is a phrase whatever X is
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
        if word in _AUX:
            for start, end in found:
                if start == at + 1:
                    return _phrase(words, (start, end))
            following = words.lower[at + 1]
            if following not in _SMALL and not _is_verb(following):
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
    asked = {word.casefold() for word in _TOKEN.findall(question)}
    people: dict[str, None] = {}
    for text in (answer, *quotes, *texts):
        for name in names_in(text):
            if looks_like_person(name):
                people.setdefault(name)
    fitting = [name for name in people if _gender(name) in ("", pronoun[0])]
    named = [name for name in fitting if asked & {w.casefold() for w in name.split()} - TITLES]
    of_answer = [name for name in fitting if name in " ".join(answer.split()) or any(name in q for q in quotes[:1])]
    order = [*of_answer, *named] if kind_of(question) is Kind.WHO else [*named, *of_answer]
    return (order or fitting or [None])[0]


def _gender(name: str) -> str:
    title = name.split()[0].strip(".").casefold()
    return {"mr": "h", "sir": "h", "lord": "h", "mrs": "s", "ms": "s", "miss": "s", "lady": "s", "baroness": "s"}.get(
        title, ""
    )


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
    for word in _TOKEN.findall(match["rest"]):
        low = word.casefold()
        if low in _AUX | _PREPOSITIONS | _WH or (kept and _is_verb(low)):
            break
        kept.append(word)
    return " ".join(kept) or None


def recounted(question: str, wh: str, noun: str) -> str | None:
    """A "how many" question counting something else; None when it is none."""
    before = counted_noun(question)
    if before is None:
        return None
    return re.sub(
        rf"^how (?:many|much)\s+{re.escape(before)}", lambda _: f"{wh} {noun}", question.strip(), flags=re.I
    ).rstrip("? ") + "?"


def swapped_name(question: str, name: str, texts: Sequence[str]) -> str | None:
    """The question with its one name put out for another; None unless both are names."""
    if not name[:1].isupper():
        return None
    words = Words.of(question)
    named = [span for span in noun_phrases(question, texts) if words.raw[span[0]][0].isupper() and span[0] > 0]
    if len(named) != 1:
        return None
    start, end = words.spans[named[0][0]][0], words.spans[named[0][1] - 1][1]
    return f"{question[:start]}{name}{question[end:]}"
