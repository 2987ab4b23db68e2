"""Passages that say the same in the same words: a letter sent twice, a paragraph two papers took from a wire.

Equal means equal but for case, spacing, quotes and punctuation. Near-equal means that at least .85 of the
three-word shingles are shared (Jaccard; candidates by MinHash, Broder 1997) *and* that what differs changes
nothing: a figure, a name, a negation or an exchanged word makes two passages different, however alike they
look. "In 2016 the rating was good" is no copy of "In 2017 the rating was good".
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from functools import cache
from typing import TYPE_CHECKING, Any

from rag.text.english import ENGLISH
from rag.text.language import Language

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_JACCARD = 0.85  # of three-word shingles; a reworded sentence in a paragraph of five falls below it
_LENGTH = 0.8  # shorter to longer in words: cheaper to test than shingles, and implied by them
_N_HASHES, _N_BANDS = 64, 16  # bands of 4: at .85 one pair in ten thousand escapes every band
_MIN_WORDS = 12  # below it a single word is too much of a passage to overlook
_WORD = re.compile(r"[^\W_]+(?:['’.,][^\W_]+)*%?")


def normalised(text: str) -> str:
    """A text's words in small letters, without punctuation.

    >>> normalised("“The  Trust’s £6.5m,” he said.")
    "the trust's 6.5m he said"
    """
    return " ".join(word.casefold() for word in _words(text))


def _words(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", text).replace("’", "'"))


def groups(texts: Sequence[str], language: Language = ENGLISH) -> list[int]:
    """For each text the row of the first that is equal or near-equal to it; its own row when there is none.

    >>> groups(["The trust opened.", "It closed.", "“The trust opened”"])
    [0, 1, 0]
    >>> groups(["In 2016 the rating was good.", "In 2017 the rating was good."])
    [0, 1]
    """
    first: dict[str, int] = {}
    group = [first.setdefault(normalised(text) or text, row) for row, text in enumerate(texts)]
    leaders = [row for row in range(len(texts)) if group[row] == row]
    moved: dict[int, int] = {}
    for earlier, later in _candidates([texts[row] for row in leaders]):
        a, b = leaders[earlier], leaders[later]
        # Only with a passage that stands for itself: likeness is not handed on from copy to copy.
        if b not in moved and a not in moved and near_equal(texts[a], texts[b], language):
            moved[b] = a
    return [moved.get(row, row) for row in group]


def near_equal(a: str, b: str, language: Language = ENGLISH) -> bool:
    """Whether two texts say the same in nearly the same words.

    >>> base = "the council decided to bring the service back under its own roof and close the trust "
    >>> near_equal(base + "soon", base + "soon it said"), near_equal(base + "soon", base + "not soon")
    (True, False)
    """
    left, right = _words(a), _words(b)
    if min(len(left), len(right)) < max(_MIN_WORDS, _LENGTH * max(len(left), len(right))):
        return False
    lower_left, lower_right = [w.casefold() for w in left], [w.casefold() for w in right]
    one, other = set(_shingles(lower_left)), set(_shingles(lower_right))
    if len(one & other) < _JACCARD * len(one | other):
        return False
    opcodes = SequenceMatcher(None, lower_left, lower_right, autojunk=False).get_opcodes()
    return all(
        _harmless(left[a0:a1], right[b0:b1], language, openings=(a0 == 0, b0 == 0))
        for tag, a0, a1, b0, b1 in opcodes
        if tag != "equal"
    )


def _harmless(left: list[str], right: list[str], language: Language, *, openings: tuple[bool, bool]) -> bool:
    """Whether words put in, left out or exchanged leave the sense alone."""
    if left and right and len(left) == len(right):
        return all(_variants(a, b, language) for a, b in zip(left, right, strict=True))
    if left and right:
        return False
    words, opening = (left, openings[0]) if left else (right, openings[1])
    return not any(
        any(map(str.isdigit, word))
        or word.casefold() in _telling(language)
        or word.casefold().endswith(language.denying_ending)
        or (word[0].isupper() and not (opening and at == 0))
        for at, word in enumerate(words)
    )


def _variants(a: str, b: str, language: Language) -> bool:
    """Whether two words are one in two spellings: organise and organize, not good and inadequate."""
    a, b = a.casefold(), b.casefold()
    if a == b:
        return True
    if any(map(str.isdigit, a + b)) or {a, b} & _telling(language):
        return False
    return a[:3] == b[:3] and _plain(a, language) == _plain(b, language)


def _plain(word: str, language: Language) -> str:
    """A word in one of its spellings, without hyphens and apostrophes."""
    for one, other in language.spellings:
        word = word.replace(one, other)
    return word.replace("-", "").replace("'", "")


@cache
def _telling(language: Language) -> frozenset[str]:
    """The words of which none may differ: figures, denials, and how far a thing holds."""
    return language.number_words | language.ordinals | language.denials | language.quantifiers


def _shingles(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    width = min(3, len(words))
    return (tuple(words[at : at + width]) for at in range(len(words) - width + 1))


def _candidates(texts: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs (earlier, later) that share a band of their signatures, in order, with no pair twice."""
    import numpy as np

    words = [normalised(text).split() for text in texts]
    rows = [row for row, found in enumerate(words) if len(found) >= _MIN_WORDS]
    if len(rows) < 2:
        return []
    numbers = np.random.default_rng(0).integers(1, 2**63, size=(_N_HASHES, 2), dtype=np.uint64) | np.uint64(1)
    width = _N_HASHES // _N_BANDS
    buckets: list[dict[bytes, int | list[int]]] = [{} for _ in range(_N_BANDS)]
    pairs: set[tuple[int, int]] = set()
    for row in rows:
        signature = _signature(words[row], numbers)
        for band, bucket in enumerate(buckets):
            key = signature[band * width : (band + 1) * width].tobytes()
            earlier = bucket.setdefault(key, row)
            if earlier == row:
                continue
            others = earlier if isinstance(earlier, list) else [earlier]
            # A form letter sent a thousand times needs comparing with its first few copies only.
            pairs.update((other, row) for other in others[:8])
            bucket[key] = [*others, row]
    return sorted(pairs, key=lambda pair: (pair[1], pair[0]))


def _signature(words: Sequence[str], numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    import numpy as np

    codes = np.array([zlib.crc32(word.encode()) for word in words], dtype=np.uint64)  # (n_words,)
    shingles = (
        codes[:-2] * np.uint64(0x9E3779B97F4A7C15) + codes[1:-1] * np.uint64(0xC2B2AE3D27D4EB4F) + codes[2:]
    )
    mixed: Any = shingles[None, :] * numbers[:, :1] + numbers[:, 1:]  # (n_hashes, n_shingles), wrapping
    result: NDArray[np.uint64] = (mixed ^ (mixed >> np.uint64(31))).min(axis=1)
    return result
