"""Index terms: the words of a text as the lexical index counts them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from rag.text.english import ENGLISH
from rag.text.language import Language

_WORD = re.compile(r"\w+(?:['’]\w+)*")
_POSSESSIVES = ("'s", "’s")


@lru_cache(maxsize=4)
def _stemmer(algorithm: str) -> Any:
    import Stemmer

    return Stemmer.Stemmer(algorithm)


def terms(text: str, language: Language = ENGLISH) -> list[str]:
    """The index terms of a text: lower-cased, possessives cut, stop words out, stemmed.

    >>> terms("The council's decisions, and the trust’s")
    ['council', 'decis', 'trust']
    """
    words = (word[:-2] if word.endswith(_POSSESSIVES) else word for word in _WORD.findall(text.casefold()))
    kept = [word for word in words if word not in language.stop_words]
    stems: list[str] = _stemmer(language.stemmer).stemWords(kept)
    return stems
