"""The blocks of text whose format marks none: plain text and what was read off a PDF's pages.

This is the one place where structure is guessed from how lines look. Whatever comes out is the same record
that a format's own marks give, so that nothing after the loaders asks how a block was found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from rag.records import Block, BlockKind
from rag.text import boilerplate
from rag.text.blocks import is_rule, letter_kind, with_masthead, with_title
from rag.text.layout import (
    breaks_off,
    ends_open,
    is_closing,
    is_complete,
    is_list_item,
    is_name_line,
    is_table_row,
    lines,
    looks_like_heading,
    n_words,
    paragraphs,
)

Range = tuple[int, int]

_MAX_TORN = 10_000  # characters; a page holds less, and text that never ends a sentence is no torn paragraph
_LONGEST_HEADING = 1_000  # characters, with the lines over and under it
_WRAPPED = 45  # characters; a shorter line without final punctuation was ended on purpose
_ADORNMENT = re.compile(r"([=~^\"'*+#`-])\1{2,}")  # the line under (or over) a heading in reStructuredText
_TABLE_DASHES = re.compile(r"[\s|:+=-]*-[\s|:+=-]*")
_FIGURE = re.compile(r"\d")
_TEXT_KINDS = {
    BlockKind.PARAGRAPH,
    BlockKind.LIST_ITEM,
    BlockKind.TABLE_HEADER,
    BlockKind.TABLE_ROW,
}


def guess_paragraphs(text: str) -> list[Block]:
    """The paragraphs of a text, notices and underlined headings named, the kind of all others not yet known.

    >>> [(block.notice, text[block.start : block.end])
    ...  for text in ["Comments powered by Talkback\\nIt opened."] for block in guess_paragraphs(text)]
    [('comment form', 'Comments powered by Talkback'), (None, 'It opened.')]
    """
    ranges = [part for start, end in paragraphs(text) for part in _parts(text, start, end)]
    ranges = [(start, end) for start, end in ranges if not is_rule(text[start:end])]
    notices = boilerplate.reasons([text[start:end] for start, end in ranges])
    return [
        Block(BlockKind.HEADING, start, end, 2)
        if _is_adorned(text[start:end])
        else Block(BlockKind.PARAGRAPH, start, end, notice=notice)
        for (start, end), notice in zip(ranges, notices, strict=True)
    ]


def guess_blocks(text: str, found: Sequence[Block], title: str | None) -> list[Block]:
    """The paragraphs that ``guess_paragraphs`` found, with what each looks like.

    >>> text = "Next steps\\n\\nWe will:\\n- come\\n- see the"
    >>> [block.kind.value for block in guess_blocks(text, guess_paragraphs(text), None)]
    ['heading', 'paragraph', 'list item', 'list item']
    """
    blocks = [part for block in with_title(text, found, title, "text/plain") for part in _kinds(text, block)]
    blocks = with_masthead(text, blocks)
    return _mended(text, _with_headings(text, blocks))


def _parts(text: str, start: int, end: int) -> Iterator[Range]:
    """A paragraph divided at its underlined lines, and where a line of it is a notice."""
    inside = list(lines(text, start, end))
    cuts = {start, end}
    for row, (first, last) in enumerate(inside):
        line = text[first:last]
        if row + 1 < len(inside) and _is_underlined(line, text[slice(*inside[row + 1])]):
            over = row > 0 and text[slice(*inside[row - 1])] == text[slice(*inside[row + 1])]
            cuts |= {inside[row - 1][0] if over else first, inside[row + 1][1]}
        elif len(inside) > 1:
            alone = row == 0 or _stands_alone(text[slice(*inside[row - 1])])
            closed = row + 1 == len(inside) or _stands_alone(line)
            if alone and closed and boilerplate.is_notice_line(line):
                cuts |= {first, last}
    for first, last in pairwise(sorted(cuts)):
        part = text[first:last]
        if part.strip():
            lead = len(part) - len(part.lstrip())
            yield first + lead, first + lead + len(part.strip())


def _is_underlined(line: str, below: str) -> bool:
    return (
        len(line) <= 2 * len(below) + 2
        and bool(_ADORNMENT.fullmatch(below))
        and not _ADORNMENT.fullmatch(line)
        and looks_like_heading(line, max_words=25)
    )


def _is_adorned(paragraph: str) -> bool:
    """Whether a paragraph is one line with a line of signs under it, or over and under it."""
    rows = paragraph.splitlines() if len(paragraph) <= _LONGEST_HEADING else []
    lines_of_signs = [bool(_ADORNMENT.fullmatch(row.strip())) for row in rows]
    return lines_of_signs in ([False, True], [True, False, True])


def _stands_alone(line: str) -> bool:
    return is_complete(line) or len(line) < _WRAPPED


def _kinds(text: str, block: Block) -> Iterator[Block]:
    """A paragraph as what it looks like: itself, or its items, or its rows."""
    if block.kind is not BlockKind.PARAGRAPH or block.notice is not None:
        yield block
        return
    ranges = list(lines(text, block.start, block.end))
    rows = [text[start:end] for start, end in ranges]
    if all(map(is_table_row, rows)):
        yield from _table_rows(text, ranges)
        return
    first = next((row for row, line in enumerate(rows) if is_list_item(line)), None)
    if first == 0 and (len(rows) > 1 or not looks_like_heading(rows[0])):
        yield from _items(text, ranges)
    elif first and rows[first - 1].endswith(":") and letter_kind(rows) is None:
        yield Block(BlockKind.PARAGRAPH, block.start, ranges[first - 1][1])
        yield from _items(text, ranges[first:])
    else:
        yield replace(block, kind=letter_kind(rows) or block.kind)


def _items(text: str, ranges: Sequence[Range]) -> Iterator[Block]:
    items: list[Range] = []
    for start, end in ranges:
        if not items or is_list_item(text[start:end]):
            items.append((start, end))
        else:
            items[-1] = (items[-1][0], end)
    return (Block(BlockKind.LIST_ITEM, start, end, 1) for start, end in items)


def _table_rows(text: str, ranges: Sequence[Range]) -> Iterator[Block]:
    """The rows of a table; the first is its header where dashes or figures set it off from the others."""
    rows = [pair for pair in ranges if not _TABLE_DASHES.fullmatch(text[slice(*pair)])]
    if not rows:
        return
    dashes = len(rows) < len(ranges) and ranges[0] == rows[0] and (len(rows) == 1 or rows[1] != ranges[1])
    figures = [bool(_FIGURE.search(text[slice(*pair)])) for pair in rows]
    header = dashes or (len(rows) > 1 and not figures[0] and all(figures[1:]))
    for row, (start, end) in enumerate(rows):
        yield Block(BlockKind.TABLE_HEADER if header and row == 0 else BlockKind.TABLE_ROW, start, end)


def _with_headings(text: str, blocks: Sequence[Block]) -> list[Block]:
    """The blocks with one-line paragraphs that head what follows as headings."""
    judged = list(blocks)
    rows = [row for row, block in enumerate(blocks) if block.notice is None]
    signed = False
    for place, row in enumerate(rows):
        block = judged[row]
        before = judged[rows[place - 1]] if place else None
        after = judged[rows[place + 1]] if place + 1 < len(rows) else None
        words = text[block.start : block.end]
        is_name = is_name_line(words)
        signed = is_closing(words) or (signed and (block.kind is not BlockKind.PARAGRAPH or is_name))
        if block.kind is not BlockKind.PARAGRAPH or not looks_like_heading(words):
            continue
        under_title = before is not None and before.kind is BlockKind.TITLE
        if signed or (under_title and is_name and 2 <= n_words(words) <= 4):
            judged[row] = replace(block, kind=BlockKind.LINES)
        elif after is not None and after.kind in _TEXT_KINDS and not text[after.start].islower():
            judged[row] = replace(block, kind=BlockKind.HEADING, level=2)
        elif is_name:
            judged[row] = replace(block, kind=BlockKind.LINES)
    return judged


def _mended(text: str, blocks: Sequence[Block]) -> list[Block]:
    """A paragraph that a page break tore joined again: it ends in mid-sentence and goes on in lower case."""
    mended: list[Block] = []
    for block in blocks:
        last = mended[-1] if mended else None
        if (
            last is not None
            and last.notice is None
            and block.notice is None
            and last.kind in {BlockKind.PARAGRAPH, BlockKind.LIST_ITEM}
            and block.kind is BlockKind.PARAGRAPH
            and block.start - last.start < _MAX_TORN
            and _goes_on(text[max(last.start, last.end - 200) : last.end], text[block.start])
        ):
            mended[-1] = replace(last, end=block.end)
        else:
            mended.append(block)
    return mended


def _goes_on(before: str, opening: str) -> bool:
    return breaks_off(before) or (opening.islower() and ends_open(before))
