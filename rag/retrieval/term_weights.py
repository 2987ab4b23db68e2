"""How telling a word of the question is in this store, and which words it does not know."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping


class TermWeights:
    """Index terms weighted by how rare they are among the store's passages (inverse document frequency).

    ``split`` turns a text into index terms, ``frequency`` says how many of the ``n_passages`` hold one.
    """

    def __init__(
        self, split: Callable[[str], list[str]], frequency: Callable[[str], int], n_passages: int
    ) -> None:
        self._split = split
        self._frequency = frequency
        self._n_passages = n_passages

    def of(self, text: str) -> dict[str, float]:
        """Each distinct term of a text and its weight; a term unknown here weighs the most."""
        return {
            term: math.log((self._n_passages + 1) / (self._frequency(term) + 0.5))
            for term in self._split(text)
        }

    def coverage(self, weights: Mapping[str, float], text: str) -> float:
        """The weighted share of the terms that stand in a text, 0..1; 1 for no terms."""
        return _share(weights, set(self._split(text)))

    def known(self, weights: Mapping[str, float]) -> float:
        """The weighted share of the terms that stand anywhere in the store, 0..1."""
        return _share(weights, {term for term in weights if self._frequency(term)})

    def unknown(self, words: Iterable[str]) -> list[str]:
        """Those words that stand nowhere in the store, as they were typed, each once.

        >>> TermWeights(str.split, lambda term: int(term == "trust"), 9).unknown(["trust", "pizza", "pizza"])
        ['pizza']
        """
        return [
            word
            for word in dict.fromkeys(words)
            if (stems := self._split(word)) and not any(self._frequency(stem) for stem in stems)
        ]


def _share(weights: Mapping[str, float], present: set[str]) -> float:
    total = sum(weights.values())
    return sum(w for term, w in weights.items() if term in present) / total if total > 0 else 1.0
