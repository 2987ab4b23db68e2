"""Sequences of words found in a text in one pass, however many are looked for (Aho & Corasick 1975)."""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_JOINERS = "\u00ad\u200b-\u200d\u2060\ufeff\u0300-\u036f"  # stand inside a word without ending it
_OWNER = r"['’ʼ][sS](?![^\W\d_])"  # a word of its own, so that "St Oswin" is found in "St Oswin's"
_WORD = re.compile(
    rf"\d+(?:[.,]\d+)*|(?<=[^\W\d_]){_OWNER}|[£$€¥%]"
    rf"|[^\W\d_]+(?:(?!{_OWNER})['’ʼ{_JOINERS}]+[^\W\d_]+)*[\u0300-\u036f]*"
)
_DROPPED = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a text: ``key`` is equal for equal words, whatever their case and typography."""

    key: str
    start: int
    end: int


def words(text: str) -> list[Word]:
    """The words, figures and signs of money and per cent in a text, in order.

    >>> [word.key for word in words("The Trust’s £6.5m")]
    ['the', 'trust', "'s", '£', '6.5', 'm']
    """
    return [Word(_key(match.group()), match.start(), match.end()) for match in _WORD.finditer(text)]


def _key(word: str) -> str:
    if not word.isascii():
        word = unicodedata.normalize("NFKC", _DROPPED.sub("", word)).replace("’", "'").replace("ʼ", "'")
    return word.casefold()


class WordMatcher:
    """Finds given sequences of word keys in a text, in time linear in the text and in what is found.

    >>> matcher = WordMatcher([("the", "trust"), ("trust",)])
    >>> list(matcher.find(words("Of the trust")))
    [(0, 1, 3), (1, 2, 3)]
    """

    def __init__(self, sequences: Iterable[Sequence[str]]) -> None:
        self._next: list[dict[str, int]] = [{}]
        self._found: list[list[tuple[int, int]]] = [[]]  # per state: (number of the sequence, its length)
        for number, keys in enumerate(sequences):
            state = 0
            for key in keys:
                if key not in self._next[state]:
                    self._next[state][key] = len(self._next)
                    self._next.append({})
                    self._found.append([])
                state = self._next[state][key]
            if state:
                self._found[state].append((number, len(keys)))
        self._link()

    def _link(self) -> None:
        """Each state's longest proper suffix that is a state, and the nearest such suffix that is a find."""
        self._suffix = [0] * len(self._next)
        self._found_suffix = [0] * len(self._next)
        waiting = deque(self._next[0].values())
        while waiting:
            state = waiting.popleft()
            for key, child in self._next[state].items():
                suffix = self._suffix[state]
                while suffix and key not in self._next[suffix]:
                    suffix = self._suffix[suffix]
                self._suffix[child] = suffix = self._next[suffix].get(key, 0)
                self._found_suffix[child] = suffix if self._found[suffix] else self._found_suffix[suffix]
                waiting.append(child)

    def find(self, text: Sequence[Word]) -> Iterator[tuple[int, int, int]]:
        """Every place of every sequence as (number of the sequence, first word, one past the last)."""
        state = 0
        for at, word in enumerate(text, start=1):
            while state and word.key not in self._next[state]:
                state = self._suffix[state]
            state = self._next[state].get(word.key, 0)
            ending = state
            while ending:
                for number, length in self._found[ending]:
                    yield number, at - length, at
                ending = self._found_suffix[ending]
