"""Columns, and the order in which a page is read."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from rag.loaders.page_layout.line import Line

_BIN = 2.0  # points of a page's width looked at as one
_MAX_BINS = 2_000  # of a page's width; a wider one is no page
_GUTTER = 8.0  # points between columns at the least
_COLUMN_LINES = 6  # in each of two columns at the least
_FULL = 0.7  # of a column's width: a line of running text fills so much
_COLUMN_WORDS = 3  # in a line of running text, on the average
_LEFT, _RIGHT, _ACROSS = range(3)  # of the gutter between two columns


def in_reading_order(lines: Sequence[Line], depth: int = 2) -> list[Line]:
    """The lines of a page column by column, each with where the lines of its column end.

    What runs across the columns stands between what is over it and under it.

    >>> row = "the lights of the harbour were out"
    >>> page = [Line(row, 1, left=x, right=x + 200, base=700 - 12 * n, size=10)
    ...         for n in range(7) for x in (50, 300)]
    >>> [(line.left, line.base) for line in in_reading_order(page)][5:9]
    [(50, 640), (50, 628), (300, 700), (300, 688)]
    """
    gutter = _gutter(lines) if depth else None
    if gutter is None:
        rights = sorted(line.right for line in lines)
        full = rights[int(len(rights) * 0.9)] if rights else 0.0
        return [replace(line, full=full) for line in lines]
    sides = [_side(line, gutter) for line in lines]
    ends = [
        max((line.right for line, its in zip(lines, sides, strict=True) if its == side), default=0.0)
        for side in range(3)
    ]
    lines = [replace(line, full=ends[side]) for line, side in zip(lines, sides, strict=True)]
    back = sum(before > after for before, after in pairwise(side for side in sides if side != _ACROSS))
    if back < 0.25 * min(sides.count(_LEFT), sides.count(_RIGHT)):
        return lines  # one column after the other: the file knows its order
    columns = [[line for line, its in zip(lines, sides, strict=True) if its == side] for side in range(2)]
    running = [line for column in columns for line in _running(column)]
    top, foot = max(line.base + line.size for line in running), min(line.base for line in running)
    across = sorted(-line.base for line, side in zip(lines, sides, strict=True) if side == _ACROSS)
    over = [line for line in lines if line.base > top]
    under = [line for line in lines if line.base < foot - 1.5 * line.size]
    bands: dict[int, tuple[list[Line], list[Line], list[Line]]] = {}
    for line, side in zip(lines, sides, strict=True):
        if line.base <= top and line.base >= foot - 1.5 * line.size:
            band = 2 * bisect_left(across, -line.base) + (side == _ACROSS)
            bands.setdefault(band, ([], [], []))[side].append(line)
    ordered = list(over)
    for band in sorted(bands):
        left, right, whole = bands[band]
        ordered += whole
        for column in (left, right):
            ordered += in_reading_order(_downwards(column), depth - 1) if column else []
    return ordered + under


def _side(line: Line, gutter: float) -> int:
    return _LEFT if line.right <= gutter else _RIGHT if line.left >= gutter else _ACROSS


def _downwards(lines: Sequence[Line]) -> list[Line]:
    """The lines of a column as they stand in the file, unless they go up the page again."""
    climbs = any(b.base > a.base + 1.5 * max(a.size, b.size) for a, b in pairwise(lines))
    return sorted(lines, key=lambda line: (-round(line.base), line.left)) if climbs else list(lines)


def _gutter(lines: Sequence[Line]) -> float | None:
    """Where two columns of running text part, as the middle of what is empty between them; else None."""
    if len(lines) < 2 * _COLUMN_LINES or not any(line.base for line in lines):
        return None
    first, last = min(line.left for line in lines), max(line.right for line in lines)
    n_bins = int((last - first) / _BIN) + 1
    if n_bins > _MAX_BINS or last - first < 100:
        return None
    steps = [0] * (n_bins + 1)
    for line in lines:
        steps[int((line.left - first) / _BIN)] += 1
        steps[min(n_bins, int((line.right - first) / _BIN) + 1)] -= 1
    covered, cover = list[int](), 0
    for step in steps[:-1]:
        cover += step
        covered.append(cover)
    allowed = max(1, len(lines) // 8)  # lines that run across: titles, figures, tables
    candidates: list[tuple[int, int]] = []
    for at in range(n_bins // 6, n_bins - n_bins // 6):
        if covered[at] <= allowed:
            if candidates and candidates[-1][1] == at - 1:
                candidates[-1] = (candidates[-1][0], at)
            else:
                candidates.append((at, at))
    wide = [(a, b) for a, b in candidates if (b - a + 1) * _BIN >= _GUTTER]
    for a, b in sorted(wide, key=lambda run: (min(covered[run[0] : run[1] + 1]), abs(sum(run) - n_bins))):
        low = min(covered[a : b + 1])
        empty = [at for at in range(a, b + 1) if covered[at] == low]
        gutter = first + (empty[0] + empty[-1] + 1) / 2 * _BIN
        left = [line for line in lines if line.right <= gutter]
        right = [line for line in lines if line.left >= gutter]
        if _is_column(left) and _is_column(right) and _beside(left, right):
            return gutter
    return None


def _is_column(lines: Sequence[Line]) -> bool:
    if len(lines) < _COLUMN_LINES:
        return False
    words = sum(len(line.text.split()) for line in lines)
    return len(_running(lines)) >= 0.4 * len(lines) and words >= _COLUMN_WORDS * len(lines)


def _running(lines: Sequence[Line]) -> list[Line]:
    """The lines of a column that fill it as running text does."""
    lefts, rights = sorted(line.left for line in lines), sorted(line.right for line in lines)
    width = rights[int(len(rights) * 0.9)] - lefts[len(lefts) // 10]
    return [line for line in lines if line.right - line.left >= _FULL * width]


def _beside(left: Sequence[Line], right: Sequence[Line]) -> bool:
    """Whether two columns stand at the same height for at least half of the shorter one."""
    tops = [max(line.base for line in column) for column in (left, right)]
    feet = [min(line.base for line in column) for column in (left, right)]
    shorter = min(top - foot for top, foot in zip(tops, feet, strict=True))
    return min(tops) - max(feet) >= 0.5 * shorter
