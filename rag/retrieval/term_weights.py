"""How telling a word of the question is in this store, and which words it does not know."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


class Terms:
    """Question words weighted by how telling they are in this store (inverse document frequency)."""

    def __init__(
        self, split: Callable[[str], list[str]], frequency: Callable[[str], int], n_passages: int
    ) -> None:
        self._split = split
        self._frequency = frequency
        self._n = n_passages

    def weights(self, question: str) -> dict[str, float]:
        """Each distinct term of the question and its weight; a term unknown here weighs the most."""
        return {
            term: math.log((self._n + 1) / (self._frequency(term) + 0.5)) for term in self._split(question)
        }

    def coverage(self, question: str, text: str) -> float:
        """The weighted share of the question's terms that stand in a text, 0..1; 1 for no terms."""
        weights = self.weights(question)
        return _share(weights, set(self._split(text)))

    def unknown(self, question: str) -> list[str]:
        """The question's words that stand nowhere in the store, as they were typed, each once.

        >>> Terms(str.split, lambda term: int(term == "trust"), 9).unknown("trust in pizza? pizza!")
        ['in', 'pizza']
        """
        typed = dict.fromkeys(_WORD.findall(question))
        return [
            word
            for word in typed
            if (found := self._split(word)) and not any(self._frequency(term) for term in found)
        ]

    def known(self, question: str) -> float:
        """The weighted share of the question's terms that stand anywhere in the store, 0..1."""
        weights = self.weights(question)
        return _share(weights, {term for term in weights if self._frequency(term)})


def _share(weights: Mapping[str, float], present: set[str]) -> float:
    total = sum(weights.values())
    return sum(w for term, w in weights.items() if term in present) / total if total > 0 else 1.0
