"""What the paragraphs of a document are: title, heading, address lines, list, table, prose or a notice."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag.records import Document
from rag.text import boilerplate
from rag.text.layout import (
    blocks,
    is_byline,
    is_closing,
    is_complete,
    is_date_line,
    is_list_item,
    is_memo_line,
    is_name_line,
    is_salutation,
    is_table_row,
    lines,
    looks_like_heading,
    n_words,
    plain_heading,
)

_MASTHEAD_WORDS = 20
_FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n.*?^(?:---|\.\.\.)[ \t]*$", re.DOTALL | re.MULTILINE)


@dataclass(slots=True)
class Unit:
    """A stretch on its way to be a passage; ``notice`` is the kind of boilerplate it is."""

    start: int
    end: int
    kind: str  # title, heading, lines, list, table or prose
    notice: str | None = None
    heading: str | None = None
    section: int = 0  # which heading it stands under, counted, so that two of the same words are two
    opens: bool = False  # a title or the end of a letter: headings above it do not reach below


def units_of(document: Document) -> list[Unit]:
    """The blocks of a document with their kinds: what its format says, else what their lines look like."""
    text = document.text
    front = _FRONT_MATTER.match(text) if document.media_type == "text/markdown" else None
    headings = sorted((heading.start, heading.end) for heading in document.headings)
    marked = set(headings)
    ranges = [piece for block in blocks(text) for piece in _pieces(text, block.start, block.end, headings)]
    notices = boilerplate.reasons([text[start:end] for start, end in ranges])
    units = []
    for (start, end), notice in zip(ranges, notices, strict=True):
        if front and start < front.end():
            notice = "document metadata"
        kind = "heading" if (start, end) in marked else _kind(text[start:end])
        units.append(Unit(start, end, kind, None if kind == "heading" else notice))
    title = " ".join((document.title or "").split())
    for unit in units:
        rows = [text[start:end] for start, end in lines(text, unit.start, unit.end)]
        if title and unit.notice is None and _is_title(rows, title):
            unit.kind = "title"
        unit.opens = unit.kind == "title" or (unit.kind == "lines" and is_closing(rows[0]))
    _settle_head(text, units)
    if not document.headings:
        _find_headings(text, [unit for unit in units if unit.notice is None])
    return units


def _is_title(rows: Sequence[str], title: str) -> bool:
    """Whether a block is the document's title, alone or over its byline and date."""
    if plain_heading(" ".join(rows)) == title:
        return True
    return plain_heading(rows[0]) == title and all(
        is_byline(row) or is_date_line(row) or is_name_line(row) for row in rows[1:]
    )


def _pieces(text: str, start: int, end: int, marked: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """A block divided where the format marks a heading inside it, and where a line of it is a notice."""
    cuts = {start, end}
    for first, last in marked[bisect_left(marked, (start, 0)) : bisect_left(marked, (end, 0))]:
        if last <= end:
            cuts |= {first, last}
    inside = list(lines(text, start, end))
    if len(inside) > 1:
        for row, (first, last) in enumerate(inside):
            alone = row == 0 or _stands_alone(text[slice(*inside[row - 1])])
            closed = row + 1 == len(inside) or _stands_alone(text[first:last])
            if alone and closed and boilerplate.is_notice_line(text[first:last]):
                cuts |= {first, last}
    points = sorted(cuts)
    for first, last in pairwise(points):
        part = text[first:last]
        if part.strip():
            lead = len(part) - len(part.lstrip())
            yield first + lead, first + lead + len(part.strip())


def _stands_alone(line: str) -> bool:
    return is_complete(line) or len(line) < 45


def _kind(block: str) -> str:
    rows = [block[start:end] for start, end in lines(block)]
    if all(is_table_row(row) for row in rows):
        return "table"
    if is_list_item(rows[0]) and (len(rows) > 1 or not looks_like_heading(rows[0])):
        return "list"
    tests = (is_date_line, is_byline, is_salutation, is_closing, is_memo_line)
    short = [any(test(row) for test in tests) for row in rows]
    if all(flag or is_name_line(row) for flag, row in zip(short, rows, strict=True)) and (
        any(short) or len(rows) > 1
    ):
        return "lines"
    return "prose"


def _settle_head(text: str, units: Sequence[Unit]) -> None:
    """Mark what stands over the title (a masthead, a trail of links, a section) as lines to join it."""
    title = next((row for row, unit in enumerate(units) if unit.kind == "title"), 0)
    for unit in units[:title]:
        block = text[unit.start : unit.end]
        if unit.kind in {"prose", "table"} and n_words(block) <= _MASTHEAD_WORDS and not is_complete(block):
            unit.kind = "lines"


def _find_headings(text: str, units: Sequence[Unit]) -> None:
    """Turn one-line paragraphs that head what follows into headings, in text whose format marks none."""
    signed = False
    for row, unit in enumerate(units):
        block, before = text[unit.start : unit.end], units[row - 1] if row else None
        after = units[row + 1] if row + 1 < len(units) else None
        signed = is_closing(block) or ((signed and unit.kind != "prose") or (is_name_line(block) and signed))
        if unit.kind not in {"prose", "list"} or not looks_like_heading(block):
            continue
        if signed or (before and before.kind == "title" and is_name_line(block) and 2 <= n_words(block) <= 4):
            unit.kind = "lines"
        elif (
            after is not None and after.kind in {"prose", "list", "table"} and not text[after.start].islower()
        ):
            unit.kind = "heading"
        elif is_name_line(block):
            unit.kind = "lines"
