"""Notes at the foot of a page, or of a column."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.loaders.page_layout.line import Line

_SMALL = 0.93  # of the size of the text: a note is set smaller
_NOTE = re.compile(r"(?P<mark>\d{1,3}|[*†‡§¶]{1,3}|\[\d{1,3}\]|\(\d{1,3}\))[.)]?\s*(?=\S)")


def without_notes(lines: Sequence[Line], body: float) -> tuple[list[Line], list[tuple[int, list[Line]]]]:
    """The lines of a page in reading order, and the notes under them with how many of these stand before.

    A note is set in smaller type than ``body`` at the foot of its column and opens with a mark.

    >>> page = [Line("It is shut.2", 1, base=700, size=10), Line("2 Since May.", 1, base=60, size=8)]
    >>> [[line.text for line in note] for _, note in without_notes(page, 10)[1]]
    [['2 Since May.']]
    """
    kept: list[Line] = []
    notes: list[tuple[int, list[Line]]] = []
    for column in _columns(lines):
        at = len(column)
        while at > 0 and 0 < column[at - 1].size <= _SMALL * body:
            at -= 1
        first = next((row for row in range(at, len(column)) if _NOTE.match(column[row].text)), None)
        under_text = at > 0 or bool(kept)
        if body <= 0 or first is None or not under_text:
            kept += column
            continue
        kept += column[:first]
        marks = [column[first]]
        for line in column[first + 1 :]:
            if _opens_note(marks[0], marks[-1], line):
                notes.append((len(kept), marks))
                marks = []
            marks.append(line)
        notes.append((len(kept), marks))
    return kept, notes


def note_mark(line: Line) -> str | None:
    """What a line opens with as a note does, without brackets; None where it does not.

    >>> note_mark(Line("[2] Since May.", 1)), note_mark(Line("Since May.", 1))
    ('2', None)
    """
    match = _NOTE.match(line.text)
    return match["mark"].strip("[]()") if match else None


def _opens_note(first: Line, before: Line, line: Line) -> bool:
    """Whether another note opens: at the left edge of the first, with a mark that counts on from it."""
    mark, last = note_mark(line), note_mark(first)
    if mark is None or last is None or abs(line.left - first.left) > 3 + first.size:
        return False
    if mark.isdecimal() and last.isdecimal():
        return int(mark) == int(last) + 1 and not before.broken
    return not mark.isdecimal()


def _columns(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Runs of lines that go down a page."""
    run: list[Line] = []
    for line in lines:
        if run and line.base > run[-1].base + 2 * max(line.size, run[-1].size):
            yield run
            run = []
        run.append(line)
    if run:
        yield run
