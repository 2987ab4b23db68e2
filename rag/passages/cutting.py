"""A stretch of text cut into even pieces of at most so many words, where its parts or sentences end."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from rag.text.sentences import sentences

_WORD = re.compile(r"\S+")
_MAX_SPLIT = 100_000  # characters whose words are weighed by making a list of them
_LONG_WORD = 30  # characters; beyond it a "word" is text in a script without spaces, or code


def weight(text: str) -> int:
    """How long a text is in words, counting a very long run of characters as several.

    >>> weight("one two"), weight("x" * 90)
    (2, 4)
    """
    words = text.split() if len(text) < _MAX_SPLIT else (match[0] for match in _WORD.finditer(text))
    return sum(1 + len(word) // _LONG_WORD for word in words)


def cut(text: str, parts: Sequence[tuple[int, int]], max_words: int) -> list[tuple[int, int]]:
    """The stretch from the first part to the last in as few pieces of at most ``max_words`` as can be.

    It is cut between parts, inside a part that is too long at its sentences, and inside such a sentence
    between words; the pieces are as even as that allows. Nothing but white space is lost.

    >>> text = "One two. Three four. Five six. Seven."
    >>> [text[a:b] for a, b in cut(text, [(0, len(text))], 4)]
    ['One two. Three four.', 'Five six. Seven.']
    """
    start, end = parts[0][0], parts[-1][1]
    if weight(text[start:end]) <= max_words:
        return [(start, end)]
    atoms = [atom for part in parts for atom in _atoms(text, *part, max_words)]
    # Between two atoms may stand what is in none, as the dashes under a table's header.
    ends = [*(start for start, _ in atoms[1:]), end]
    weights = [weight(text[first:last]) for (first, _), last in zip(atoms, ends, strict=True)]
    return [(atoms[first][0], atoms[last - 1][1]) for first, last in _even(weights, max_words)]


def _atoms(text: str, start: int, end: int, max_words: int) -> Iterator[tuple[int, int]]:
    if weight(text[start:end]) <= max_words:
        yield start, end
        return
    for first, last in sentences(text[start:end]):
        sentence_weight = weight(text[start + first : start + last])
        if sentence_weight <= max_words:
            yield start + first, start + last
            continue
        words = [
            piece
            for match in _WORD.finditer(text, start + first, start + last)
            for piece in _short(match, max_words)
        ]
        yield from _filled(text, words, math.ceil(sentence_weight / math.ceil(sentence_weight / max_words)))


def _filled(text: str, words: Sequence[tuple[int, int]], target: int) -> Iterator[tuple[int, int]]:
    """Stretches of words, each filled up to the target weight; a heavier word stands alone."""
    first, total = words[0][0], 0
    for row, (start, end) in enumerate(words):
        heavy = weight(text[start:end])
        if total and total + heavy > target:
            yield first, words[row - 1][1]
            first, total = start, 0
        total += heavy
    yield first, words[-1][1]


def _short(match: re.Match[str], max_words: int) -> Iterator[tuple[int, int]]:
    step = max(1, _LONG_WORD * max_words - 1)
    for at in range(match.start(), match.end(), step):
        yield at, min(at + step, match.end())


def _even(weights: Sequence[int], limit: int) -> list[tuple[int, int]]:
    """Ranges of consecutive rows, each within ``limit``: as few as possible, then as even as possible."""
    best: list[tuple[int, int]] = [(0, 0)]  # for the first i rows: (number of parts, sum of squared weights)
    back = [0]
    for row in range(1, len(weights) + 1):
        total, choice = 0, None
        for first in range(row - 1, -1, -1):
            total += weights[first]
            if total > limit and first < row - 1:
                break
            parts, squares = best[first]
            candidate = (parts + 1, squares + total * total)
            if choice is None or candidate < choice[0]:
                choice = (candidate, first)
        assert choice is not None
        best.append(choice[0])
        back.append(choice[1])
    ranges, row = [], len(weights)
    while row > 0:
        ranges.append((back[row], row))
        row = back[row]
    return ranges[::-1]
