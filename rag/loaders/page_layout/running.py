"""Lines that run along from page to page: headers, footers, page numbers."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from rag.loaders.page_layout.line import Line

_EDGE_LINES = 3  # at the top and at the bottom of a page: no header or footer is taller
_LONGEST_EDGE = 300  # characters; no header or footer is longer
_EDGE_WORDS = 15  # in a header or footer that only its place gives away
_APART = 1.9  # times the type size of the text: so far from it stands such a line
_PAGE_LINES = 8  # of a page that shows such a place; a slide may have two
_MANY_PAGES = 6  # that show where such lines stand
_NEAR_PAGES = 3  # a chapter's running head comes back on one of so many pages
_SAME_PLACE = 2.0  # points between what stands at one height on two pages


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
