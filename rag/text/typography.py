"""The same words in other typography: quotation marks, dashes, white space, letter forms."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

_MARKS = re.compile("[\"“”„‟«»‹›＂'‘’‚‛′‵ʼ`´]")
_DASHES = re.compile(r"\s*[-‐‑‒–—―−]+\s*")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_SPACE = re.compile(r"\s+")
_CLOSING_STOP = re.compile(r"[\s,.;:]+$")


def _even_letters(text: str) -> str:
    """Ligatures, ellipses, full-width and decomposed letters as plain ones."""
    return unicodedata.normalize("NFKC", text)


def _even_space(text: str) -> str:
    return _SPACE.sub(" ", _INVISIBLE.sub("", text)).strip()


def _without_stop(text: str) -> str:
    return _CLOSING_STOP.sub("", text)


# In the order they are told to a person. All together they make `folded`.
_FOLDS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("white space", _even_space),
    ("quotation marks", lambda text: _MARKS.sub("'", text)),
    ("dashes", lambda text: _DASHES.sub("-", text)),
    ("letter forms", _even_letters),
    ("punctuation at the end", _without_stop),
)


def folded(text: str) -> str:
    """The text with typographic variants evened out; equal results mean the same words.

    >>> folded("“It’s  ﬁne — really…”") == folded("'It's fine - really...'")
    True
    """
    text = _even_letters(text)
    for name, fold in _FOLDS:
        if name != "punctuation at the end":
            text = fold(text)
    return text


def differences(here: str, there: str) -> list[str] | None:
    """What parts two texts typographically; empty for equal ones, None when it is more than typography.

    >>> differences("the trust’s  staff,", "the trust's staff"), differences("a", "b")
    (['white space', 'quotation marks', 'punctuation at the end'], None)
    """
    if here == there:
        return []
    if _without_stop(folded(here)) != _without_stop(folded(there)):
        return None
    named = []
    for name, _ in _FOLDS:
        left, right = here, there
        for other, fold in _FOLDS:
            if other != name:
                left, right = fold(left), fold(right)
        if left != right:
            named.append(name)
    return named or ["white space"]
