"""What all blocks need, however they were found: notices and letters' lines named, and what leads to each.

A loader says what its format marks (a heading, an item, a row); what no format marks is settled here, the
same way for all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rag.records import Block, BlockKind
from rag.text import boilerplate
from rag.text.layout import (
    breaks_off,
    is_byline,
    is_closing,
    is_complete,
    is_date_line,
    is_memo_line,
    is_name_line,
    is_salutation,
    lines,
    n_words,
)
from rag.text.markup import plain_words
from rag.text.sentences import sentences

_RULE = re.compile(r"([-=~^\"'*+#`_.•·])\s*(?:\1\s*){2,}")
_DASHES = re.compile(r"[\s|:+=-]*")  # what divides a table's header from its rows
_BLANK = re.compile(r"\n[ \t\r]*\n")
_MASTHEAD_WORDS = 20
_LONG_LEAD_IN = 300  # characters; of a longer lead-in its last sentence leads in
_LONG_HEADER = 2_000  # characters of a table's header; a longer one is not repeated with every row
_MAX_LINES = 40  # of an address or a letter's foot
_TABLE = {BlockKind.TABLE_HEADER, BlockKind.TABLE_ROW}


def is_rule(text: str) -> bool:
    """Whether a text only divides what stands over it from what stands under it.

    >>> is_rule("* * *"), is_rule("-----"), is_rule("--"), is_rule("What?")
    (True, True, False, False)
    """
    return bool(_RULE.fullmatch(text))


def letter_kind(rows: Sequence[str]) -> BlockKind | None:
    """What lines of a letter, memo or byline these are; None for a paragraph.

    >>> letter_kind(["Yours sincerely"]), letter_kind(["He left the town."])
    (<BlockKind.CLOSING: 'closing'>, None)
    """
    if len(rows) > _MAX_LINES:
        return None
    tests = (is_date_line, is_byline, is_salutation, is_closing, is_memo_line)
    short = [any(test(row) for test in tests) for row in rows]
    if not all(flag or is_name_line(row) for flag, row in zip(short, rows, strict=True)):
        return None
    if not any(short) and len(rows) == 1:
        return None
    if any(map(is_closing, rows)):
        return BlockKind.CLOSING
    if any(map(is_salutation, rows)):
        return BlockKind.GREETING
    return BlockKind.DATE if is_date_line(rows[0]) else BlockKind.LINES


def with_all(text: str, blocks: Sequence[Block]) -> list[Block]:
    """The blocks with a paragraph for every line between them that says something, and all notices named.

    >>> [(block.start, block.end) for block in with_all("one\\ntwo", [Block(BlockKind.CODE, 4, 7)])]
    [(0, 3), (4, 7)]
    """
    whole = list(_covering(text, blocks))
    notices = boilerplate.reasons([text[block.start : block.end] for block in whole])
    return [
        block
        if block.notice is not None or notice is None or block.kind in {BlockKind.HEADING, BlockKind.CODE}
        else replace(block, notice=notice)
        for block, notice in zip(whole, notices, strict=True)
    ]


def _covering(text: str, blocks: Sequence[Block]) -> Iterator[Block]:
    at = 0
    for block in [*blocks, None]:
        for start, end in lines(text, at, block.start if block else len(text)):
            line = text[start:end]
            if not is_rule(line) and not _DASHES.fullmatch(line):
                yield Block(BlockKind.PARAGRAPH, start, end)
        if block is not None:
            yield block
            at = block.end


def with_title(text: str, blocks: Sequence[Block], title: str | None, media_type: str) -> list[Block]:
    """The blocks with those as title that hold the document's title, alone or over its byline and date."""
    words = " ".join((title or "").split())
    if not words:
        return list(blocks)
    longest = 4 * len(words) + 200  # characters; syntax, a byline and a date add no more
    return [
        replace(block, kind=BlockKind.TITLE)
        if block.end - block.start <= longest
        and block.notice is None
        and block.kind in {BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.LINES}
        and _is_title(_rows(text, block), words, media_type)
        else block
        for block in blocks
    ]


def _rows(text: str, block: Block) -> list[str]:
    return [text[start:end] for start, end in lines(text, block.start, block.end)]


def _is_title(rows: Sequence[str], title: str, media_type: str) -> bool:
    if plain_words("\n".join(rows), media_type) == title:
        return True
    return plain_words(rows[0], media_type) == title and all(
        is_byline(row) or is_date_line(row) or is_name_line(row) for row in rows[1:]
    )


def with_masthead(text: str, blocks: Sequence[Block]) -> list[Block]:
    """The blocks with what stands over the title (a masthead, a trail of links, a section) as lines."""
    title = next((row for row, block in enumerate(blocks) if block.kind is BlockKind.TITLE), 0)
    return [
        replace(block, kind=BlockKind.LINES)
        if row < title
        and block.notice is None
        and block.kind in {BlockKind.PARAGRAPH, *_TABLE}
        and n_words(text[block.start : block.end]) <= _MASTHEAD_WORDS
        and not is_complete(text[block.start : block.end])
        else block
        for row, block in enumerate(blocks)
    ]


def settled(text: str, blocks: Sequence[Block], title: str | None, media_type: str) -> list[Block]:
    """The blocks of a format that marks its own, with title and letters' lines named as no format does."""
    named = []
    for block in with_title(text, blocks, title, media_type):
        if block.kind is BlockKind.PARAGRAPH:
            block = replace(block, kind=letter_kind(_rows(text, block)) or block.kind)
        named.append(block)
    return with_masthead(text, named)


def with_leads(text: str, blocks: Sequence[Block]) -> tuple[Block, ...]:
    """The blocks, each with the range of what it cannot be read without.

    >>> text = "We will: come see"
    >>> made = [Block(BlockKind.PARAGRAPH, 0, 8), Block(BlockKind.LIST_ITEM, 9, 13, 1)]
    >>> with_leads(text, made)[1].lead
    (0, 8)
    """
    led: list[Block] = []
    before: Block | None = None
    items: dict[int, tuple[int, int] | None] = {}  # for each depth of a list, what leads to items so deep
    header: tuple[int, int] | None = None
    for block in blocks:
        lead = None
        kind = block.kind
        fresh = before is not None and bool(_BLANK.search(text, before.end, block.start))  # another table
        if kind is BlockKind.LIST_ITEM:
            if not items:
                items[1] = _lead_in(text, before)
            depth = max((level for level in items if level <= max(1, block.level)), default=1)
            lead = items.get(depth)
            items = {level: range_ for level, range_ in items.items() if level <= block.level or level == 1}
            items[block.level + 1] = (block.start, block.end)
        elif kind is not BlockKind.CODE or before is None:
            items = {}
        if kind is BlockKind.TABLE_HEADER:
            again = header is not None and before is not None and before.kind is kind and not fresh
            lead = before.lead if again and before else _lead_in(text, before)
            header = (header[0], block.end) if again and header else (block.start, block.end)
        elif kind is BlockKind.TABLE_ROW:
            if before is None or before.kind not in _TABLE or fresh:
                header = _lead_in(text, before)
            lead = header if header is not None and header[1] - header[0] <= _LONG_HEADER else None
        if kind is BlockKind.DEFINITION and before is not None:
            if before.kind is BlockKind.TERM:
                lead = (_first_term(led), before.end)
            elif before.kind is BlockKind.DEFINITION:
                lead = before.lead
        before = replace(block, lead=lead) if block.notice is None else None
        led.append(before or block)
    return tuple(led)


def _first_term(led: Sequence[Block]) -> int:
    row = len(led) - 1
    while row > 0 and led[row - 1].kind is BlockKind.TERM and len(led) - row < _MAX_LINES:
        row -= 1
    return led[row].start


def _lead_in(text: str, before: Block | None) -> tuple[int, int] | None:
    """What leads to the list or table under a block: its last sentence, where it is open to go on."""
    if before is None or before.kind not in {BlockKind.PARAGRAPH, BlockKind.CAPTION, BlockKind.QUOTATION}:
        return None
    words = text[max(before.start, before.end - 2 * _LONG_LEAD_IN) : before.end]
    goes_on = words.rstrip("*_ ").endswith((":", ":-")) or breaks_off(words)
    if not goes_on and before.kind is not BlockKind.CAPTION:
        return None
    if before.end - before.start <= _LONG_LEAD_IN:
        return before.start, before.end
    start, _ = sentences(words)[-1]
    return before.end - len(words) + start, before.end
