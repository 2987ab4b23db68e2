"""Passages that say the same in the same words: a letter sent twice, a paragraph two papers took from a wire.

Equal means equal but for case, spacing, quotes and punctuation. Near-equal means that at least .85 of the
three-word shingles are shared (Jaccard; candidates by MinHash, Broder 1997) *and* that what differs changes
nothing: a figure, a name, a negation or an exchanged word makes two passages different, however alike they
look. "In 2016 the rating was good" is no copy of "In 2017 the rating was good".
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rag.text.english import ENGLISH
from rag.text.language import Language

_JACCARD = 0.85  # of three-word shingles; a reworded sentence in a paragraph of five falls below it
_LENGTH = 0.8  # shorter to longer in words: cheaper to test than shingles, and implied by them
_N_HASHES, _N_BANDS = 64, 16  # bands of 4: at .85 one pair in ten thousand escapes every band
_N_MARKS = 40  # of 64: a pair at .85 shares 54 give or take 3, one at .5 seldom 40
_N_SHARED = 2  # of 16 bands, of which a pair at .85 shares 8: one in seven thousand fewer than two
_N_COMPARED = 8  # passages of one band that another is compared with
_MIN_WORDS = 12  # below it a single word is too much of a passage to overlook
_WORD = re.compile(r"[^\W_]+(?:['’.,][^\W_]+)*%?")


def normalised(text: str) -> str:
    """A text's words in small letters, without punctuation.

    >>> normalised("“The  Trust’s £6.5m,” he said.")
    "the trust's 6.5m he said"
    """
    return " ".join(_words(text)).casefold()


def _words(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", text).replace("’", "'"))


def groups(texts: Sequence[str], language: Language = ENGLISH) -> list[int]:
    """For each text the row of the first that is equal or near-equal to it; its own row when there is none.

    >>> groups(["The trust opened.", "It closed.", "“The trust opened”"])
    [0, 1, 0]
    >>> groups(["In 2016 the rating was good.", "In 2017 the rating was good."])
    [0, 1]
    """
    return _groups([normalised(text) or text for text in texts], texts, language)[0]


@dataclass(frozen=True, slots=True)
class Bands:
    """What like passages are found by: for each band the keys of its rows, ascending, and the rows.

    Rows that share keys may be near-equal; rows of equal words stand in it once.
    """

    keys: NDArray[np.uint32]  # (n_bands, m)
    rows: NDArray[np.uint32]  # (n_bands, m)

    @classmethod
    def of(cls, rows: Sequence[int], keys: NDArray[np.uint32]) -> Bands:
        """Bands of rows and their keys (m, n_bands)."""
        order = np.argsort(keys, axis=0, kind="stable").T
        return cls(np.take_along_axis(keys.T, order, axis=1), np.asarray(rows, np.uint32)[order])

    def like(self, keys: NDArray[np.uint32]) -> list[int]:
        """The rows that are among the first of two bands or more with these keys (n_bands,), ascending."""
        found: Counter[int] = Counter()
        for band, key in enumerate(keys):
            start = int(np.searchsorted(self.keys[band], key, "left"))
            end = int(np.searchsorted(self.keys[band], key, "right"))
            found.update(self.rows[band, start : min(end, start + _N_COMPARED)].tolist())
        return sorted(row for row, n_bands in found.items() if n_bands >= _N_SHARED)


class Earlier(Protocol):
    """Passages that were grouped before."""

    def has(self, label: int) -> bool:
        """Whether a group goes by that label."""

    def like(self, keys: NDArray[np.uint32]) -> Iterable[str]:
        """The words of those that may be near-equal to a passage with these band keys."""


@dataclass(frozen=True, slots=True)
class Grouped:
    """For each text its group's label, (n,), the same for all that say the same; and the texts' bands."""

    labels: NDArray[np.uint64]
    bands: Bands


def label(text: str) -> int:
    """What names the group that a text leads: equal for texts of equal words.

    >>> label("The trust opened.") == label("“the trust  opened”")
    True
    """
    return _label(normalised(text) or text)


def _label(words: str) -> int:
    return int.from_bytes(hashlib.sha256(words.encode("utf-8", "surrogatepass")).digest()[:8], "little")


def group(texts: Sequence[str], language: Language, earlier: Earlier | None = None) -> Grouped:
    """The texts grouped among themselves and, where there are any, with passages grouped before."""
    plain = [normalised(text) or text for text in texts]
    leaders, (rows, keys) = _groups(plain, texts, language)
    labels: dict[int, int] = {}
    keys_of = dict(zip(rows, keys, strict=True))
    for row, leader in enumerate(leaders):
        if row != leader:
            continue
        own = labels[row] = _label(plain[row])
        if earlier is not None and not earlier.has(own) and row in keys_of:
            for other in earlier.like(keys_of[row]):
                if near_equal(other, texts[row], language) and earlier.has(label(other)):
                    labels[row] = label(other)
                    break
    return Grouped(
        np.array([labels[leader] for leader in leaders], np.uint64),
        Bands.of(rows, keys),
    )


def _groups(
    plain: Sequence[str], texts: Sequence[str], language: Language
) -> tuple[list[int], tuple[list[int], NDArray[np.uint32]]]:
    """Each text's leader; and of those with enough words, each of equal words once, row and band keys."""
    first: dict[str, int] = {}
    leaders = [first.setdefault(words, row) for row, words in enumerate(plain)]
    rows = [
        row for row, leader in enumerate(leaders) if row == leader and plain[row].count(" ") >= _MIN_WORDS - 1
    ]
    keys, marks = _band_keys([plain[row] for row in rows])
    moved: dict[int, int] = {}
    for earlier, later in np.asarray(rows, np.int64)[_candidates(keys, marks)].tolist():
        # Only with a passage that stands for itself: likeness is not handed on from copy to copy.
        if later in moved or earlier in moved:
            continue
        if near_equal(texts[earlier], texts[later], language):
            moved[later] = earlier
    return [moved.get(leader, leader) for leader in leaders], (rows, keys)


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


def _candidates(keys: NDArray[np.uint32], marks: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Pairs (earlier, later) of texts that share a band and most marks, (p, 2), by the later, none twice."""
    n = len(keys)
    bands = Bands.of(range(n), keys)
    found = [np.zeros(0, np.int64)]
    for of_band, rows in zip(bands.keys, bands.rows, strict=True):
        fresh = np.concatenate([[True], of_band[1:] != of_band[:-1]])
        places = np.arange(n)
        firsts = np.maximum.accumulate(np.where(fresh, places, 0))
        for step in range(_N_COMPARED):  # a form letter sent a thousand times: with its first few copies only
            at = np.flatnonzero(firsts + step < places)
            earlier, later = rows[firsts[at] + step].astype(np.int64), rows[at].astype(np.int64)
            alike = (marks[earlier] == marks[later]).sum(axis=1) >= _N_MARKS
            found.append(later[alike] * n + earlier[alike])
    pairs = np.unique(np.concatenate(found))
    return np.stack([pairs % n, pairs // n], axis=1) if n else np.zeros((0, 2), np.int64)


def _band_keys(texts: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
    """For each text, words between blanks, the keys of its MinHash signature's bands and a byte of each hash.

    Shapes (n, n_bands) and (n, n_hashes). The share of bytes that two texts have in common is about that of
    their shingles.
    """
    numbers = np.random.default_rng(0).integers(1, 2**63, size=(_N_HASHES, 2), dtype=np.uint64) | np.uint64(1)
    keys = np.zeros((len(texts), _N_BANDS), np.uint32)
    marks = np.zeros((len(texts), _N_HASHES), np.uint8)
    codes = _Codes()
    for row, text in enumerate(texts):
        signature = _signature(list(map(codes.__getitem__, text.split())), numbers)
        marks[row] = signature.astype(np.uint8)
        signature = signature.reshape(_N_BANDS, -1)
        mixed = (signature * numbers[: signature.shape[1], 0]).sum(axis=1, dtype=np.uint64)  # wrapping
        keys[row] = (mixed >> np.uint64(32)).astype(np.uint32)
    return keys, marks


class _Codes(dict[str, int]):
    """The number of each word, worked out when first asked for: a corpus has few words, many times."""

    def __missing__(self, word: str) -> int:
        code = self[word] = zlib.crc32(word.encode())
        return code


def _signature(words: Sequence[int], numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    codes = np.array(words, dtype=np.uint64)  # (n_words,)
    shingles = (
        codes[:-2] * np.uint64(0x9E3779B97F4A7C15) + codes[1:-1] * np.uint64(0xC2B2AE3D27D4EB4F) + codes[2:]
    )
    mixed: Any = shingles[None, :] * numbers[:, :1] + numbers[:, 1:]  # (n_hashes, n_shingles), wrapping
    result: NDArray[np.uint64] = (mixed ^ (mixed >> np.uint64(31))).min(axis=1)
    return result
