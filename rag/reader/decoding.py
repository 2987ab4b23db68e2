"""From the span head's logits to marked words: pure functions.

There is no softmax over one passage: raw logits compare across passages because training normalised them
over several at once (Clark & Gardner 2018).

Shapes: t tokens.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rag.reader.base import Mark

Logits = NDArray[np.float32]
MAX_SPAN_TOKENS = 40  # past this a span is a passage, not an answer
N_MARKS = 4  # marks kept of each window


def best_spans(
    start: Logits, end: Logits, n: int = N_MARKS, max_tokens: int = MAX_SPAN_TOKENS
) -> list[tuple[int, int, float]]:
    """The n best disjoint token spans (first, last, score), best first; ``last`` is inclusive.

    A span scores ``start[first] + end[last]``; of overlapping ones the better stays.

    >>> best_spans(np.array([0, 5, 0, 1.0]), np.array([0, 0, 4, 2.0]), n=2)
    [(1, 2, 9.0), (3, 3, 3.0)]
    """
    t = len(start)
    pair = start[:, None] + end[None, :]  # (t, t): every first token with every last
    first, last = np.indices((t, t))
    allowed = (last >= first) & (last - first < max_tokens)
    pair = np.where(allowed, pair, -np.inf)
    chosen: list[tuple[int, int, float]] = []
    for flat in np.argsort(-pair, axis=None, kind="stable")[: 40 * n]:
        a, b = divmod(int(flat), t)
        if not np.isfinite(pair[a, b]) or len(chosen) == n:
            break
        if all(b < c or a > d for c, d, _ in chosen):
            chosen.append((a, b, float(pair[a, b])))
    return chosen


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """The range without white space, stray punctuation or an unpaired bracket or quote at its ends.

    Currency and percent signs stay; a range of nothing else is returned as it is.

    >>> text = "rose (by 76%)."
    >>> text[slice(*trim(text, 5, 14))]
    'by 76%'
    """
    loose = " \t\r\n\u00a0.,;:!?()[]\"'“”‘’•–—"
    a, b = start, end
    while a < b and text[a] in loose:
        a += 1
    while b > a and text[b - 1] in loose:
        b -= 1
    if a == b:
        return start, end
    closers = {"(": ")", "[": "]", "“": "”"}
    for opener, closer in closers.items():
        inside = text[a:b]
        if inside.count(opener) > inside.count(closer) and text[b : b + 1] == closer:
            b += 1
    return a, b


def whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    """The range grown to the borders of the words it cuts.

    >>> "decommission it"[slice(*whole_words("decommission it", 2, 6))]
    'decommission'
    """
    while start > 0 and text[start].isalnum() and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end - 1].isalnum() and text[end].isalnum():
        end += 1
    return start, end


def marks_of(
    text: str, offsets: Sequence[tuple[int, int]], start: Logits, end: Logits, n: int = N_MARKS
) -> list[Mark]:
    """The n best marks of a text, given each token's characters in it and the two logits of each, (t,)."""
    marks = []
    for first, last, score in best_spans(start, end, n):
        a, b = whole_words(text, offsets[first][0], offsets[last][1])
        a, b = trim(text, a, b)
        marks.append(Mark(a, b, score))
    return marks


def merge(marks: Sequence[Mark], n: int = N_MARKS) -> tuple[Mark, ...]:
    """The n best disjoint marks of several lists, best first: windows of one text overlap.

    >>> merge([Mark(0, 4, 1.0), Mark(2, 6, 2.0), Mark(8, 9, 0.5)])
    (Mark(start=2, end=6, score=2.0), Mark(start=8, end=9, score=0.5))
    """
    chosen: list[Mark] = []
    for mark in sorted(marks, key=lambda m: (-m.score, m.start, m.end)):
        if all(mark.end <= other.start or mark.start >= other.end for other in chosen):
            chosen.append(mark)
    return tuple(chosen[:n])


def join_tokens(windows: Sequence[Sequence[tuple[int, int, float]]]) -> tuple[tuple[int, int, float], ...]:
    """A text's tokens (start, end, logit) in order, from its windows; the mean logit where those overlap.

    >>> join_tokens([[(0, 2, 1.0), (3, 5, 2.0)], [(3, 5, 4.0), (6, 8, 0.0)]])
    ((0, 2, 1.0), (3, 5, 3.0), (6, 8, 0.0))
    """
    if len(windows) == 1:
        return tuple(windows[0])
    logits: dict[tuple[int, int], list[float]] = {}
    for window in windows:
        for start, end, logit in window:
            logits.setdefault((start, end), []).append(logit)
    return tuple((*place, sum(found) / len(found)) for place, found in sorted(logits.items()))


def windows(n_tokens: int, size: int, overlap: int) -> list[tuple[int, int]]:
    """Ranges of at most ``size`` tokens that hold every token, each sharing ``overlap`` with the next.

    >>> windows(10, 6, 2), windows(5, 6, 2)
    ([(0, 6), (4, 10)], [(0, 5)])
    """
    if n_tokens <= size:
        return [(0, n_tokens)]
    starts = range(0, n_tokens - overlap, size - overlap)
    return [(start, min(start + size, n_tokens)) for start in starts]
