"""OpenDocument texts (.odt): headings, lists and tables as the format marks them, what was deleted left out.

The format knows no lines until it is printed, so a place's line is the number of the paragraph, counted from
1 as in a Word file. `lxml` reads the XML; a library for writing such files would add nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from rag.loaders.archive import opened, xml
from rag.loaders.draft import Draft, Known, Piece, UnreadableError, laid_out, marked
from rag.records import BlockKind
from rag.text.dates import dates_in

_TYPE = "application/vnd.oasis.opendocument.text"
_OASIS = "urn:oasis:names:tc:opendocument:xmlns"
_TEXT, _TABLE, _OFFICE, _STYLE = (f"{{{_OASIS}:{name}:1.0}}" for name in ("text", "table", "office", "style"))
_DC, _META = "{http://purl.org/dc/elements/1.1/}", f"{{{_OASIS}:meta:1.0}}"
_LEFT_OUT = {
    f"{_TEXT}tracked-changes",  # what was deleted stands here, and nowhere else
    f"{_TEXT}note",  # brought in under its paragraph
    f"{_TEXT}sequence-decls",
    f"{_TEXT}table-of-content",
    f"{_OFFICE}annotation",
    f"{_OFFICE}forms",
}
_STYLES = (
    ("quot", BlockKind.QUOTATION),
    ("preformatted", BlockKind.CODE),
    ("code", BlockKind.CODE),
    ("caption", BlockKind.CAPTION),
    ("illustration", BlockKind.CAPTION),
)
_MAX_SPACES = 100  # that one mark may stand for; its number is whatever the file says


def load_odt(data: bytes) -> Draft:
    """An OpenDocument text as a draft; title and date from its properties or its text."""
    with opened(data, "an OpenDocument text", "ODT") as archive:
        content, about = xml(archive, "content.xml"), xml(archive, "meta.xml")
    body = content.find(f"{_OFFICE}body/{_OFFICE}text") if content is not None else None
    if body is None:
        raise UnreadableError("not an OpenDocument text")
    found = (piece for piece in _pieces(body, _parents(content)) if piece.words.strip())
    pieces = [replace(piece, line=number) for number, piece in enumerate(found, 1)]
    if not pieces:
        raise UnreadableError("no text in it")
    text, blocks, places = laid_out(pieces)
    heading = next((piece.words for piece in pieces if piece.kind is BlockKind.HEADING), None)
    dates = dates_in(_field(about, f"{_META}creation-date"))
    known = Known(
        _field(about, f"{_DC}title") or heading,
        created=dates[0][2] if dates else None,
        places=places,
    )
    return marked(text, _TYPE, blocks, known)


def _field(about: Any, name: str) -> str:
    element = next(about.iter(name), None) if about is not None else None
    return " ".join((element.text or "").split()) if element is not None else ""


def _parents(content: Any) -> dict[str, str]:
    """For each style of the document itself the style it was made from, in small letters."""
    return {
        style.get(f"{_STYLE}name", ""): (style.get(f"{_STYLE}parent-style-name") or "").lower()
        for style in content.iter(f"{_STYLE}style")
    }


def _pieces(body: Any, styles: dict[str, str]) -> Iterator[Piece]:
    """Every paragraph and table row; lists and sections are walked through, however deep."""
    waiting = [(iter(body), 0, False)]  # what is left of an element, how deep in lists, if an item's rest
    while waiting:
        children, depth, begun = waiting[-1]
        child = next(children, None)
        if child is None:
            waiting.pop()
        elif child.tag in _LEFT_OUT or not isinstance(child.tag, str):
            continue
        elif child.tag == f"{_TEXT}h":
            level = child.get(f"{_TEXT}outline-level", "1")
            yield Piece(BlockKind.HEADING, _words(child), int(level) if level.isdigit() else 1)
        elif child.tag == f"{_TEXT}p":
            words = _words(child)
            if depth and not begun:
                waiting[-1] = (children, depth, bool(words))
                yield Piece(BlockKind.LIST_ITEM, f"- {words}" if words else "", depth)
            else:
                yield _paragraph(words, child.get(f"{_TEXT}style-name", ""), styles)
            for note in child.iter(f"{_TEXT}note-body"):
                yield Piece(BlockKind.PARAGRAPH, _note(note))
        elif child.tag == f"{_TABLE}table":
            yield from _rows(child)
        elif child.tag == f"{_TEXT}list":
            waiting.append((iter(child), depth + 1, False))
        elif child.tag in {f"{_TEXT}list-item", f"{_TEXT}list-header"}:
            waiting.append((iter(child), depth, False))
        else:
            waiting.append((iter(child), depth, begun))


def _paragraph(words: str, style: str, styles: dict[str, str]) -> Piece:
    named = f"{style.lower()} {styles.get(style, '')}"
    if styles.get(style) == "title" or style == "Title":
        return Piece(BlockKind.HEADING, words, 1)
    return Piece(next((kind for name, kind in _STYLES if name in named), BlockKind.PARAGRAPH), words)


def _rows(table: Any) -> Iterator[Piece]:
    """The rows of a table, each once however often it says that it is repeated."""
    fresh = True
    for row in table.iter(f"{_TABLE}table-row"):
        cells = row.findall(f"{_TABLE}table-cell")
        words = " | ".join(" ".join(map(_words, cell.iter(f"{_TEXT}p"))).strip() for cell in cells)
        if not words.strip(" |"):
            continue
        heads = row.getparent().tag == f"{_TABLE}table-header-rows"
        yield Piece(BlockKind.TABLE_HEADER if heads else BlockKind.TABLE_ROW, words, fresh=fresh)
        fresh = False


def _note(body: Any) -> str:
    mark = body.getparent().findtext(f"{_TEXT}note-citation") or ""
    words = " ".join(map(_words, body.iter(f"{_TEXT}p"))).strip()
    return f"{mark.strip()} {words}" if words else ""


def _words(paragraph: Any) -> str:
    """A paragraph's words, its notes, remarks and drawings aside."""
    from lxml.etree import iterwalk

    parts = []
    walk = iterwalk(paragraph, events=("start", "end"))
    for event, node in walk:
        if event == "end":
            parts.append(node.tail or "" if node is not paragraph else "")
        elif node.tag in _LEFT_OUT or not isinstance(node.tag, str):
            walk.skip_subtree()
        elif node.tag == f"{_TEXT}s":
            n = node.get(f"{_TEXT}c", "1")
            parts.append(" " * min(int(n) if n.isdigit() else 1, _MAX_SPACES))
        elif node.tag in {f"{_TEXT}tab", f"{_TEXT}line-break"}:
            parts.append(" ")
        else:
            parts.append(node.text or "")
    return " ".join("".join(parts).split())
