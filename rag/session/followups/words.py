"""The words of a question, and which of them lean on what was said before."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.text.language import FollowUpWords, Language

TOKEN = re.compile(r"[\w£$€%]+(?:['’.,/-][\w%]+)*\+?")


def follow_ups(language: Language) -> FollowUpWords:
    """The follow-up words of a language that has them."""
    if language.follow_ups is None:
        raise ValueError(f"{language.name} has no words for follow-ups")
    return language.follow_ups


def is_verb(word: str, language: FollowUpWords) -> bool:
    """Whether a word is one of the verbs known here, or ends as a past form does."""
    low = word.casefold()
    return low in language.present or low in language.auxiliaries or _is_past(low, language)


def _is_past(word: str, language: FollowUpWords) -> bool:
    return word in language.past or (len(word) > 4 and word.endswith(language.past_ending))


def opens_with_verb(text: str, language: FollowUpWords) -> bool:
    """Whether the first word is a verb that lacks its noun: "went to the niece".

    >>> from rag.text.english import FOLLOW_UPS
    >>> opens_with_verb("went to the niece", FOLLOW_UPS), opens_with_verb("businesses", FOLLOW_UPS)
    (True, False)
    """
    words = TOKEN.findall(text)
    if not words:
        return False
    first = words[0].casefold()
    return first in language.auxiliaries - language.present or _is_past(first, language)


def is_fragment(text: str, language: FollowUpWords) -> bool:
    """Whether a text has no verb, so that it cannot be a question of its own.

    >>> from rag.text.english import FOLLOW_UPS
    >>> [is_fragment(text, FOLLOW_UPS) for text in ("the other members", "who led it", "businesses flooded")]
    [True, False, False]
    """
    words = [word.casefold() for word in TOKEN.findall(text)]
    verbs = any(is_verb(word, language) for word in words)
    return bool(words) and not verbs and words[0] not in language.question_words


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a question, as typed and in lower case."""

    text: str
    raw: tuple[str, ...]
    lower: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    language: FollowUpWords

    @classmethod
    def of(cls, text: str, language: FollowUpWords) -> Words:
        """The words of a text."""
        tokens = list(TOKEN.finditer(text))
        raw = tuple(match.group() for match in tokens)
        lower = tuple(word.casefold().replace("’", "'") for word in raw)
        return cls(text, raw, lower, tuple(match.span() for match in tokens), language)

    @property
    def n_content(self) -> int:
        """How many of the words carry meaning."""
        return sum(word not in self.language.small for word in self.lower)

    def _nouns_before(self, at: int) -> list[int]:
        known = self.language
        return [
            i for i in range(at) if self.lower[i] not in known.small and not is_verb(self.lower[i], known)
        ]

    def leaning_pronoun(self) -> int | None:
        """The first pronoun that stands for nothing in the question itself, by position; None without one.

        >>> from rag.text.english import FOLLOW_UPS
        >>> Words.of("when did she retire", FOLLOW_UPS).leaning_pronoun()
        2
        >>> Words.of("how did edmund farrow make his money", FOLLOW_UPS).leaning_pronoun() is None
        True
        >>> Words.of("how much did the government pay for it", FOLLOW_UPS).leaning_pronoun()
        7
        """
        known = self.language
        pronouns = known.personal.keys() | known.plural | known.impersonal | known.place
        return next((at for at, word in enumerate(self.lower) if word in pronouns and self._leans(at)), None)

    def _leans(self, at: int) -> bool:
        known = self.language
        word, nouns = self.lower[at], self._nouns_before(at)
        following = self.lower[at + 1] if at + 1 < len(self.lower) else ""
        after_aux = at > 0 and self.lower[at - 1] in known.auxiliaries
        if word in known.place:  # "was there a report" names nothing; "who works there" does
            return not nouns and at == len(self.lower) - 1 and not after_aux
        if word in known.impersonal & known.subjects and (
            following in known.empty_subjects or known.weather & set(self.lower)
        ):
            return False
        if word in known.subjects and after_aux:
            opened = self.lower[0] in known.question_words and not any(
                w in known.clauses for w in self.lower[1 : at - 1]
            )
            return opened or not nouns
        # "who sold his farm", "who says they left": the pronoun is of whoever is asked for
        of_asked = self.lower[0] in known.persons_asked and at > 1 and self.lower[1] not in known.auxiliaries
        if word in known.owners and following and following not in known.small:
            return not nouns and not of_asked
        if not nouns:
            return not (of_asked and word in known.personal.keys() | known.plural)
        if word in known.objects and following not in known.auxiliaries and not is_verb(following, known):
            one_group = nouns == list(range(nouns[0], nouns[-1] + 1))
            clause = any(w in known.clauses for w in self.lower[nouns[0] : at])
            return one_group and not clause
        return False

    def with_meaning(self, at: int, meant: str) -> str:
        """The text with the pronoun at a position replaced by what it means, as owner where it owns.

        >>> from rag.text.english import FOLLOW_UPS
        >>> Words.of("what was her job?", FOLLOW_UPS).with_meaning(2, "Ann Lee")
        "what was Ann Lee's job?"
        """
        known = self.language
        word = self.lower[at]
        following = self.lower[at + 1] if at + 1 < len(self.lower) else ""
        # "her" is an owner before a noun alone; "his" always
        noun_follows = bool(following) and following not in known.small
        if word in known.owners and (word not in known.objects or noun_follows):
            many = word in known.plural and meant.endswith("s")
            meant = (known.owner_in_s if many else known.owner).format(meant=meant)
        start, end = self.spans[at]
        return f"{self.text[:start]}{meant}{self.text[end:]}".rstrip("? ") + "?"

    def clause(self) -> str | None:
        """The question from its auxiliary on, its question word taken off; None when it has none there.

        >>> from rag.text.english import FOLLOW_UPS
        >>> Words.of("when did the trust take over", FOLLOW_UPS).clause()
        'did the trust take over'
        >>> Words.of("who led it", FOLLOW_UPS).clause() is None
        True
        """
        known = self.language
        if not self.lower:
            return None
        if self.lower[0] in known.auxiliaries:
            return self.text.rstrip("? ")
        if self.lower[0] not in known.question_words:
            return None
        for at, word in enumerate(self.lower[:6]):
            if at and word in known.auxiliaries and at + 1 < len(self.lower):
                if self.lower[0] in known.may_be_subject and at == 1 and word not in known.with_subject:
                    return None  # "who was director" has no other subject
                return self.text[self.spans[at][0] :].rstrip("? ")
        return None

    def without_question_word(self) -> str:
        """The text without its leading question word."""
        at = int(len(self.lower) > 1 and self.lower[0] in self.language.question_words)
        return self.text[self.spans[at][0] :].rstrip("? ") if self.spans else self.text
