"""Words divided at the end of a line: which hyphens were the printer's and which the writer's."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from rag.text.english import ENGLISH

_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_WORDS = ENGLISH.lines


class Vocabulary:
    """The words of a document, which show how it writes those that a line end divides."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._counts: Counter[str] = Counter()
        for text in texts:
            # A line's first and last words may be halves, and prove nothing.
            self._counts.update(word.lower() for word in _WORD.findall(text)[1:-1])

    def joint(self, before: str, after: str) -> str:
        """What to put between two halves: nothing, or the hyphen.

        >>> words = Vocabulary(["the responsibility of each", "a long-term plan", "of care leavers only"])
        >>> words.joint("re", "sponsibility for"), words.joint("a long", "term"), words.joint("im", "prove")
        ('', '-', '')
        """
        left, right = before.rsplit(" ", 1)[-1], after.split(" ", 1)[0]
        if not left or not left[-1].isalpha() or not right[0].islower():
            return "-"
        left, right = left.lower().lstrip("(“‘\"'"), re.sub(r"\W+$", "", right.lower())
        if self._counts[left + right]:
            return ""
        if self._counts[f"{left}-{right}"] or "-" in left or left in _WORDS.keeps_hyphen:
            return "-"
        both_are_words = self._counts[left] and self._counts[right]
        return "-" if both_are_words else ""
