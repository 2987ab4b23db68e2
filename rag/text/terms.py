"""Index terms: the words of a text as the lexical index counts them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from rag.errors import SettingsError

# Function words and the words questions are made of: a passage is not nearer for sharing "what" or "the".
STOP_WORDS = frozenset(
    """a about all also am an and any are as at be been being but by can could did do does for from had has
    have he her hers him his how i if in into is it its me my of on or our she should so some than that the
    their them then there these they this those to us was we were what when where which who whom whose why
    will with would you your""".split()
)


_WORD = re.compile(r"\w+(?:['’]\w+)*")


@lru_cache(maxsize=4)
def _stemmer(language: str) -> Any:
    import Stemmer

    try:
        return Stemmer.Stemmer(language)
    except KeyError:
        known = ", ".join(Stemmer.algorithms())
        raise SettingsError(f"no stemmer for language {language!r}", f"choose one of: {known}") from None


def terms(text: str, language: str = "english") -> list[str]:
    """The index terms of a text: lower-cased, possessives cut, stop words out, stemmed.

    >>> terms("The council's decisions, and the trust’s")
    ['council', 'decis', 'trust']
    """
    words = (re.sub(r"['’]s?$", "", word) for word in _WORD.findall(text.casefold()))
    kept = [word for word in words if word and word not in STOP_WORDS]
    stems: list[str] = _stemmer(language).stemWords(kept)
    return stems
