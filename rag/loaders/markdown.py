"""Markdown files. The document's text is the decoded file, character for character, with its marks.

``markdown-it-py`` takes the file apart into lines; from its lines come the characters of every block.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from rag.loaders.draft import Draft, Known, marked
from rag.loaders.plain import decode
from rag.records import Block, BlockKind
from rag.text.blocks import is_rule
from rag.text.dates import stated_date
from rag.text.layout import is_name_line, lines
from rag.text.markup import plain_words

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_TYPE = "text/markdown"
_METADATA = "document metadata"
_FRONT = re.compile(r"\A---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*$", re.DOTALL | re.MULTILINE)
_REFERENCE = re.compile(r"[ ]{0,3}\[[^\]\n]{1,200}\]:[ \t]*\S")
_COMMENT = re.compile(r"\s*<!--")
_DEFINITION = re.compile(r"[ ]{0,3}[:~][ \t]+")
_LINE_END = re.compile(r"\r\n|\r|\n")  # what the parser takes for one; Python's own lines end at more
_LEAVES = {"fence": BlockKind.CODE, "code_block": BlockKind.CODE, "html_block": BlockKind.PARAGRAPH}


def load_markdown(data: bytes) -> Draft:
    """A Markdown file as a draft; the text keeps its marks, and blocks say what they mark.

    >>> draft = load_markdown(b"# Minutes\\n\\n*Published 3 October 2014*\\n")
    >>> draft.title, draft.date, [(block.kind.value, block.start, block.end) for block in draft.blocks]
    ('Minutes', '2014-10-03', [('title', 0, 9), ('date', 11, 37)])
    """
    text, encoding, notes = decode(data)
    front = _FRONT.match(text)
    fields = _fields(front[1]) if front else {}
    body = front.end() if front else 0
    blocks = list(_blocks(text, body))
    known = Known(
        title=fields.get("title") or _first_heading(text, blocks),
        date=stated_date(fields.get("date", "") or fields.get("published", "")),
        encoding=encoding,
        notes=notes,
    )
    if front and text[:body].strip():
        blocks.insert(0, Block(BlockKind.PARAGRAPH, 0, len(text[:body].rstrip()), notice=_METADATA))
    return marked(text, _TYPE, blocks, known)


def _first_heading(text: str, blocks: Sequence[Block]) -> str | None:
    """The first heading, or the one right under it where the first only names an organisation."""
    headings = [row for row, block in enumerate(blocks) if block.kind is BlockKind.HEADING][:2]
    words = [plain_words(text[blocks[row].start : blocks[row].end], _TYPE) for row in headings]
    if len(words) == 2 and headings[1] == headings[0] + 1 and is_name_line(words[0]):
        return words[1]
    return next(iter(words), None)


def _fields(front: str) -> dict[str, str]:
    """The one-line ``key: value`` pairs of a front matter; nested values are passed over."""
    pairs = re.finditer(r"^(\w[\w-]*):[ \t]*(\S.*)$", front, re.MULTILINE)
    return {match[1].lower(): match[2].strip().strip("\"'") for match in pairs}


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable("table")
    parser.core.ruler.enableOnly(["normalize", "block"])  # what is inside a line is not looked at
    return parser


def _blocks(text: str, body: int) -> Iterator[Block]:
    """The blocks from character ``body`` on, in order and apart."""
    starts = [body, *(match.end() for match in _LINE_END.finditer(text, body)), len(text) + 1]
    at = body
    for kind, first, last, level in _line_blocks(_parser().parse(text[body:])):
        yield from _references(text, at, starts[first])
        for block in _parts(text, kind, max(at, starts[first]), min(starts[last], len(text)), level):
            yield block
            at = block.end
    yield from _references(text, at, len(text))


def _references(text: str, start: int, end: int) -> Iterator[Block]:
    """The lines that say where links lead, which the parser takes in without a word."""
    for first, last in lines(text, start, end):
        if _REFERENCE.match(text, first, last):
            yield Block(BlockKind.PARAGRAPH, first, last, notice=_METADATA)


def _line_blocks(tokens: Sequence[Token]) -> Iterator[tuple[BlockKind, int, int, int]]:
    """Kind, first line, line after the last, and level of every block; one may begin inside another."""
    lists: list[list[int]] = []  # for each item about, its first line, and whether words of it were seen
    quotes = 0
    pending: tuple[BlockKind, int, int, int] | None = None  # an item that further paragraphs may go on with
    header = False
    for token in tokens:
        if token.type in {"list_item_open", "list_item_close"}:
            if pending:
                yield pending
                pending = None
            if token.nesting > 0 and token.map:
                lists.append([token.map[0], 0])
            elif lists:
                lists.pop()
        elif token.type in {"blockquote_open", "blockquote_close"}:
            quotes += token.nesting
        elif token.type in {"thead_open", "thead_close"}:
            header = token.nesting > 0
        if token.map is None:
            continue
        first, last = token.map
        if token.type == "paragraph_open" and lists and not quotes:
            if pending:
                pending = (*pending[:2], last, pending[3])
            elif not lists[-1][1]:
                pending = (BlockKind.LIST_ITEM, lists[-1][0], last, len(lists))
                lists[-1][1] = 1
            else:
                yield BlockKind.PARAGRAPH, first, last, 0
            continue
        kind = _LEAVES.get(token.type)
        if token.type == "paragraph_open":
            kind = BlockKind.QUOTATION if quotes else BlockKind.PARAGRAPH
        elif token.type == "heading_open":
            kind = BlockKind.HEADING
        elif token.type == "tr_open":
            kind = BlockKind.TABLE_HEADER if header else BlockKind.TABLE_ROW
        if kind is not None:
            if pending:
                yield pending
                pending = None
            yield kind, first, last, int(token.tag[1]) if kind is BlockKind.HEADING else 0
    if pending:
        yield pending


def _parts(text: str, kind: BlockKind, start: int, end: int, level: int) -> Iterator[Block]:
    """The block these lines hold without white space around it; a paragraph of terms as terms."""
    words = text[start:end]
    if not words.strip() or (kind is BlockKind.PARAGRAPH and is_rule(words.strip())):
        return
    first = start + len(words) - len(words.lstrip())
    last = first + len(words.strip())
    if kind is not BlockKind.PARAGRAPH:
        yield Block(kind, first, last, level)
    elif _COMMENT.match(words):
        yield Block(kind, first, last, notice=_METADATA)
    else:
        yield from _terms(text, first, last)


def _terms(text: str, start: int, end: int) -> Iterator[Block]:
    """A paragraph, or its term and definitions where lines of it open with a colon."""
    cuts = [
        match.end()
        for match in _LINE_END.finditer(text, start, end)
        if _DEFINITION.match(text, match.end(), end)
    ]
    if not cuts:
        kind = BlockKind.DEFINITION if _DEFINITION.match(text, start, end) else BlockKind.PARAGRAPH
        yield Block(kind, start, end)
        return
    for row, (first, last) in enumerate(zip([start, *cuts], [*cuts, end], strict=True)):
        words = text[first:last].strip()
        begin = text.index(words, first)
        yield Block(BlockKind.DEFINITION if row else BlockKind.TERM, begin, begin + len(words))
