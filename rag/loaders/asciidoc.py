"""AsciiDoc (.adoc). The document's text is the decoded file, character for character, with its marks.

A small reader of lines: there is no library in Python that reads the format. No file is ever included.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rag.loaders.draft import Draft, Known, marked
from rag.loaders.plain import decode
from rag.loaders.restructured import METADATA, Lines
from rag.records import Block, BlockKind
from rag.text.dates import stated_date
from rag.text.markup import plain_words

_TYPE = "text/asciidoc"
_HEADING = re.compile(r"={1,6}[ ]+\S")
_ATTRIBUTE = re.compile(r":(?P<name>!?[\w-]{1,80}!?):(?:[ ]+(?P<value>.*))?$")
_ITEM = re.compile(r"(?P<mark>\*{1,6}|-|\.{1,6}|\d{1,4}\.|[a-z]\.)[ ]+(?=\S)")
_TERM = re.compile(r"(?P<term>\S.{0,300}?)(?:::{1,3}|;;)(?:[ ]+|$)")
_CAPTION = re.compile(r"\.[^\s.]")
_LITERAL = re.compile(r"(-{4,}|\.{4,}|\+{4,}|`{3,})[\w,-]*$")
_FENCE = re.compile(r"(?:={4,}|\*{4,}|_{4,}|--)$")  # around blocks that are read as others are
_MACRO = re.compile(r"(?:include|image|video|audio|toc|ifdef|ifndef|ifeval|endif)::[^\[\]]{0,500}\[.*\]$")
_TABLE = re.compile(r"[|,:!]===$")


def load_adoc(data: bytes) -> Draft:
    """An AsciiDoc file as a draft; the text keeps its marks, and blocks say what they mark.

    >>> draft = load_adoc(b"= Minutes\\nAnn Lee\\nv1, 2017-03-22\\n\\n== Next\\n\\n* come\\n** by train\\n")
    >>> draft.title, draft.date, [(block.kind.value, block.level) for block in draft.blocks][-2:]
    ('Minutes', '2017-03-22', [('list item', 1), ('list item', 2)])
    """
    text, encoding, notes = decode(data)
    reader = _Reader(Lines(text))
    blocks = list(reader.blocks())
    heading = next((block for block in blocks if block.kind is BlockKind.HEADING), None)
    known = Known(
        title=plain_words(text[heading.start : heading.end], _TYPE) if heading else None,
        date=stated_date(reader.dated),
        encoding=encoding,
        notes=notes,
    )
    draft = marked(text, _TYPE, blocks, known)
    return replace(draft, blocks=_led(text, draft.blocks))


def _led(text: str, blocks: Sequence[Block]) -> tuple[Block, ...]:
    """The blocks with every row led by its table's header: here blank lines part rows, not tables."""
    led, header, before = list[Block](), None, 0
    for block in blocks:
        if "===" in text[before : block.start] or block.kind not in {
            BlockKind.TABLE_HEADER,
            BlockKind.TABLE_ROW,
        }:
            header = None
        if block.kind is BlockKind.TABLE_HEADER:
            header = block.start, block.end
        elif header is not None and block.lead is None:
            block = replace(block, lead=header)
        led.append(block)
        before = block.end
    return tuple(led)


class _Reader:
    """Goes down the lines once."""

    def __init__(self, lines: Lines) -> None:
        self.dated = ""
        self._lines = lines
        self._quoted = False
        self._marks: list[str] = []  # of the lists about
        self._header = False  # whether the table to come says that it has one

    def blocks(self) -> Iterator[Block]:
        """The blocks, in order and apart."""
        lines, row = self._lines, 0
        while row < len(lines):
            words = lines.words(row)
            if not words:
                row += 1
                continue
            end, found = self._next(row, words)
            yield from found
            row = max(end, row + 1)

    def _next(self, row: int, words: str) -> tuple[int, list[Block]]:
        """The row after what begins here, and its blocks."""
        lines = self._lines
        if lines.indent(row) == 0 and _HEADING.match(words):
            self._marks = []
            level = len(words) - len(words.lstrip("="))
            end = row + 1
            heading = self._one(BlockKind.HEADING, row, end, level)
            return (self._author(end, heading)) if level == 1 and row == 0 else (end, heading)
        if words.startswith("////") and not words.strip("/"):
            return self._fenced(row, words, BlockKind.PARAGRAPH, METADATA)
        if _LITERAL.match(words):
            return self._fenced(row, words, BlockKind.CODE)
        if _TABLE.match(words):
            return self._table(row, words)
        if _FENCE.match(words):
            self._quoted = words.startswith("____") and not self._quoted
            return row + 1, self._one(BlockKind.PARAGRAPH, row, row + 1, notice=METADATA)
        attribute = _ATTRIBUTE.match(words)
        if (
            attribute
            or words.startswith("//")
            or _MACRO.match(words)
            or words == "+"
            or _is_attributes(words)
        ):
            if attribute and attribute["name"] in {"revdate", "date", "docdate"}:
                self.dated = attribute["value"] or ""
            self._header = self._header or (_is_attributes(words) and "header" in words)
            return row + 1, self._one(BlockKind.PARAGRAPH, row, row + 1, notice=METADATA)
        if _CAPTION.match(words) and lines.indent(row) == 0:
            return row + 1, self._one(BlockKind.CAPTION, row, row + 1)
        item = _ITEM.match(words)
        if item:
            end = self._paragraph_end(row)
            return end, self._one(BlockKind.LIST_ITEM, row, end, self._level(item["mark"]))
        term = _TERM.match(words)
        if term:
            return self._definition(row, term)
        if lines.indent(row) > 0 and not self._marks:
            end = lines.end_of(row)
            return end, self._one(BlockKind.CODE, row, end)
        end = self._paragraph_end(row)
        return end, self._one(BlockKind.QUOTATION if self._quoted else BlockKind.PARAGRAPH, row, end)

    def _one(
        self, kind: BlockKind, first: int, end: int, level: int = 0, notice: str | None = None
    ) -> list[Block]:
        block = self._lines.block(kind, first, end, level, notice)
        return [] if block is None else [block]

    def _author(self, row: int, heading: list[Block]) -> tuple[int, list[Block]]:
        """The lines right under the title: who wrote it, and its version and date."""
        end = row
        while end < row + 2 and self._lines.words(end) and not _ATTRIBUTE.match(self._lines.words(end)):
            self.dated += f" {self._lines.words(end)}"
            end += 1
        return end, heading + self._one(BlockKind.LINES, row, end)

    def _level(self, mark: str) -> int:
        """How deep a list stands: a mark that is new goes deeper, one seen before goes back to it."""
        kind = re.sub(r"\w+", "1", mark)
        if kind in self._marks:
            del self._marks[self._marks.index(kind) + 1 :]
        else:
            self._marks.append(kind)
        return len(self._marks)

    def _paragraph_end(self, row: int) -> int:
        """The row after a paragraph: at a blank line, or where something else begins."""
        end = row + 1
        while (words := self._lines.words(end)) and not (
            _ITEM.match(words)
            or _LITERAL.match(words)
            or _FENCE.match(words)
            or _TABLE.match(words)
            or words == "+"
            or words.startswith("//")
            or _is_attributes(words)
            or (_TERM.match(words) and self._marks)
        ):
            end += 1
        return end

    def _definition(self, row: int, term: re.Match[str]) -> tuple[int, list[Block]]:
        lines = self._lines
        first, last = lines.rows[row]
        blocks = [Block(BlockKind.TERM, first, first + len(term[0].rstrip()))]
        end = self._paragraph_end(row)
        start = first + term.end() if first + term.end() < last else None
        if start is None and end > row + 1:
            start = lines.rows[row + 1][0]
        if start is not None:
            blocks.append(Block(BlockKind.DEFINITION, start, lines.rows[end - 1][1]))
        return end, blocks

    def _fenced(
        self, row: int, fence: str, kind: BlockKind, notice: str | None = None
    ) -> tuple[int, list[Block]]:
        """What stands between a line of marks and the next like it; to the end where there is none."""
        bare = re.match(r"(.)\1*", fence)
        mark = bare[0] if bare else fence
        end = self._lines.next_of(mark, row)
        inside = self._one(kind, row + 1, end, notice=notice)
        fences = (at for at in (row, end) if at < len(self._lines))
        marks = [self._one(BlockKind.PARAGRAPH, at, at + 1, notice=METADATA) for at in fences]
        return end + 1, [*marks[0], *inside, *(marks[1] if len(marks) > 1 else [])]

    def _table(self, row: int, mark: str) -> tuple[int, list[Block]]:
        lines = self._lines
        end = lines.next_of(mark, row)
        blocks, start, header = list[Block](), row + 1, self._header
        self._header = False
        for at in range(row + 1, end + 1):
            words = lines.words(at) if at < end else ""
            several = words.count("|") > 1 or lines.words(start).count("|") > 1
            if words and not (several and at > start and words.startswith("|")):
                continue
            heads = not blocks and (header or (not words and at == row + 2 and at < end))
            blocks += self._one(BlockKind.TABLE_HEADER if heads else BlockKind.TABLE_ROW, start, at)
            start = at if words else at + 1
        return end + 1, blocks


def _is_attributes(words: str) -> bool:
    return words.startswith("[") and words.endswith("]") and not words.startswith("[[[")
