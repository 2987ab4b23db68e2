"""Word files (DOCX): paragraphs and tables in the order they are read.

Word knows no lines until it prints, so a place's line is the number of the paragraph, counted from 1; empty
paragraphs are not counted and a table row counts as one.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from rag.loaders.draft import Draft, UnreadableError
from rag.loaders.head import about
from rag.records import Heading, Place

_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_OLE = b"\xd0\xcf\x11\xe0"
_MAX_UNPACKED = 1_000_000_000  # bytes; a DOCX that unpacks to more is a bomb or no text
_TEMPLATE_DATES = {"2013-12-23", "2000-01-01", "1980-01-01"}  # written by libraries, not by anybody's clock


def load_docx(data: bytes) -> Draft:
    """A Word file as a draft; headings come from its styles, title and date from its text or properties."""
    if data.startswith(_OLE):
        raise UnreadableError(
            "encrypted, or an old .doc under a new name", "save it as DOCX without a password"
        )
    document = _open(data)
    try:
        pieces = list(_pieces(document))
        properties = document.core_properties
        title, created = properties.title or "", properties.created
    except Exception as error:  # malformed XML inside a sound archive
        raise UnreadableError(f"damaged: its contents cannot be followed ({type(error).__name__})") from error
    parts, places, headings = list[str](), list[Place](), list[Heading]()
    at = 0
    for number, (words, level, kind) in enumerate(pieces, 1):
        if parts:
            gap = "\n" if kind == pieces[number - 2][2] and kind in {"row", "item"} else "\n\n"
            parts.append(gap)
            at += len(gap)
        places.append(Place(at, line=number))
        if level:
            headings.append(Heading(at, at + len(words), level))
        parts.append(words)
        at += len(words)
    text = "".join(parts)
    if not text.strip():
        raise UnreadableError("no text in it")
    own = about(text)
    first = next((text[heading.start : heading.end] for heading in headings), None)
    date, notes = own.date, tuple[str, ...]()
    if date is None and created is not None and created.date().isoformat() not in _TEMPLATE_DATES:
        date, notes = created.date().isoformat(), ("the date is that of the file's creation",)
    return Draft(
        text, _TYPE, title.strip() or first or own.title, date, None, tuple(places), tuple(headings), notes
    )


def _open(data: bytes) -> Any:
    import docx

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(member.file_size for member in archive.infolist()) > _MAX_UNPACKED:
                raise UnreadableError("it unpacks to more than a gigabyte")
        return docx.Document(io.BytesIO(data))
    except UnreadableError:
        raise
    except Exception as error:  # zipfile, lxml and python-docx each have their own
        raise UnreadableError("not a Word file, or a truncated one") from error


def _pieces(document: Any) -> Iterator[tuple[str, int, str]]:
    """(words, heading level or 0, kind) of every paragraph and table row that has words."""
    styles = {style.style_id: style.name or "" for style in document.styles}
    yield from _walk(document.element.body, styles)


def _walk(parent: Any, styles: dict[str, str]) -> Iterator[tuple[str, int, str]]:
    for child in parent:
        if child.tag == f"{_W}p":
            words = _words(child)
            if words:
                name = styles.get(_style(child), "")
                level = re.fullmatch(r"heading (\d)", name, re.IGNORECASE)
                numbered = child.find(f"{_W}pPr/{_W}numPr") is not None or name.lower().startswith("list")
                if level or name.lower() == "title":
                    yield words, int(level[1]) if level else 1, "heading"
                else:
                    yield (f"- {words}", 0, "item") if numbered else (words, 0, "paragraph")
        elif child.tag == f"{_W}tbl":
            for row in child.iter(f"{_W}tr"):
                cells = [
                    " ".join(_words(p) for p in cell.iter(f"{_W}p")).strip()
                    for cell in row.findall(f"{_W}tc")
                ]
                if any(cells):
                    yield " | ".join(cells), 0, "row"
        elif child.tag in {f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins", f"{_W}customXml"}:
            yield from _walk(child, styles)


def _style(paragraph: Any) -> str:
    style = paragraph.find(f"{_W}pPr/{_W}pStyle")
    return style.get(f"{_W}val", "") if style is not None else ""


def _words(paragraph: Any) -> str:
    """A paragraph's words: inserted ones too, deleted ones not."""
    parts = []
    for node in paragraph.iter(f"{_W}t", f"{_W}tab", f"{_W}br", f"{_W}cr", f"{_W}noBreakHyphen"):
        if node.tag == f"{_W}t":
            parts.append(node.text or "")
        else:
            parts.append("-" if node.tag == f"{_W}noBreakHyphen" else " ")
    return " ".join("".join(parts).split())
