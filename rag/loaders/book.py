"""Books (.epub): the chapters in the order they are read, each page of HTML block by block.

An electronic book has neither lines nor pages of its own; a place's line is counted in the text as it was
read. Title and date are those of the book's own description.
"""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from rag.loaders.archive import opened, xml
from rag.loaders.draft import Draft, Known, Piece, UnreadableError, laid_out, marked
from rag.loaders.html_walk import walk
from rag.loaders.plain import decode
from rag.loaders.web import parse
from rag.text.dates import stated_date

_TYPE = "application/epub+zip"
_DC = "{http://purl.org/dc/elements/1.1/}"
_PAGES = {"application/xhtml+xml", "text/html", "application/x-dtbook+xml"}
_MAX_PAGE = 50_000_000  # bytes of one chapter


def load_epub(data: bytes) -> Draft:
    """A book as a draft; what it cannot show of itself (its contents, its pictures) is left out."""
    with opened(data, "an EPUB book", "EPUB") as archive:
        if "META-INF/encryption.xml" in archive.namelist() and _is_locked(archive):
            raise UnreadableError("encrypted: its publisher locks it to one reader")
        place, package = _package(archive)
        pieces, n_missing = list[Piece](), 0
        for name in _spine(package, posixpath.dirname(place)):
            page = _page(archive, name)
            n_missing += page is None
            pieces += page or []
    if not pieces:
        raise UnreadableError("no text in it")
    text, blocks, _ = laid_out(pieces)
    known = Known(
        title=_field(package, "title") or None,
        date=stated_date(_field(package, "date")),
        notes=(f"{n_missing} of its chapters cannot be read",) if n_missing else (),
    )
    return marked(text, _TYPE, blocks, known)


def _is_locked(archive: zipfile.ZipFile) -> bool:
    """Whether chapters are encrypted; fonts alone often are."""
    root = xml(archive, "META-INF/encryption.xml")
    locked = (
        element.get("URI", "").lower()
        for element in (root.iter("{*}CipherReference") if root is not None else ())
    )
    return any(name.endswith((".xhtml", ".html", ".htm", ".xml")) for name in locked)


def _package(archive: zipfile.ZipFile) -> tuple[str, Any]:
    """Where the description of the book stands, and its root."""
    container = xml(archive, "META-INF/container.xml")
    root = next(container.iter("{*}rootfile"), None) if container is not None else None
    place = root.get("full-path", "") if root is not None else ""
    package = xml(archive, place) if place else None
    if package is None:
        raise UnreadableError("not an EPUB book, or a damaged one: it does not say what is in it")
    return place, package


def _spine(package: Any, folder: str) -> Iterator[str]:
    """The names of the pages in the order they are read, each once; the list of contents is none."""
    items = {item.get("id"): item for item in package.iter("{*}item")}
    seen = set()
    for reference in package.iter("{*}itemref"):
        item = items.get(reference.get("idref"))
        if item is None or item.get("media-type") not in _PAGES or reference.get("idref") in seen:
            continue
        seen.add(reference.get("idref"))
        if "nav" not in (item.get("properties") or "").split():
            yield posixpath.normpath(posixpath.join(folder, unquote(item.get("href", "").split("#")[0])))


def _page(archive: zipfile.ZipFile, name: str) -> list[Piece] | None:
    """The blocks of a chapter; None where it cannot be read."""
    try:
        if archive.getinfo(name).file_size > _MAX_PAGE:
            return None
        text, _, _ = decode(archive.read(name))
        return [replace(piece, line=None) for piece in walk(parse(text))] if text.strip() else []
    except Exception:  # one chapter's zipfile, zlib or lxml error loses that chapter, and is counted
        return None


def _field(package: Any, name: str) -> str:
    return " ".join((next((element.text or "" for element in package.iter(f"{_DC}{name}")), "")).split())
