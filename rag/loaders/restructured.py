"""reStructuredText (.rst). The document's text is the decoded file, character for character, with its marks.

A small reader of lines: `docutils` would give no characters of the source, and drops what a Sphinx directive
or role that it does not know holds. No file is ever included, and nothing is run.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from rag.loaders.draft import Draft, Known, marked
from rag.loaders.plain import decode
from rag.records import Block, BlockKind
from rag.text.dates import stated_date
from rag.text.markup import plain_words

_TYPE = "text/x-rst"
METADATA = "document metadata"
_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1+\s*$")
_ITEM = re.compile(r"(?:[-*+•‣]|\(?(?:\d{1,4}|#|[a-zA-Z]|[ivxlIVXL]{1,6})[.)])[ ]+(?=\S)")
_DIRECTIVE = re.compile(r"\.\.[ ]+(?:\|[^|]{1,200}\|[ ]+)?(?P<name>[\w:.+-]{1,80})::(?:[ ]+|$)")
_NOTE = re.compile(r"\.\.[ ]+\[[^\]]{1,80}\][ ]+(?=\S)")
_FIELD = re.compile(r":(?P<name>[^:\n]{1,80}):(?:[ ]+|$)")
_SIMPLE = re.compile(r"=+(?:[ ]+=+)+\s*$")
_GRID = re.compile(r"\+(?:[-=]+\+)+\s*$")
_CODE = {
    "code",
    "code-block",
    "sourcecode",
    "parsed-literal",
    "math",
    "literalinclude",
    "highlight",
    "doctest",
}
_NO_ARGUMENT = {*_CODE, "figure", "list-table", "csv-table", "container", "class", "highlight"}
_NO_WORDS = {"toctree", "image", "include", "raw", "contents", "only", "index", "module", "currentmodule"}


class Lines:
    """The lines of a text, each with where its words begin and end and how far it is indented."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.rows: list[tuple[int, int]] = []
        self._starts: list[int] = []
        self._same: dict[str, list[int]] = {}  # for lines asked for, every row that is the same
        at = 0
        for line in text.splitlines(keepends=True):
            stripped = line.strip()
            first = at + len(line) - len(line.lstrip()) if stripped else at
            self.rows.append((first, first + len(stripped)))
            self._starts.append(at)
            at += len(line)
        # Where tables between rules may end: at a rule with nothing under it.
        self.closing = [
            row for row in range(len(self)) if _SIMPLE.match(self.words(row)) and not self.words(row + 1)
        ]

    def __len__(self) -> int:
        return len(self.rows)

    def words(self, row: int) -> str:
        """The line without white space around it; empty past the last."""
        return self.text[slice(*self.rows[row])] if 0 <= row < len(self.rows) else ""

    def indent(self, row: int) -> int:
        """The characters before the words."""
        return self.rows[row][0] - self._starts[row]

    def end_of(self, row: int) -> int:
        """The first row from ``row`` on that is blank."""
        while row < len(self.rows) and self.rows[row][0] < self.rows[row][1]:
            row += 1
        return row

    def next_of(self, words: str, row: int) -> int:
        """The first row under ``row`` that holds just these words; the end where there is none."""
        if words not in self._same:
            self._same[words] = [at for at in range(len(self)) if self.words(at) == words]
        at = bisect_right(self._same[words], row)
        return self._same[words][at] if at < len(self._same[words]) else len(self)

    def inside(self, row: int, indent: int) -> int:
        """The row after the last from ``row`` on that is indented deeper than that, blank ones between."""
        last = row
        while row < len(self.rows):
            if self.words(row):
                if self.indent(row) <= indent:
                    break
                last = row + 1
            row += 1
        return last

    def block(
        self, kind: BlockKind, first: int, end: int, level: int = 0, notice: str | None = None
    ) -> Block | None:
        """The block of the rows from ``first`` up to ``end``; None where they are blank."""
        while first < end and not self.words(first):
            first += 1
        while end > first and not self.words(end - 1):
            end -= 1
        return Block(kind, self.rows[first][0], self.rows[end - 1][1], level, notice) if first < end else None


def load_rst(data: bytes) -> Draft:
    """A reStructuredText file as a draft; the text keeps its marks, and blocks say what they mark.

    >>> draft = load_rst(b"Minutes\\n=======\\n\\nWe will::\\n\\n  open()\\n\\n- come\\n")
    >>> draft.title, [(block.kind.value, block.start, block.end) for block in draft.blocks]
    ('Minutes', [('title', 0, 15), ('paragraph', 17, 26), ('code', 30, 36), ('list item', 38, 44)])
    """
    text, encoding, notes = decode(data)
    reader = _Reader(Lines(text))
    blocks = list(reader.blocks())
    heading = next((block for block in blocks if block.kind is BlockKind.HEADING), None)
    known = Known(
        title=plain_words(text[heading.start : heading.end], _TYPE) if heading else None,
        date=stated_date(reader.fields.get("date", "")),
        encoding=encoding,
        notes=notes,
    )
    return marked(text, _TYPE, blocks, known)


class _Reader:
    """Goes down the lines once."""

    def __init__(self, lines: Lines) -> None:
        self.fields: dict[str, str] = {}  # of the document: what stands before its first paragraph
        self._lines = lines
        self._levels: list[tuple[str, bool]] = []  # the adornments of headings, the highest first
        self._bases = [(0, BlockKind.PARAGRAPH)]  # how far blocks that stand in one another are indented
        self._lists: list[int] = []  # how far the lists about are indented
        self._opens = False  # whether what is indented deeper next belongs to what came before it

    def blocks(self) -> Iterator[Block]:
        """The blocks, in order and apart."""
        lines, row, headed = self._lines, 0, False
        while row < len(lines):
            words = lines.words(row)
            if not words:
                row += 1
                continue
            indent = lines.indent(row)
            kind = self._inside(indent)
            end, found = self._next(row, words, indent, kind)
            headed = headed or any(block.notice is None and block.kind in _PROSE for block in found)
            if not headed and (named := _FIELD.match(words)):
                self.fields[named["name"].lower()] = words[named.end() :]
            yield from found
            row = max(end, row + 1)

    def _inside(self, indent: int) -> BlockKind:
        """What a paragraph indented so far is: one more of those around it, or a quotation."""
        while len(self._bases) > 1 and self._bases[-1][0] > indent:
            self._bases.pop()
        while self._lists and self._lists[-1] > indent:
            self._lists.pop()
        if indent > self._bases[-1][0]:
            self._bases.append((indent, self._bases[-1][1] if self._opens else BlockKind.QUOTATION))
        self._opens = False
        return self._bases[-1][1]

    def _next(self, row: int, words: str, indent: int, kind: BlockKind) -> tuple[int, list[Block]]:
        """The row after what begins here, and its blocks."""
        lines = self._lines
        if indent == 0 and (heading := self._heading(row, words)):
            return heading
        if words.startswith("..") and (len(words) == 2 or words[2] == " "):
            return self._explicit(row, words, indent)
        if words.startswith("__ ") or (_ADORNMENT.match(words) and not lines.words(row + 1)):
            return row + 1, _kept(lines.block(BlockKind.PARAGRAPH, row, row + 1, notice=METADATA))
        if _GRID.match(words) or _SIMPLE.match(words):
            end = _table_end(lines, row)
            return end, list(_table_rows(lines, row, end))
        if words.startswith(">>> "):
            end = lines.end_of(row)
            return end, _kept(lines.block(BlockKind.CODE, row, end))
        item = _ITEM.match(words)
        if item and (
            row + 1 >= len(lines) or not lines.words(row + 1) or self._is_item_or_inside(row + 1, indent)
        ):
            return self._item(row, indent, item.end())
        if _FIELD.match(words):
            self._opens = True
            end = self._rest(row, indent)
            return end, _kept(lines.block(BlockKind.PARAGRAPH, row, end))
        return self._paragraph(row, indent, kind)

    def _heading(self, row: int, words: str) -> tuple[int, list[Block]] | None:
        lines = self._lines
        below, under = lines.words(row + 1), lines.words(row + 2)
        if _ADORNMENT.match(words) and below and under == words and not _ADORNMENT.match(below):
            end, adornment = row + 3, (words[0], True)
        elif (
            below
            and _ADORNMENT.match(below)
            and lines.indent(row + 1) == 0
            and len(below) >= min(len(words), 4)
        ):
            if _ADORNMENT.match(words) or _SIMPLE.match(below):
                return None
            end, adornment = row + 2, (below[0], False)
        else:
            return None
        if adornment not in self._levels:
            self._levels.append(adornment)
        self._bases, self._lists = self._bases[:1], []
        level = self._levels.index(adornment) + 1
        return end, _kept(lines.block(BlockKind.HEADING, row, end, level))

    def _explicit(self, row: int, words: str, indent: int) -> tuple[int, list[Block]]:
        """A directive, footnote, target or comment."""
        lines = self._lines
        first = lines.rows[row][0]
        note = _NOTE.match(words)
        if note:
            end = lines.end_of(row)
            self._opens = True
            return end, _kept(lines.block(BlockKind.PARAGRAPH, row, end))
        directive = _DIRECTIVE.match(words)
        if (
            directive is None or directive["name"] in _NO_WORDS
        ):  # a target, or a comment with all that is in it
            end = lines.inside(row + 1, indent)
            return end, _kept(lines.block(BlockKind.PARAGRAPH, row, end, notice=METADATA))
        options = row + 1
        while (
            options < len(lines) and lines.words(options).startswith(":") and lines.indent(options) > indent
        ):
            options += 1
        blocks = []
        argument = words[directive.end() :]
        if argument and directive["name"] not in _NO_ARGUMENT:
            mark = first + len(words[: directive.end()].rstrip())
            blocks.append(Block(BlockKind.PARAGRAPH, first, mark, notice=METADATA))
            end = options if options > row + 1 else self._rest(row, indent)
            start = first + directive.end()
            last = row + 1 if options > row + 1 else end
            blocks.append(Block(BlockKind.PARAGRAPH, start, lines.rows[last - 1][1]))
            if options > row + 1:
                blocks += _kept(lines.block(BlockKind.PARAGRAPH, row + 1, options, notice=METADATA))
        else:
            end = options
            blocks += _kept(lines.block(BlockKind.PARAGRAPH, row, options, notice=METADATA))
        if directive["name"] in _CODE:
            last = lines.inside(end, indent)
            return last, blocks + _kept(lines.block(BlockKind.CODE, end, last))
        self._opens = True
        return end, blocks

    def _rest(self, row: int, indent: int) -> int:
        """The row after the paragraph that begins in mid-line, its other lines indented deeper."""
        end = row + 1
        while end < len(self._lines) and self._lines.words(end) and self._lines.indent(end) > indent:
            end += 1
        return end

    def _is_item_or_inside(self, row: int, indent: int) -> bool:
        return self._lines.indent(row) > indent or bool(_ITEM.match(self._lines.words(row)))

    def _item(self, row: int, indent: int, width: int) -> tuple[int, list[Block]]:
        lines = self._lines
        end = row + 1
        while end < len(lines) and lines.words(end) and lines.indent(end) > indent:
            if (
                _ITEM.match(lines.words(end))
                and lines.indent(end) < indent + width + 8
                and _begins(lines, end)
            ):
                break
            end += 1
        if not self._lists or self._lists[-1] < indent:
            self._lists.append(indent)
        self._bases.append((indent + width, BlockKind.PARAGRAPH))
        if lines.words(end - 1).endswith("::"):
            return self._with_literal(
                end, indent, lines.block(BlockKind.LIST_ITEM, row, end, len(self._lists))
            )
        return end, _kept(lines.block(BlockKind.LIST_ITEM, row, end, len(self._lists)))

    def _paragraph(self, row: int, indent: int, kind: BlockKind) -> tuple[int, list[Block]]:
        lines = self._lines
        if row + 1 < len(lines) and lines.words(row + 1) and lines.indent(row + 1) > indent:
            end = self._rest(row, indent)  # a term, and what it means indented under it
            self._bases.append((lines.indent(row + 1), BlockKind.PARAGRAPH))
            return end, [
                *_kept(lines.block(BlockKind.TERM, row, row + 1)),
                *_kept(lines.block(BlockKind.DEFINITION, row + 1, end)),
            ]
        end = row
        while end < len(lines) and lines.words(end) and lines.indent(end) == indent:
            end += 1
        block = lines.block(kind, row, end)
        if lines.words(end - 1).endswith("::"):
            return self._with_literal(end, indent, block)
        return end, _kept(block)

    def _with_literal(self, end: int, indent: int, block: Block | None) -> tuple[int, list[Block]]:
        """What ends in two colons, and the indented text under it, which is as it stands."""
        last = self._lines.inside(end, indent)
        return max(last, end), _kept(block) + _kept(self._lines.block(BlockKind.CODE, end, last))


_PROSE = {BlockKind.LIST_ITEM, BlockKind.PARAGRAPH, BlockKind.QUOTATION, BlockKind.TERM}


def _begins(lines: Lines, row: int) -> bool:
    """Whether an item may begin here: a line that is only indented goes on with its item."""
    return not lines.words(row - 1) or bool(_ITEM.match(lines.words(row - 1)))


def _kept(block: Block | None) -> list[Block]:
    return [] if block is None else [block]


def _table_end(lines: Lines, row: int) -> int:
    """The row after a table: at a blank line, in a simple one after its last rule."""
    if _GRID.match(lines.words(row)):
        return lines.end_of(row)
    closing = bisect_right(lines.closing, row)
    return lines.closing[closing] + 1 if closing < len(lines.closing) else lines.end_of(row)


def _table_rows(lines: Lines, first: int, end: int) -> Iterator[Block]:
    """The rows of a table; those over a second rule are its header."""
    simple = bool(_SIMPLE.match(lines.words(first)))
    rules = [row for row in range(first, end) if _SIMPLE.match(lines.words(row))] if simple else []
    header = len(rules) > 2
    start = first + 1
    for row in range(first + 1, end + 1):
        words = lines.words(row) if row < end else ""
        rule = row == end or bool(_SIMPLE.match(words) if simple else _GRID.match(words))
        begins = simple and row > start and bool(words) and lines.indent(row) == lines.indent(first)
        if not (rule or begins or not words):
            continue
        heads = header and row <= rules[1] if simple else "=" in words
        kind = BlockKind.TABLE_HEADER if heads else BlockKind.TABLE_ROW
        yield from _kept(lines.block(kind, start, row))
        start = row + 1 if rule or not words else row
