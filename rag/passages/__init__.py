"""Documents cut into passages: what is found, read and cited as one.

Every passage is a slice of its document. Every character that is not white space stands in exactly one
passage or in a heading; a heading that says something by itself also opens the passage under it, so that it
can be cited.
"""

from __future__ import annotations

import re
from typing import Protocol

from rag.passages.blocks import Unit, units_of
from rag.passages.cutting import cut, weight
from rag.records import Document, Passage
from rag.text.layout import (
    breaks_off,
    ends_open,
    is_closing,
    is_complete,
    is_date_line,
    is_list_item,
    is_salutation,
    lines,
    n_words,
    plain_heading,
)

_NUMBERING = re.compile(r"\W*\d+(?:\.\d+)*\.?\s")
_MAX_TORN = 10_000  # characters; a page holds less, and text that never ends a sentence is no torn paragraph
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


def split(document: Document, settings: SplitSettings) -> list[Passage]:
    """The passages of a document in its order, boilerplate among them and marked.

    Paragraphs stand as authored; one torn by a page break is mended; long ones are cut at sentences into
    even parts; headings, lists, address lines and very short paragraphs join what they belong to.

    >>> from types import SimpleNamespace
    >>> text = "Next steps\\n\\nThe panel will come back in the\\n\\nspring."
    >>> document = Document("d", "/d.txt", "0", "text/plain", text)
    >>> settings = SimpleNamespace(max_words=220, min_words=3, keep_boilerplate=False)
    >>> [(p.heading, p.text) for p in split(document, settings)]
    [('Next steps', 'The panel will come back in the\\n\\nspring.')]
    """
    text = document.text
    units = units_of(document)
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


def _adjacent(left: Unit, right: Unit) -> bool:
    return left.notice == right.notice and (
        left.notice is not None or "heading" not in (left.kind, right.kind)
    )


def _mend_torn(text: str, units: list[Unit], settings: SplitSettings) -> list[Unit]:
    """Join a paragraph that ends in mid-sentence with the next when that goes on in lower case."""
    mended: list[Unit] = []
    for unit in units:
        last = mended[-1] if mended else None
        if (
            last is not None
            and last.notice is None
            and unit.notice is None
            and last.kind in {"prose", "list"}
            and unit.kind == "prose"
            and unit.start - last.start < _MAX_TORN
            and _goes_on(text[max(last.start, last.end - 200) : last.end], text[unit.start])
        ):
            last.end = unit.end
        else:
            mended.append(unit)
    return mended


def _goes_on(before: str, opening: str) -> bool:
    return breaks_off(before) or (opening.islower() and ends_open(before))


def _join_lists(text: str, units: list[Unit], settings: SplitSettings) -> list[Unit]:
    """Join list items with the line that introduces them and one another; a list of sentences stays apart."""
    joined: list[Unit] = []
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
            if opening or (together and (introduced or brief)):
                last.end, last.kind = unit.end, "list"
                continue
        elif unit.kind != "list":
            introduced = False
        if unit.kind == "list" and unit.notice is None and _is_sentence_list(block, settings):
            joined.extend(Unit(start, end, "list") for start, end in _items(text, unit.start, unit.end))
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


def _join_lines(text: str, units: list[Unit], settings: SplitSettings) -> list[Unit]:
    """Join address, date and signature lines with one another, a title with what stands under it, and
    neighbouring notices of one kind."""
    joined: list[Unit] = []
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
            if (
                last.kind == "lines"
                and unit.kind == "title"
                and not any(map(_of_a_letter, before.splitlines()))
            ):
                last.end, last.kind, last.opens = unit.end, "title", True
                continue
            if last.kind == "title" and unit.kind in {"lines", "prose"}:
                last.end = unit.end
                last.kind = "title" if unit.kind == "lines" else "prose"
                continue
            if last.kind == unit.kind == "lines" and not parting:
                last.end = unit.end
                continue
        joined.append(unit)
    return joined


def _of_a_letter(line: str) -> bool:
    return is_closing(line) or is_salutation(line)


def _states_something(heading: str) -> bool:
    bare = _NUMBERING.sub("", heading, count=1)
    long = n_words(bare) >= _STATEMENT_WORDS or bool(re.search(r"\d{2}", bare))
    return long and not heading.endswith("?")


def _hang_headings(text: str, units: list[Unit], title: str | None) -> list[Unit]:
    """Give every unit the nearest heading above it; a heading with nothing under it stays a unit itself."""
    hung: list[Unit] = []
    heading: str | None = None
    opening: int | None = None  # where the next unit must begin so that no heading is lost
    pending: Unit | None = None
    section = 0
    for row, unit in enumerate(units):
        section += unit.kind == "heading" or unit.opens
        unit.section = section
        if unit.kind == "title" and row + 1 < len(units) and units[row + 1].kind == "heading":
            heading, pending, opening = None, unit, unit.start if opening is None else opening
            continue
        if unit.opens:
            heading = None
            opening = pending.start if pending is not None and opening is None else opening
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
            hung.append(Unit(opening if opening is not None else pending.start, pending.end, "lines"))
            opening, pending = None, None
        hung.append(unit)
    if pending is not None:  # nothing follows the last heading
        hung.append(Unit(opening if opening is not None else pending.start, pending.end, "lines"))
    return hung


def _join_short(text: str, units: list[Unit], settings: SplitSettings) -> list[Unit]:
    """Join paragraphs too short to be found by themselves with the one before, or else the one after."""
    joined: list[Unit] = []
    for unit in units:
        last = joined[-1] if joined else None
        if (
            last is not None
            and last.kind in {"prose", "list"}
            and unit.kind in {"prose", "list"}
            and last.notice is None
            and unit.notice is None
            and last.section == unit.section
            and min(n_words(text[last.start : last.end]), n_words(text[unit.start : unit.end]))
            < settings.min_words
            and weight(text[last.start : unit.end]) <= settings.max_words
        ):
            last.end = unit.end
        else:
            joined.append(unit)
    return joined
