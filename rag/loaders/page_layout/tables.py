"""Tables: lines in the same columns, row under row."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.loaders.page_layout.line import Line, joined
from rag.text.layout import is_list_item

_LEADING = 1.45  # times its type size: the lines of one cell stand no further apart
_CELL_GAP = 0.8  # times its type size, between the cells of a row at the least
_CELL_LINES = 12  # a cell is no taller
_MAX_CELLS = 40  # in a row
_LEADERS = re.compile(r"(?:\. ?){4}|…{2}|_{4}|(?:\. ){2}\.$")  # of a table of contents, or a form
_MANY_LEADERS = 3  # on a page that is a table of contents
_CODE_FONT = re.compile(r"mono|courier|consol|typewriter|cmtt|sftt|code", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: its cells, each as the lines it is made of."""

    cells: tuple[tuple[Line, ...], ...]

    @property
    def lines(self) -> Iterator[Line]:
        """All lines of the row."""
        return (line for cell in self.cells for line in cell)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows that stand under each other in the same columns; ``header``: the first says what they are."""

    rows: tuple[Row, ...]
    header: bool


def with_tables(lines: Sequence[Line]) -> Iterator[Line | Table]:
    """The lines, those of tables as tables, the parts of one line joined where they are in none.

    >>> words = [("Year", "Cost"), ("2011", "1,200"), ("2012", "300")]
    >>> rows = [Line(cell, 1, left=x, right=x + 40, base=700 - 12 * n, size=10, row=n)
    ...         for n, cells in enumerate(words) for x, cell in zip((50, 200), cells)]
    >>> [table] = with_tables(rows)
    >>> len(table.rows), table.header
    (3, True)
    """
    if sum(1 for line in lines if _LEADERS.search(line.text)) >= _MANY_LEADERS:
        yield from joined(lines)
        return
    rows = list(_rows(lines))
    at = 0
    while at < len(rows):
        end = _table_end(rows, at)
        found = rows[at:end]
        if len(found) >= 3 or (len(found) == 2 and all(len(row.cells) > 2 for row in found)):
            before, *rest = found
            yield Table((before, *rest), _is_header(before, rest))
            at = end
        else:
            yield from joined([*rows[at].lines])
            at += 1


def _rows(lines: Sequence[Line]) -> Iterator[Row]:
    """The lines as rows of cells; what is no table becomes rows of one cell, a line each.

    A cell holds lines that follow each other downwards; the next cell stands to the right of it, no higher
    than the row begins.
    """
    at = 0
    while at < len(lines):
        cells, end = _cells(lines, at)
        if len(cells) > 1:
            # what stands over the row is the text before it, not a part of its first cell
            top = cells[1][0].base
            over = [line for line in cells[0] if line.base > top + 0.6 * line.size]
            if len(over) < len(cells[0]):
                for line in over:
                    yield Row(((line,),))
                cells[0] = cells[0][len(over) :]
                yield Row(tuple(map(tuple, cells)))
                at = end
                continue
        yield Row(((lines[at],),))
        at += 1


def _cells(lines: Sequence[Line], start: int) -> tuple[list[list[Line]], int]:
    """The cells of the row that may begin at a line, and where it ends."""
    cells = [[lines[start]]]
    at = start + 1
    top: float | None = None
    while at < len(lines):
        line, last = lines[at], cells[-1][-1]
        right = max(part.right for part in cells[-1])
        left = min(part.left for part in cells[-1])
        near = last.base - line.base
        gap = _CELL_GAP * max(line.size, last.size)
        highest = cells[0][0].base if top is None else top
        if line.left >= right + gap and line.base <= highest + 0.6 * line.size and len(cells) < _MAX_CELLS:
            lowest = min(part.base for cell in cells for part in cell)
            if line.base < lowest - 0.6 * line.size:
                break
            if top is None:
                top = line.base
            cells.append([line])
        elif (
            0.4 * line.size < near <= _LEADING * max(line.size, last.size)
            and line.left >= left - 2
            and line.left < right
            and len(cells[-1]) < _CELL_LINES
            and last.row != line.row
            and not _is_next_row(lines, at, cells)
        ):
            cells[-1].append(line)
        elif (
            line.row == last.row and abs(near) < 0.4 * line.size and line.left < right + gap
        ):  # a part set off by less than a cell is
            cells[-1].append(line)
        else:
            break
        at += 1
    return cells, at


def _is_next_row(lines: Sequence[Line], at: int, cells: Sequence[Sequence[Line]]) -> bool:
    """Whether a line under the first cell begins a row itself: another cell stands beside it."""
    if len(cells) > 1:
        return False
    line = lines[at]
    after = lines[at + 1] if at + 1 < len(lines) else None
    if after is None:
        return False
    beside = abs(after.base - line.base) < 0.4 * line.size and after.left >= line.right
    first = cells[0][0]
    level_with_first = abs(after.base - first.base) < 0.4 * line.size
    return beside and not level_with_first


def _table_end(rows: Sequence[Row], start: int) -> int:
    """The row after the last of the table that begins at a row; the same row where none does."""
    intervals: list[tuple[float, float]] = []
    at = start
    page = next(rows[start].lines).page if start < len(rows) else 0
    foot = 0.0
    while at < len(rows):
        row = rows[at]
        if len(row.cells) < 2 or not _is_tabular(row):
            break
        top = max(line.base for line in row.lines)
        size = max(line.size for line in row.lines)
        first = next(row.lines)
        if first.page != page or (at > start and not -1 < foot - top < 4 * size):
            break
        spans = [(min(part.left for part in cell), max(part.right for part in cell)) for cell in row.cells]
        joined = _merged([*intervals, *spans])
        if len(joined) < max(2, len(_merged(intervals)) - 1) or _shared(joined, spans):
            break
        intervals = joined
        foot = min(line.base for line in row.lines)
        at += 1
    return at


def _is_tabular(row: Row) -> bool:
    lines = list(row.lines)
    if any(_LEADERS.search(line.text) for line in lines):
        return False
    if all(line.style is not None and _CODE_FONT.search(line.style[1]) for line in lines):
        return False
    lead = " ".join(part.text for part in row.cells[0])
    return not (len(row.cells) == 2 and is_list_item(f"{lead} x") and len(lead) < 8)


def _merged(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    merged: list[tuple[float, float]] = []
    for left, right in sorted(spans):
        if merged and left <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(right, merged[-1][1]))
        else:
            merged.append((left, right))
    return merged


def _shared(columns: Sequence[tuple[float, float]], spans: Sequence[tuple[float, float]]) -> bool:
    """Whether two cells of a row would stand in one column."""
    places = [
        next(n for n, (left, right) in enumerate(columns) if left <= span[0] <= right) for span in spans
    ]
    return len(set(places)) < len(places)


def _is_header(first: Row, rest: Sequence[Row]) -> bool:
    """Whether type or figures set a table's first row off from the others."""
    styles = {line.style for line in first.lines}
    others = [{line.style for line in row.lines} for row in rest]
    if len(styles) == 1 and None not in styles and all(other != styles for other in others):
        return True
    figures = [any(map(str.isdigit, line.text)) for line in first.lines]
    below = [any(any(map(str.isdigit, line.text)) for line in row.lines) for row in rest]
    return not any(figures) and all(below)
