"""Word files (DOCX): paragraphs and tables in the order they are read, footnotes under their paragraphs.

Of tracked changes the accepted text is read; headers and footers, which repeat, are not. Word knows no lines
until it prints, so a place's line is the number of the paragraph, counted from 1; empty paragraphs are not
counted and a table row counts as one.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from rag.loaders.archive import opened
from rag.loaders.draft import Draft, Known, Piece, UnreadableError, laid_out, marked
from rag.records import BlockKind
from rag.text.blocks import letter_kind
from rag.text.layout import looks_like_heading

_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_TEMPLATE_DATES = {"2013-12-23", "2000-01-01", "1980-01-01"}  # written by libraries, not by anybody's clock

_STYLES = (  # words in a style's name, in small letters, and what a paragraph of it is
    ("quote", BlockKind.QUOTATION),
    ("caption", BlockKind.CAPTION),
    ("code", BlockKind.CODE),
    ("preformatted", BlockKind.CODE),
    ("macro text", BlockKind.CODE),
)
_BOLD_LEVEL = 6  # of a heading that only its bold type marks: under all that a style marks
_WRAPPERS = {f"{_W}{name}" for name in ("sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag")}
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_LEFT_OUT = {f"{_W}del", f"{_W}moveFrom", f"{_MC}Fallback"}  # the last says again what stands beside it
_GAPS = {f"{_W}tab": " ", f"{_W}br": " ", f"{_W}cr": " ", f"{_W}noBreakHyphen": "-"}
_NOTES = ("footnote", "endnote")
_FIRST_ROW = 0x20  # the bit of a table's look that sets off its first row


def load_docx(data: bytes) -> Draft:
    """A Word file as a draft; headings come from its styles, title and date from its text or properties."""
    document = _open(data)
    try:
        pieces = [replace(piece, line=number) for number, piece in enumerate(_pieces(document), 1)]
        properties = document.core_properties
        title, created = properties.title or "", properties.created
    except Exception as error:  # malformed XML inside a sound archive
        raise UnreadableError(f"damaged: its contents cannot be followed ({type(error).__name__})") from error
    if not pieces:
        raise UnreadableError("no text in it")
    text, blocks, places = laid_out(pieces)
    heading = next((piece.words for piece in pieces if piece.kind is BlockKind.HEADING), None)
    day = created.date().isoformat() if created is not None else None
    known = Known(
        title.strip() or heading,
        created=day if day not in _TEMPLATE_DATES else None,
        places=places,
    )
    return marked(text, _TYPE, blocks, known)


def _open(data: bytes) -> Any:
    opened(data, "a Word file", "DOCX").close()
    import docx

    try:
        return docx.Document(io.BytesIO(data))
    except Exception as error:  # lxml and python-docx each have their own
        raise UnreadableError("not a Word file, or a damaged one") from error


def _pieces(document: Any) -> Iterator[Piece]:
    """Every paragraph and table row that has words."""
    styles = {style.style_id: style.name or "" for style in document.styles}
    notes = _notes(document)
    torn: list[str] = []  # paragraphs that are one with the next
    for child in _inside(document.element.body, f"{_W}p", f"{_W}tbl"):
        if child.tag == f"{_W}tbl":
            if torn:
                yield Piece(BlockKind.PARAGRAPH, "".join(torn))
                torn = []
            yield from _rows(child)
        elif words := _words(child):
            style = styles.get(_style(child), "").lower()
            gap = _gap_to_next(child)
            if gap is not None:
                torn += [words, gap]
            elif not style.startswith("toc "):  # Word's own table of contents
                yield _paragraph(child, "".join([*torn, words]), style)
                torn = []
        for reference in child.iter(*(f"{_W}{kind}Reference" for kind in _NOTES)) if notes else ():
            note = notes.pop((reference.tag, reference.get(f"{_W}id")), "")
            if note:
                yield Piece(BlockKind.PARAGRAPH, note)
    if torn:
        yield Piece(BlockKind.PARAGRAPH, "".join(torn))


def _gap_to_next(paragraph: Any) -> str | None:
    """What stands between a paragraph and the next where the two are one, else None.

    They are where the mark between them is deleted, and where the first is a large initial.
    """
    if paragraph.find(f"{_W}pPr/{_W}rPr/{_W}del") is not None:
        return " "
    frame = paragraph.find(f"{_W}pPr/{_W}framePr")
    large = frame is not None and frame.get(f"{_W}dropCap", "none") != "none"
    return "" if large else None


def _notes(document: Any) -> dict[tuple[str, str | None], str]:
    """The words of each footnote and endnote, by the tag and id of what refers to it."""
    from lxml import etree

    notes = {}
    for relation in document.part.rels.values():
        kind = relation.reltype.rsplit("/", 1)[-1].removesuffix("s")
        if kind not in _NOTES or relation.is_external:
            continue
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        root = etree.fromstring(relation.target_part.blob, parser)
        for note in root.iter(f"{_W}{kind}"):
            words = " ".join(filter(None, map(_words, note.iter(f"{_W}p"))))
            if note.get(f"{_W}type") is None and words:  # the others are the lines over all notes
                notes[f"{_W}{kind}Reference", note.get(f"{_W}id")] = words
    return notes


def _inside(parent: Any, *tags: str) -> Iterator[Any]:
    """The children with one of these tags, those in wrappers (content controls, insertions) among them."""
    waiting = [iter(parent)]
    while waiting:
        child = next(waiting[-1], None)
        if child is None:
            waiting.pop()
        elif child.tag in tags:
            yield child
        elif child.tag in _WRAPPERS:
            waiting.append(iter(child))


def _paragraph(paragraph: Any, words: str, style: str) -> Piece:
    """A paragraph as its style, its numbering or its outline level says."""
    level = re.fullmatch(r"heading (\d)", style)
    outline = paragraph.find(f"{_W}pPr/{_W}outlineLvl")
    if level or style == "title":
        return Piece(BlockKind.HEADING, words, int(level[1]) if level else 1)
    if outline is not None and outline.get(f"{_W}val", "9") in "012345678":
        return Piece(BlockKind.HEADING, words, int(outline.get(f"{_W}val")) + 1)
    numbering = paragraph.find(f"{_W}pPr/{_W}numPr")
    if numbering is not None or style.startswith("list"):
        return Piece(BlockKind.LIST_ITEM, f"- {words}", _depth(numbering, style))
    for name, kind in _STYLES:
        if name in style:
            return Piece(kind, words)
    if looks_like_heading(words) and letter_kind([words]) is None and _is_bold(paragraph):
        return Piece(BlockKind.HEADING, words, _BOLD_LEVEL)
    return Piece(BlockKind.PARAGRAPH, words)


def _depth(numbering: Any, style: str) -> int:
    """How deep in nested lists an item stands, from its numbering or a style like "list bullet 2"; from 1."""
    deep = numbering.find(f"{_W}ilvl") if numbering is not None else None
    if deep is not None:
        return max(1, int(deep.get(f"{_W}val", "0")) + 1)
    named = re.search(r"[1-9]$", style)
    return int(named[0]) if named else 1


def _is_bold(paragraph: Any) -> bool:
    """Whether all words of a paragraph are set in bold type, as where a heading was made by hand."""
    runs = [run for run in paragraph.iter(f"{_W}r") if "".join(run.itertext(f"{_W}t")).strip()]
    bold = [run.find(f"{_W}rPr/{_W}b") for run in runs]
    return all(mark is not None and mark.get(f"{_W}val", "1") not in {"0", "false", "off"} for mark in bold)


def _rows(table: Any) -> Iterator[Piece]:
    """The rows of a table.

    Headers are those it repeats on each page, else the first where the table's look sets it off.
    """
    look = table.find(f"{_W}tblPr/{_W}tblLook")
    first_row = look is not None and (
        look.get(f"{_W}firstRow") in {"1", "true"} or int(look.get(f"{_W}val") or "0", 16) & _FIRST_ROW > 0
    )
    rows = [
        (row.find(f"{_W}trPr/{_W}tblHeader") is not None, " | ".join(cells))
        for row in _inside(table, f"{_W}tr")
        if row.find(f"{_W}trPr/{_W}del") is None
        if any(cells := [_cell(cell) for cell in _inside(row, f"{_W}tc")])
    ]
    repeated = any(header for header, _ in rows)
    for number, (header, words) in enumerate(rows):
        heads = header if repeated else first_row and number == 0 and len(rows) > 1
        yield Piece(BlockKind.TABLE_HEADER if heads else BlockKind.TABLE_ROW, words)


def _cell(cell: Any) -> str:
    return " ".join(_words(paragraph) for paragraph in cell.iter(f"{_W}p")).strip()


def _style(paragraph: Any) -> str:
    style = paragraph.find(f"{_W}pPr/{_W}pStyle")
    return style.get(f"{_W}val", "") if style is not None else ""


def _words(paragraph: Any) -> str:
    """A paragraph's words: inserted ones too, deleted and moved ones not."""
    from lxml.etree import iterwalk

    parts = []
    walk = iterwalk(paragraph, events=("start",))
    for _, node in walk:
        if node.tag in _LEFT_OUT:
            walk.skip_subtree()
        elif node.tag == f"{_W}t":
            parts.append(node.text or "")
        elif node.tag in _GAPS:
            parts.append(_GAPS[node.tag])
    return " ".join("".join(parts).split())
