"""A stretch of text cut into even parts of at most so many words, at sentences where there are any."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from rag.text.sentences import sentences

_WORD = re.compile(r"\S+")
_LONG_WORD = 30  # characters; beyond it a "word" is text in a script without spaces, or code


def weight(text: str) -> int:
    """How long a text is in words, counting a very long run of characters as several.

    >>> weight("one two"), weight("x" * 90)
    (2, 4)
    """
    return sum(1 + len(word) // _LONG_WORD for word in text.split())


def cut(text: str, start: int, end: int, max_words: int) -> list[tuple[int, int]]:
    """The range in as few parts of at most ``max_words`` as its sentences allow, as even as they can be.

    A sentence longer than that is cut between words. Nothing but white space is lost.

    >>> text = "One two. Three four. Five six. Seven."
    >>> [text[a:b] for a, b in cut(text, 0, len(text), 4)]
    ['One two. Three four.', 'Five six. Seven.']
    """
    if weight(text[start:end]) <= max_words:
        return [(start, end)]
    atoms = list(_atoms(text, start, end, max_words))
    return [
        (atoms[first][0], atoms[last - 1][1])
        for first, last in _even([weight(text[a:b]) for a, b in atoms], max_words)
    ]


def _atoms(text: str, start: int, end: int, max_words: int) -> Iterator[tuple[int, int]]:
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
