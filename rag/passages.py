"""Documents cut into passages: what is found, read and cited as one.

Every passage is a slice of its document. Every character that is not white space stands in exactly one
passage or in a heading; a heading that says something by itself also opens the passage under it, so that it
can be cited.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from rag import boilerplate
from rag.cutting import cut, weight
from rag.layout import (
    blocks,
    ends_open,
    is_byline,
    is_closing,
    is_complete,
    is_date_line,
    is_list_item,
    is_name_line,
    is_salutation,
    is_table_row,
    lines,
    looks_like_heading,
    n_words,
    plain_heading,
)
from rag.records import Document, Passage

_FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n.*?^(?:---|\.\.\.)[ \t]*$", re.DOTALL | re.MULTILINE)
_NUMBERING = re.compile(r"\W*\d+(?:\.\d+)*\.?\s")
_STATEMENT_WORDS = (
    8  # a heading this long says something by itself ("Minutes of the meeting held on 26 April")
)


class SplitSettings(Protocol):
    """What decides where passages are cut; words are runs between white space."""

    @property
    def max_words(self) -> int: ...
    @property
    def min_words(self) -> int: ...
    @property
    def keep_boilerplate(self) -> bool: ...


@dataclass(slots=True)
class _Unit:
    """A stretch on its way to be a passage; ``notice`` is the kind of boilerplate it is."""

    start: int
    end: int
    kind: str  # title, heading, lines, list, table or prose
    notice: str | None = None
    heading: str | None = None
    opens: bool = False  # a title or the end of a letter: headings above it do not reach below


def split(document: Document, settings: SplitSettings) -> list[Passage]:
    """The passages of a document in its order, boilerplate among them and marked.

    Paragraphs stand as authored; one torn by a page break is mended; long ones are cut at sentences into
    even parts; headings, lists, address lines and very short paragraphs join what they belong to.

    >>> from types import SimpleNamespace
    >>> document = Document("d", "/d.txt", "0", "text/plain", "Next steps\\n\\nThe panel will come back in the\\n\\nspring.")
    >>> settings = SimpleNamespace(max_words=220, min_words=3, keep_boilerplate=False)
    >>> [(p.heading, p.text) for p in split(document, settings)]
    [('Next steps', 'The panel will come back in the\\n\\nspring.')]
    """
    text = document.text
    units = _units(document)
    for join in (_mend_torn, _join_lists, _join_lines):
        units = join(text, units, settings)
    units = _join_short(text, _hang_headings(text, units, document.title), settings)
    return [
        Passage(
            document.id,
            start,
            end,
            text[start:end],
            heading=unit.heading,
            boilerplate=None if settings.keep_boilerplate else unit.notice,
        )
        for unit in units
        for start, end in cut(text, unit.start, unit.end, settings.max_words)
    ]


def _units(document: Document) -> list[_Unit]:
    """Blocks with their kinds: first what the format says, then notices, then what the lines look like."""
    text = document.text
    front = _FRONT_MATTER.match(text) if document.media_type == "text/markdown" else None
    marked = {(heading.start, heading.end) for heading in document.headings}
    ranges = [
        piece for block in blocks(text) for piece in _pieces(text, block.start, block.end, sorted(marked))
    ]
    notices = boilerplate.reasons([text[start:end] for start, end in ranges])
    units = []
    for (start, end), notice in zip(ranges, notices, strict=True):
        if front and start < front.end():
            notice = "document metadata"
        kind = "heading" if (start, end) in marked else _kind(text[start:end])
        units.append(_Unit(start, end, kind, None if kind == "heading" else notice))
    title = _flat(document.title or "")
    for unit in units:
        if title and unit.notice is None and plain_heading(text[unit.start : unit.end]) == title:
            unit.kind = "title"
        last_rows = [text[start:end] for start, end in lines(text, unit.start, unit.end)]
        unit.opens = unit.kind == "title" or (unit.kind == "lines" and is_closing(last_rows[0]))
    if not document.headings:
        _find_headings(text, [unit for unit in units if unit.notice is None])
    return units


def _pieces(text: str, start: int, end: int, marked: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """A block divided where the format marks a heading inside it, and where a line of it is a notice."""
    cuts = {start, end}
    for first, last in marked:
        if start <= first and last <= end:
            cuts |= {first, last}
    inside = list(lines(text, start, end))
    if len(inside) > 1:
        for row, (first, last) in enumerate(inside):
            alone = row == 0 or _stands_alone(text[slice(*inside[row - 1])])
            closed = row + 1 == len(inside) or _stands_alone(text[first:last])
            if alone and closed and boilerplate.is_notice_line(text[first:last]):
                cuts |= {first, last}
    points = sorted(cuts)
    for first, last in zip(points, points[1:], strict=False):
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
    short = [is_date_line(row) or is_byline(row) or is_salutation(row) or is_closing(row) for row in rows]
    if all(flag or is_name_line(row) for flag, row in zip(short, rows, strict=True)) and (
        any(short) or len(rows) > 1
    ):
        return "lines"
    return "prose"


def _find_headings(text: str, units: Sequence[_Unit]) -> None:
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


def _adjacent(left: _Unit, right: _Unit) -> bool:
    return left.notice == right.notice and (
        left.notice is not None or "heading" not in (left.kind, right.kind)
    )


def _mend_torn(text: str, units: list[_Unit], settings: SplitSettings) -> list[_Unit]:
    """Join a paragraph that ends in mid-sentence with the next when that goes on in lower case."""
    mended: list[_Unit] = []
    for unit in units:
        last = mended[-1] if mended else None
        if (
            last is not None
            and last.notice is None
            and unit.notice is None
            and last.kind in {"prose", "list"}
            and unit.kind == "prose"
            and text[unit.start].islower()
            and ends_open(text[last.start : last.end])
        ):
            last.end = unit.end
        else:
            mended.append(unit)
    return mended


def _join_lists(text: str, units: list[_Unit], settings: SplitSettings) -> list[_Unit]:
    """Join list items with the line that introduces them and with one another; a list of sentences stays apart."""
    joined: list[_Unit] = []
    introduced = False
    for unit in units:
        last = joined[-1] if joined else None
        block = text[unit.start : unit.end]
        if (
            last is not None
            and _adjacent(last, unit)
            and last.notice is None
            and unit.kind in {"list", "table"}
        ):
            opening = last.kind == "prose" and text[last.start : last.end].endswith(":")
            introduced = opening or (introduced and last.kind == "list")
            together = weight(text[last.start : unit.end]) <= settings.max_words
            brief = last.kind == "list" and not (_is_sentence_list(block, settings))
            if together and (introduced or brief):
                last.end, last.kind = unit.end, "list"
                continue
        elif unit.kind != "list":
            introduced = False
        if unit.kind == "list" and unit.notice is None and _is_sentence_list(block, settings):
            joined.extend(_Unit(start, end, "list") for start, end in _items(text, unit.start, unit.end))
        else:
            joined.append(unit)
    return joined


def _items(text: str, start: int, end: int) -> list[tuple[int, int]]:
    items: list[tuple[int, int]] = []
    for first, last in lines(text, start, end):
        if not items or is_list_item(text[first:last]):
            items.append((first, last))
        else:
            items[-1] = (items[-1][0], last)
    return items


def _is_sentence_list(block: str, settings: SplitSettings) -> bool:
    """Whether most items are whole sentences long enough to be found by themselves."""
    items = [block[start:end] for start, end in _items(block, 0, len(block))]
    whole = sum(is_complete(item) and n_words(item) > settings.min_words for item in items)
    return whole * 2 > len(items)


def _join_lines(text: str, units: list[_Unit], settings: SplitSettings) -> list[_Unit]:
    """Join address, date and signature lines with one another, a title with what stands under it, and
    neighbouring notices of one kind."""
    joined: list[_Unit] = []
    for unit in units:
        last = joined[-1] if joined else None
        if (
            last is not None
            and _adjacent(last, unit)
            and weight(text[last.start : unit.end]) <= settings.max_words
        ):
            if unit.notice is not None:
                last.end = unit.end
                continue
            before, block = text[last.start : last.end], text[unit.start : unit.end]
            parting = is_date_line(block.splitlines()[0]) and any(
                is_closing(row) for row in before.splitlines()
            )
            if last.kind == "title" and unit.kind in {"lines", "prose"}:
                last.end = unit.end
                last.kind = "title" if unit.kind == "lines" else "prose"
                continue
            if last.kind == unit.kind == "lines" and not parting:
                last.end = unit.end
                continue
        joined.append(unit)
    return joined


def _flat(text: str) -> str:
    return " ".join(text.split())


def _states_something(heading: str) -> bool:
    bare = _NUMBERING.sub("", heading, count=1)
    long = n_words(bare) >= _STATEMENT_WORDS or bool(re.search(r"\d{2}", bare))
    return long and not heading.endswith("?")


def _hang_headings(text: str, units: list[_Unit], title: str | None) -> list[_Unit]:
    """Give every unit the nearest heading above it; a heading with nothing under it stays a unit itself."""
    hung: list[_Unit] = []
    heading: str | None = None
    opening: int | None = None  # where the next unit must begin so that no heading is lost
    pending: _Unit | None = None
    for unit in units:
        if unit.opens:
            heading = None
        if unit.kind == "heading":
            words = plain_heading(text[unit.start : unit.end])
            keep = pending is not None or _states_something(words)
            if pending is not None and opening is None:
                opening = pending.start
            if keep and opening is None:
                opening = unit.start
            heading, pending = words or None, unit
            continue
        if unit.notice is None:
            if opening is not None:
                unit.start = opening
            unit.heading, opening, pending = heading if heading != title else None, None, None
        elif pending is not None:  # a notice right under a heading: the heading cannot reach over it
            hung.append(_Unit(opening if opening is not None else pending.start, pending.end, "lines"))
            opening, pending = None, None
        hung.append(unit)
    if pending is not None:
        hung.append(_Unit(opening if opening is not None else pending.start, pending.end, "lines"))
    return hung


def _join_short(text: str, units: list[_Unit], settings: SplitSettings) -> list[_Unit]:
    """Join paragraphs too short to be found by themselves with the one before, or else the one after."""
    joined: list[_Unit] = []
    for unit in units:
        last = joined[-1] if joined else None
        if (
            last is not None
            and last.kind in {"prose", "list"}
            and unit.kind in {"prose", "list"}
            and last.notice is None
            and unit.notice is None
            and last.heading == unit.heading
            and min(n_words(text[last.start : last.end]), n_words(text[unit.start : unit.end]))
            < settings.min_words
            and weight(text[last.start : unit.end]) <= settings.max_words
        ):
            last.end = unit.end
        else:
            joined.append(unit)
    return joined
