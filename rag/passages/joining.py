"""A document's blocks joined to what is found and read as one: an address, a list with what leads to it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Protocol

from rag.passages.cutting import weight
from rag.records import Block, BlockKind, Document
from rag.text.layout import is_complete, lines, n_words
from rag.text.markup import plain_words

Range = tuple[int, int]

_NUMBERING = re.compile(r"\W*\d+(?:\.\d+)*\.?\s")
# A heading this long says something by itself ("Minutes of the meeting held on 26 April").
_STATEMENT_WORDS = 8
_GROUPS = {
    BlockKind.TITLE: "title",
    BlockKind.HEADING: "heading",
    BlockKind.LIST_ITEM: "list",
    BlockKind.TABLE_HEADER: "table",
    BlockKind.TABLE_ROW: "table",
    BlockKind.TERM: "definitions",
    BlockKind.DEFINITION: "definitions",
    BlockKind.CODE: "code",
    BlockKind.LINES: "lines",
    BlockKind.DATE: "lines",
    BlockKind.GREETING: "lines",
    BlockKind.CLOSING: "lines",
}  # all others are prose
_FOUND_ALONE = {"prose", "list", "definitions"}  # a very short one of these joins its neighbour


class JoinSettings(Protocol):
    """How long a passage may be and must be; words are runs between white space."""

    @property
    def max_words(self) -> int:
        """The most words of a passage."""

    @property
    def min_words(self) -> int:
        """The fewest words of one that stands alone."""


@dataclass(slots=True)
class Unit:
    """A stretch on its way to be a passage, and the parts between which it is cut where it is too long."""

    kind: str  # title, heading, lines, list, table, definitions, code or prose
    parts: list[Range]
    notice: str | None = None
    heading: str | None = None
    section: int = 0  # which heading it stands under, counted, so that two of the same words are two
    opens: bool = False  # a title or the end of a letter: headings above it do not reach below
    kinds: set[BlockKind] = field(default_factory=set)

    @property
    def start(self) -> int:
        """Where it begins in the document."""
        return self.parts[0][0]

    @property
    def end(self) -> int:
        """Where it ends in the document."""
        return self.parts[-1][1]

    def reach_back(self, start: int) -> None:
        """Let it begin at ``start``."""
        self.parts[0] = (start, self.parts[0][1])

    def take(self, other: Unit) -> None:
        """Join the unit below to this one."""
        self.parts += other.parts
        self.kinds |= other.kinds


def joined(document: Document, settings: JoinSettings) -> list[Unit]:
    """The units of a document in its order; a heading that says something opens the one under it."""
    text = document.text
    units = list(_units(text, document.blocks, settings))
    units = _join_lines(text, units, settings)
    return _join_short(text, _hang_headings(document, units), settings)


def _fits(text: str, upper: Unit, lower: Unit, settings: JoinSettings) -> bool:
    return weight(text[upper.start : lower.end]) <= settings.max_words


def _units(text: str, blocks: Sequence[Block], settings: JoinSettings) -> Iterator[Unit]:
    """Every block a unit, but items, rows and definitions with one another and with what leads to them."""
    last: Unit | None = None
    for (kind, notice, _), members in groupby(_numbered(text, blocks), lambda member: member[0]):
        run = [block for _, block in members]
        if notice is None and kind in {"list", "table", "definitions"}:
            fresh = list(_of_run(text, kind, run, last, settings))
        else:
            fresh = [_unit(text, kind, block) for block in run]
        if last is not None:
            yield last
        yield from fresh[:-1]
        last = fresh[-1] if fresh else None
    if last is not None:
        yield last


def _numbered(text: str, blocks: Sequence[Block]) -> Iterator[tuple[tuple[str, str | None, int], Block]]:
    """Each block with what it must share with the next to stand in a run with it; tables part at headers."""
    number = 0
    before: Block | None = None
    for block in blocks:
        if before is not None and block.kind is BlockKind.TABLE_HEADER and before.kind is BlockKind.TABLE_ROW:
            number += 1
        yield (_GROUPS.get(block.kind, "prose"), block.notice, number), block
        before = block


def _unit(text: str, kind: str, block: Block) -> Unit:
    parts = list(lines(text, block.start, block.end)) if kind == "code" else [(block.start, block.end)]
    opens = block.notice is None and block.kind in {BlockKind.TITLE, BlockKind.CLOSING}
    return Unit(kind, parts, block.notice, opens=opens, kinds={block.kind})


def _of_run(
    text: str, kind: str, run: Sequence[Block], above: Unit | None, settings: JoinSettings
) -> Iterator[Unit]:
    """The units of a list, table or glossary; ``above`` takes it in where it leads to it."""
    parts = [(block.start, block.end) for block in run]
    leads = run[0].lead is not None and above is not None and above.kind == "prose" and above.notice is None
    if leads and above is not None:
        above.parts += parts
        above.kind = kind
    elif kind == "definitions":
        for row, block in enumerate(run):
            if row == 0 or (block.kind is BlockKind.TERM and run[row - 1].kind is not BlockKind.TERM):
                entry = Unit(kind, [])
                yield entry
            entry.parts.append(parts[row])
    elif kind == "list" and _is_of_sentences([text[start:end] for start, end in parts], settings):
        yield from (Unit(kind, [part]) for part in parts)
    else:
        yield Unit(kind, parts)


def _is_of_sentences(items: Sequence[str], settings: JoinSettings) -> bool:
    """Whether most items are whole sentences long enough to be found by themselves."""
    whole = sum(is_complete(item) and n_words(item) > settings.min_words for item in items)
    return whole * 2 > len(items)


def _join_lines(text: str, units: Sequence[Unit], settings: JoinSettings) -> list[Unit]:
    """Units with lines that stand alone joined to their neighbours.

    Address, date and signature lines are joined with one another, a title with what stands under it, and
    neighbouring notices of one kind.
    """
    result: list[Unit] = []
    for unit in units:
        last = result[-1] if result else None
        if last is not None and _belongs(last, unit) and _fits(text, last, unit, settings):
            last.take(unit)
            if last.notice is None and last.kind != unit.kind:
                last.opens = last.opens or unit.kind == "title"
                # A title goes on to take lines in until its first paragraph has come.
                last.kind = "prose" if unit.kind == "prose" else "title"
        else:
            result.append(unit)
    return result


def _belongs(last: Unit, unit: Unit) -> bool:
    if last.notice is not None or unit.notice is not None:
        return last.notice == unit.notice
    if last.kind == "title":
        return unit.kind in {"lines", "prose"}
    if last.kind != "lines":
        return False
    if unit.kind == "title":
        return last.kinds.isdisjoint({BlockKind.GREETING, BlockKind.CLOSING})
    another_letter = BlockKind.CLOSING in last.kinds and BlockKind.DATE in unit.kinds
    return unit.kind == "lines" and not another_letter


def _states_something(heading: str) -> bool:
    bare = _NUMBERING.sub("", heading, count=1)
    long = n_words(bare) >= _STATEMENT_WORDS or bool(re.search(r"\d{2}", bare))
    return long and not heading.endswith("?")


def _hang_headings(document: Document, units: Sequence[Unit]) -> list[Unit]:
    """Give every unit the nearest heading above it; a heading with nothing under it stays a unit itself."""
    text = document.text
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
            words = plain_words(text[unit.start : unit.end], document.media_type)
            keep = pending is not None or _states_something(words)
            if pending is not None and opening is None:
                opening = pending.start
            if keep and opening is None:
                opening = unit.start
            heading, pending = words or None, unit
            continue
        if unit.notice is None:
            if opening is not None:
                unit.reach_back(opening)
            unit.heading, opening, pending = heading if heading != document.title else None, None, None
        elif pending is not None:  # a notice right under a heading: the heading cannot reach over it
            hung.append(_bare(opening, pending))
            opening, pending = None, None
        hung.append(unit)
    if pending is not None:  # nothing follows the last heading
        hung.append(_bare(opening, pending))
    return hung


def _bare(opening: int | None, heading: Unit) -> Unit:
    return Unit("lines", [(heading.start if opening is None else opening, heading.end)])


def _join_short(text: str, units: Sequence[Unit], settings: JoinSettings) -> list[Unit]:
    """Join paragraphs too short to be found by themselves with the one before, or else the one after."""
    result: list[Unit] = []
    for unit in units:
        last = result[-1] if result else None
        if (
            last is not None
            and last.kind in _FOUND_ALONE
            and unit.kind in _FOUND_ALONE
            and last.notice is None
            and unit.notice is None
            and last.section == unit.section
            and min(n_words(text[last.start : last.end]), n_words(text[unit.start : unit.end]))
            < settings.min_words
            and _fits(text, last, unit, settings)
        ):
            last.take(unit)
        else:
            result.append(unit)
    return result
