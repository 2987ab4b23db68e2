"""What stands where on a PDF's pages: columns, tables, notes at the foot, lines that run along.

A PDF knows only words at places. Its own order is kept unless the places contradict it; a column, a table or
a note is seen only where several lines agree. Nothing here opens a file.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from rag.text.layout import is_list_item

_EDGE_LINES = 3  # at the top and at the bottom of a page: no header or footer is taller
_LONGEST_EDGE = 300  # characters; no header or footer is longer
_EDGE_WORDS = 15  # in a header or footer that only its place gives away
_APART = 1.9  # times the type size of the text: so far from it stands such a line
_PAGE_LINES = 8  # of a page that shows such a place; a slide may have two
_MANY_PAGES = 6  # that show where such lines stand
_NEAR_PAGES = 3  # a chapter's running head comes back on one of so many pages
_SAME_PLACE = 2.0  # points between what stands at one height on two pages
_BIN = 2.0  # points of a page's width looked at as one
_MAX_BINS = 2_000  # of a page's width; a wider one is no page
_GUTTER = 8.0  # points between columns at the least
_COLUMN_LINES = 6  # in each of two columns at the least
_FULL = 0.7  # of a column's width: a line of running text fills so much
_COLUMN_WORDS = 3  # in a line of running text, on the average
_SMALL = 0.93  # of the size of the text: a note is set smaller
_LEADING = 1.45  # times its type size: the lines of one cell stand no further apart
_CELL_GAP = 0.8  # times its type size, between the cells of a row at the least
_CELL_LINES = 12  # a cell is no taller
_MAX_CELLS = 40  # in a row
_LEFT, _RIGHT, _ACROSS = range(3)  # of the gutter between two columns
_LEADERS = re.compile(r"(?:\. ?){4}|…{2}|_{4}|(?:\. ){2}\.$")  # of a table of contents, or a form
_MANY_LEADERS = 3  # on a page that is a table of contents
_NOTE = re.compile(r"(?P<mark>\d{1,3}|[*†‡§¶]{1,3}|\[\d{1,3}\]|\(\d{1,3}\))[.)]?\s*(?=\S)")
_CODE_FONT = re.compile(r"mono|courier|consol|typewriter|cmtt|sftt|code", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page, or a part that a wide gap sets off, and where it stands (points).

    ``broken``: its last word goes on in the next line. ``row`` is the same for the parts of one line.
    ``full`` is where the lines of its column end. ``size`` is that of its largest type; ``style``, size and
    font, is None where it has several.
    """

    text: str
    page: int
    broken: bool = False
    left: float = 0.0
    right: float = 0.0
    base: float = 0.0
    style: tuple[float, str] | None = None
    size: float = 0.0
    row: int = -1
    full: float = 0.0


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


def without_running_lines(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """The pages without headers and footers.

    Those are lines at the top or bottom that stand, page numbers aside, on most pages, or at the same place
    on pages nearby.

    >>> pages = [[Line("Report", n), Line(f"Text {'ab'[n - 1]}.", n), Line(f"Page {n}", n)] for n in (1, 2)]
    >>> [[line.text for line in page] for page in without_running_lines(pages)]
    [['Text a.'], ['Text b.']]
    """
    filled = [page for page in pages if page]
    if len(filled) < 2:
        return [list(page) for page in pages]
    edges = [[row for edge in _edges(page) for row in edge] for page in filled]
    counts: Counter[str] = Counter()
    places: dict[str, list[tuple[int, float]]] = {}
    for rows in edges:
        forms = [set(_forms(row)) for row in rows]
        counts.update(set().union(*forms))
        for row, its in zip(rows, forms, strict=True):
            for form in its if row[0].base else ():
                places.setdefault(form, []).append((row[0].page, row[0].base))
    apart = [_apart(page) for page in filled]
    usual = [Counter(round(base) for base in (its[edge] for its in apart) if base) for edge in range(2)]
    lasting = [
        place
        for edge in range(2)
        for place, n in usual[edge].most_common(2)  # left and right pages may differ
        if len(filled) >= _MANY_PAGES and n >= len(filled) / 3
    ]
    needed = max(2, len(filled) // 2)  # half of them: left and right pages may carry different headers

    sizes = sorted(line.size for page in filled for line in page)
    body = sizes[len(sizes) // 2]

    def runs(row: Sequence[Line]) -> bool:
        if any(abs(row[0].base - place) <= _SAME_PLACE for place in lasting) and _is_short(row):
            return True
        alone = 2 if len(row) == 1 and row[0].text.isdecimal() else needed  # a bare number that counts along
        return any(
            counts[form] >= alone
            or (
                max(line.size for line in row) <= 1.1 * body  # a title may count along by chance
                and any(
                    0 < abs(page - row[0].page) <= _NEAR_PAGES and abs(base - row[0].base) <= _SAME_PLACE
                    for page, base in _near(places.get(form, ()), row[0].page)
                )
            )
            for form in _forms(row)
        )

    return [_stripped(page, runs) for page in pages]


def _near(places: Sequence[tuple[int, float]], page: int) -> Sequence[tuple[int, float]]:
    first = bisect_left(places, page - _NEAR_PAGES, key=lambda place: place[0])
    return places[first : first + 4 * _EDGE_LINES * _NEAR_PAGES]


def _edges(page: Sequence[Line]) -> tuple[list[list[Line]], list[list[Line]]]:
    """The lines nearest to the top of a page and to its bottom, from the edge inwards, each as its parts."""
    rows: list[list[Line]] = []
    for line in page:
        if rows and line.row >= 0 and rows[-1][-1].row == line.row:
            rows[-1].append(line)
        else:
            rows.append([line])
    if any(line.base for line in page):
        rows.sort(key=lambda row: -max(line.base for line in row))
    return rows[:_EDGE_LINES], rows[: -_EDGE_LINES - 1 : -1]


def _apart(page: Sequence[Line]) -> tuple[float, float]:
    """Where the topmost and the lowest line of a page stand, if each is short, small and well apart; else 0.

    The title of a slide stands apart too, but in larger type.
    """
    if len(page) < _PAGE_LINES:
        return 0.0, 0.0
    bases = []
    for edge in _edges(page):
        row = edge[0]
        beside = edge[1][0] if len(edge) > 1 else None
        body = sorted(line.size for line in page)[len(page) // 2]
        size = max(line.size for line in row)
        gap = abs(row[0].base - beside.base) if beside else 0.0
        bases.append(row[0].base if gap >= _APART * body and size <= 1.1 * body and _is_short(row) else 0.0)
    return bases[0], bases[1]


def _is_short(row: Sequence[Line]) -> bool:
    return sum(len(line.text.split()) for line in row) <= _EDGE_WORDS


def _stripped(page: Sequence[Line], runs: Callable[[Sequence[Line]], bool]) -> list[Line]:
    gone: set[int] = set()
    for edge in _edges(page):
        for row in edge:
            if not runs(row):
                break
            gone.update(map(id, row))
    return [line for line in page if id(line) not in gone]


def _forms(row: Sequence[Line]) -> Iterator[str]:
    """A line as it is, and with each number in turn counted from its page: a page number becomes the same.

    Other figures stay: the rows of a table that runs over pages are no headers.
    """
    text = " ".join(line.text for line in row)
    yield text.casefold()
    if len(text) > _LONGEST_EDGE:
        return
    for match in re.finditer(r"\d{1,5}", text):
        before, after = text[: match.start()], text[match.end() :]
        yield f"{before}\0{int(match[0]) - row[0].page}\0{after}".casefold()


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


def joined(lines: Sequence[Line]) -> Iterator[Line]:
    """The lines, parts of one line that follow each other put together."""
    whole: Line | None = None
    for line in lines:
        if whole is not None and line.row >= 0 and line.row == whole.row:
            whole = replace(
                whole,
                text=f"{whole.text} {line.text}",
                broken=line.broken,
                right=line.right,
                style=whole.style if whole.style == line.style else None,
                size=max(whole.size, line.size),
            )
            continue
        if whole is not None:
            yield whole
        whole = line
    if whole is not None:
        yield whole
