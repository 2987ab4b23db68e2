"""All blocks of a piece of HTML in its order: of a letter or a chapter, which has no site around it.

A web page is another matter (`rag.loaders.web`): there somebody has to say what the article is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rag.loaders.draft import Piece
from rag.records import BlockKind

_SKIPPED = frozenset({"head", "script", "style", "template", "title", "noscript", "svg", "math", "object"})
_INLINE = frozenset(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i img input ins kbd label mark q rb rp rt"
    " rtc ruby s samp small span strike strong sub sup time tt u var wbr".split()
)
_KINDS = {
    "blockquote": BlockKind.QUOTATION,
    "pre": BlockKind.CODE,
    "dt": BlockKind.TERM,
    "dd": BlockKind.DEFINITION,
    "caption": BlockKind.CAPTION,
    "figcaption": BlockKind.CAPTION,
}
_LISTS = {"ul", "ol", "menu", "dir"}
_SPACE = re.compile(r"[ \t\r\n\f]+")
_GAP = re.compile(r"\n[ \t]*\n\s*")


def walk(body: Any) -> Iterator[Piece]:
    """Every block of a tree of HTML that has words, each with its line in the source.

    >>> from lxml import html
    >>> page = html.fromstring("<div>We will:<ul><li>come <b>by</b></ul><h2>Then</h2></div>")
    >>> [(piece.kind.value, piece.words, piece.level) for piece in walk(page)]
    [('paragraph', 'We will:', 0), ('list item', '- come by', 1), ('heading', 'Then', 2)]
    """
    from lxml.etree import iterwalk

    stack = [_Open(BlockKind.PARAGRAPH, 0)]
    words: list[str] = []
    depth = 0  # of lists
    line: int | None = None
    steps = iterwalk(body, events=("start", "end"))
    for event, node in steps:
        tag = node.tag if isinstance(node.tag, str) else ""
        inside = stack[-1]
        if event == "end":
            if tag and tag not in _INLINE and tag != "br" and node is not body and not _is_skipped(tag):
                yield from inside.pieces(words, line)
                words.clear()
                if not _is_data(node):
                    stack.pop()
                depth -= tag in _LISTS
            if node is not body and node.tail:
                words.append(_text(node.tail, stack[-1].kind))
                line = line or node.sourceline
            continue
        if not tag or _is_skipped(tag):
            steps.skip_subtree()
            continue
        if tag == "br":
            words.append("\n")
            continue
        if tag not in _INLINE and node is not body:
            yield from inside.pieces(words, line)
            words.clear()
            line = node.sourceline
            if _is_data(node):
                yield from _rows(node)
                steps.skip_subtree()
                continue
            depth += tag in _LISTS
            stack.append(_opened(tag, inside, depth))
        if node.text:
            words.append(_text(node.text, stack[-1].kind))
            line = line or node.sourceline
    yield from stack[-1].pieces(words, line)


class _Open:
    """A block element that is open: what the words in it are."""

    def __init__(self, kind: BlockKind, level: int) -> None:
        self.kind = kind
        self.level = level
        self._begun = False

    def pieces(self, words: list[str], line: int | None) -> Iterator[Piece]:
        """The words as blocks; an item's second paragraph is no second item."""
        text = "".join(words)
        for part in [text] if self.kind is BlockKind.CODE else _GAP.split(text):
            tidy = _tidy(part, self.kind)
            if not tidy:
                continue
            if self.kind is BlockKind.LIST_ITEM:
                if self._begun:
                    yield Piece(BlockKind.PARAGRAPH, tidy, line=line)
                else:
                    yield Piece(self.kind, f"- {tidy}", self.level, fresh=False, line=line)
            else:
                yield Piece(self.kind, tidy, self.level, line=line)
            self._begun = True


def _opened(tag: str, around: _Open, depth: int) -> _Open:
    if re.fullmatch("h[1-6]", tag):
        return _Open(BlockKind.HEADING, int(tag[1]))
    if tag == "li":
        return _Open(BlockKind.LIST_ITEM, max(1, depth))
    if tag in _KINDS:
        return _Open(_KINDS[tag], 0)
    if tag in _LISTS or tag in {"table", "tr"}:
        kept = around.kind if around.kind is BlockKind.QUOTATION else BlockKind.PARAGRAPH
        return _Open(kept, 0)
    if around.kind is BlockKind.LIST_ITEM:
        return _Inner(around)
    return _Open(around.kind, around.level)


class _Inner(_Open):
    """A paragraph in an item: the first of them is the item."""

    def __init__(self, item: _Open) -> None:
        super().__init__(item.kind, item.level)
        self._item = item

    def pieces(self, words: list[str], line: int | None) -> Iterator[Piece]:
        """The words as the item around says."""
        yield from self._item.pieces(words, line)


def _is_skipped(tag: str) -> bool:
    return tag in _SKIPPED


def _is_data(node: Any) -> bool:
    """Whether a table holds rows of cells, and not the layout of a page."""
    if node.tag != "table" or next(node.iterdescendants("table"), None) is not None:
        return False
    rows = list(node.iter("tr"))
    return len(rows) > 1 and any(len(row.findall("td")) + len(row.findall("th")) > 1 for row in rows)


def _rows(table: Any) -> Iterator[Piece]:
    fresh = True
    for caption in table.iter("caption"):
        yield Piece(BlockKind.CAPTION, _tidy("".join(caption.itertext()), BlockKind.CAPTION))
    for row in table.iter("tr"):
        cells = [cell for cell in row if cell.tag in {"td", "th"}]
        words = " | ".join(" ".join("".join(cell.itertext()).split()) for cell in cells)
        if not words.strip(" |"):
            continue
        heads = fresh and (row.getparent().tag == "thead" or all(cell.tag == "th" for cell in cells))
        kind = BlockKind.TABLE_HEADER if heads else BlockKind.TABLE_ROW
        yield Piece(kind, words, fresh=fresh, line=row.sourceline)
        fresh = False


def _text(text: str, kind: BlockKind) -> str:
    return text if kind is BlockKind.CODE else _SPACE.sub(" ", text)


def _tidy(text: str, kind: BlockKind) -> str:
    lines = text.splitlines()
    if kind is BlockKind.CODE:
        return "\n".join(line.rstrip() for line in lines).strip("\n")
    return "\n".join(words for line in lines if (words := " ".join(line.split())))
