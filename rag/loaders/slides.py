"""Presentations (.pptx): every slide a page under its title, then its notes.

PowerPoint knows no lines, so a place names the slide alone.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from typing import Any

from rag.loaders.archive import opened
from rag.loaders.draft import Draft, Known, Piece, UnreadableError, laid_out, marked
from rag.records import BlockKind

_TYPE = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_TEMPLATE_DATES = {"2013-01-27"}  # of the library's own template


def load_pptx(data: bytes) -> Draft:
    """A presentation as a draft; its title is that of its properties, else of its first slide."""
    opened(data, "a presentation", "PPTX").close()
    import pptx

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            deck = pptx.Presentation(io.BytesIO(data))
            pieces = list(_pieces(deck))
            title, created = (deck.core_properties.title or "").strip(), deck.core_properties.created
    except Exception as error:  # zipfile, lxml and python-pptx each have their own
        raise UnreadableError(f"not a presentation, or a damaged one ({type(error).__name__})") from error
    if not pieces:
        raise UnreadableError("no text in it")
    if title == "PowerPoint Presentation":
        title = ""
    day = created.date().isoformat() if created is not None else None
    heading = next((piece.words for piece in pieces if piece.kind is BlockKind.HEADING), None)
    text, blocks, places = laid_out(pieces)
    known = Known(title or heading, created=None if day in _TEMPLATE_DATES else day, places=places)
    return marked(text, _TYPE, blocks, known)


def _pieces(deck: Any) -> Iterator[Piece]:
    for number, slide in enumerate(deck.slides, 1):
        title = slide.shapes.title
        if title is not None and (words := " ".join(title.text_frame.text.split())):
            yield Piece(BlockKind.HEADING, words, 2 if number > 1 else 1, page=number)
        element = None if title is None else title._element
        for shape in _shapes(slide.shapes):
            if shape._element is element:
                continue
            if shape.has_text_frame:
                listed = shape.is_placeholder and _is_body(shape)
                yield from _paragraphs(shape.text_frame, number, listed=listed)
            elif getattr(shape, "has_table", False) and shape.has_table:
                yield from _rows(shape.table, number)
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            yield from _paragraphs(slide.notes_slide.notes_text_frame, number, listed=False)


def _shapes(shapes: Any) -> Iterator[Any]:
    """Every shape of a slide, those in groups among them, in the order they lie."""
    waiting = [iter(shapes)]
    while waiting:
        shape = next(waiting[-1], None)
        if shape is None:
            waiting.pop()
        elif hasattr(shape, "shapes"):
            waiting.append(iter(shape.shapes))
        else:
            yield shape


def _is_body(shape: Any) -> bool:
    from pptx.enum.shapes import PP_PLACEHOLDER as KIND

    return shape.placeholder_format.type in {KIND.BODY, KIND.OBJECT, KIND.VERTICAL_BODY, KIND.VERTICAL_OBJECT}


def _paragraphs(frame: Any, page: int, *, listed: bool) -> Iterator[Piece]:
    paragraphs = [(words, p.level + 1) for p in frame.paragraphs if (words := " ".join(p.text.split()))]
    items = listed and len(paragraphs) > 1
    for row, (words, level) in enumerate(paragraphs):
        if items:
            yield Piece(BlockKind.LIST_ITEM, f"- {words}", level, fresh=row == 0, page=page)
        else:
            yield Piece(BlockKind.PARAGRAPH, words, page=page)


def _rows(table: Any, page: int) -> Iterator[Piece]:
    for number, row in enumerate(table.rows):
        cells = [" ".join("".join(cell._tc.itertext(f"{_A}t")).split()) for cell in row.cells]
        if any(cells):
            heads = number == 0 and table.first_row
            kind = BlockKind.TABLE_HEADER if heads else BlockKind.TABLE_ROW
            yield Piece(kind, " | ".join(cells), fresh=number == 0, page=page)
