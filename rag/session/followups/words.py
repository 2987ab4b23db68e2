"""The words of a question, and which of them lean on what was said before."""

from __future__ import annotations

import re
from dataclasses import dataclass

PERSONAL = frozenset("he she him her his hers".split())
PLURAL = frozenset("they them their theirs".split())
PLACE = frozenset(["there"])
IMPERSONAL = frozenset("it its".split())
_PRONOUNS = PERSONAL | PLURAL | IMPERSONAL | PLACE
_SUBJECTS = frozenset("he she they it there".split())
_OWNERS = frozenset("his her their its".split())
WH = frozenset("who whom whose what which when where why how".split())
AUX = frozenset(
    """am is are was were be been being do does did have has had can could will would shall should
    may might must wasnt isnt arent werent didnt doesnt dont hasnt havent hadnt cant couldnt wouldnt
    wont""".split()
)
_DETERMINERS = frozenset(
    "the a an this that these those its his her their our my your any some all each no".split()
)
PREPOSITIONS = frozenset(
    """about above after against around as at before behind below between beyond by down during for from
    in inside into near of off on onto out over per since than through to toward towards under until
    up upon via with within without versus vs""".split()
)
_CLAUSES = frozenset(
    "and or but when while because if that who which whether so before after since as than where how".split()
)
SMALL = (
    WH
    | AUX
    | _DETERMINERS
    | PREPOSITIONS
    | _PRONOUNS
    | frozenset(
        """and or but if so because while not many much long far high often old there then now i we you me us
    more most else also even just only other others same such""".split()
    )
)
_PAST = frozenset(
    """became began bought brought built came chose cost cut did drew fell felt fought found gave got
    grew had held hit kept knew laid led left lent let lost made meant met paid put ran rose said sat
    saw sent set shut sold spent spoke stood stopped struck swore taught thought threw told took went
    were won wore wrote""".split()
)
_PRESENT = frozenset(
    """agree become begin buy close come cost do drop end fall feel finish get give go happen have hear
    help hold join keep know last lead leave live look lose make mean meet move need open pay put
    reach retire rise run say see sell set show sit spend stand start stay stop take talk tell think
    turn want win work write""".split()
)
# "it" that stands for nothing: "is it true that", "is it raining".
_EMPTY = frozenset("true possible said known that clear right worth".split())
_WEATHER = frozenset("rain raining rained snow snowing snowed sunny cold hot dark late o'clock".split())
TOKEN = re.compile(r"[\w£$€%]+(?:['’.,/-][\w%]+)*\+?")


def is_verb(word: str) -> bool:
    """Whether a word is one of the verbs known here, or ends as a past form does."""
    low = word.casefold()
    if low in _PAST or low in _PRESENT or low in AUX:
        return True
    return len(low) > 4 and low.endswith("ed")


def opens_with_verb(text: str) -> bool:
    """Whether the first word is a verb that lacks its noun: "went to the niece".

    >>> opens_with_verb("went to the niece"), opens_with_verb("businesses")
    (True, False)
    """
    words = TOKEN.findall(text)
    if not words:
        return False
    first = words[0].casefold()
    return first in _PAST or first in AUX - {"have", "do"} or (len(first) > 4 and first.endswith("ed"))


def is_fragment(text: str) -> bool:
    """Whether a text has no verb, so that it cannot be a question of its own.

    >>> is_fragment("the other members"), is_fragment("who led it"), is_fragment("businesses flooded")
    (True, False, False)
    """
    words = [word.casefold() for word in TOKEN.findall(text)]
    return bool(words) and not any(is_verb(word) for word in words) and words[0] not in WH


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
        found = list(TOKEN.finditer(text))
        raw = tuple(match.group() for match in found)
        return cls(
            text, raw, tuple(w.casefold().replace("’", "'") for w in raw), tuple(m.span() for m in found)
        )

    @property
    def n_content(self) -> int:
        """How many of the words carry meaning."""
        return sum(word not in SMALL for word in self.lower)

    def _nouns_before(self, at: int) -> list[int]:
        return [i for i in range(at) if self.lower[i] not in SMALL and not is_verb(self.lower[i])]

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
        after_aux = at > 0 and self.lower[at - 1] in AUX
        if word == "there":  # "was there a report" names nothing; "who works there" does
            return not nouns and at == len(self.lower) - 1 and not after_aux
        if word == "it" and (following in _EMPTY or _WEATHER & set(self.lower)):
            return False
        if word in _SUBJECTS and after_aux:
            opened = self.lower[0] in WH and not any(w in _CLAUSES for w in self.lower[1 : at - 1])
            return opened or not nouns
        if word in _OWNERS and following and following not in SMALL and not (word == "her" and not following):
            if self.lower[0] in ("who", "whose") and at > 1 and self.lower[1] not in AUX:
                return False
            return not nouns
        if not nouns:
            return not (
                self.lower[0] == "who" and word in PERSONAL | PLURAL and at > 1 and self.lower[1] not in AUX
            )
        if word in ("it", "him", "her", "them") and following not in AUX and not is_verb(following):
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
        owns = word in ("his", "its", "their") or (word == "her" and following and following not in SMALL)
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
        if self.lower[0] in AUX:
            return self.text.rstrip("? ")
        if self.lower[0] not in WH:
            return None
        for at, word in enumerate(self.lower[:6]):
            if at and word in AUX and at + 1 < len(self.lower):
                if (
                    self.lower[0] in ("who", "what", "which")
                    and at == 1
                    and word not in ("did", "do", "does")
                ):
                    return None  # "who was director" has no other subject
                return self.text[self.spans[at][0] :].rstrip("? ")
        return None

    def without_question_word(self) -> str:
        """The text without its leading question word."""
        at = 1 if self.lower and self.lower[0] in WH and len(self.lower) > 1 else 0
        return self.text[self.spans[at][0] :].rstrip("? ") if self.spans else self.text
