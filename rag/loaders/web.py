"""Web pages: the article, without the site around it.

``trafilatura`` decides what the article is; parts whose markup names them as furniture (navigation, cookie
banners, offers, forms) are taken out before it looks. The document's text is the extracted text, paragraphs
divided by blank lines, and every block remembers its line in the source.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rag.loaders.draft import Draft, UnreadableError
from rag.loaders.head import about
from rag.loaders.plain import decode
from rag.records import Heading, Place
from rag.text.dates import dates_in

_CHARSET = re.compile(rb"<meta[^>]+charset=[\"']?\s*([\w-]+)", re.IGNORECASE)
_FURNITURE = frozenset(
    "ad ads advert adverts advertisement advertising banner breadcrumb breadcrumbs comment comments"
    " consent cookie cookies disqus footer gdpr login masthead menu modal mostread nav navbar"
    " navigation newsletter offer paywall popup promo promoted promotion recirculation related share"
    " sharing sharedaddy sidebar signup social sponsor sponsored subscribe subscription".split()
)
_FURNITURE_TAGS = (
    "nav",
    "aside",
    "form",
    "footer",
    "button",
    "dialog",
    "script",
    "style",
    "noscript",
    "template",
)
_BLOCKS = (
    "p",
    "li",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "blockquote",
    "pre",
    "tr",
    "dt",
    "dd",
    "figcaption",
    "div",
    "td",
)
_APART = {"p", "head", "item", "cell", "div", "quote"}
_MAX_SHARE = 0.4  # of a page's words: what holds more is no furniture, whatever its class says


def load_html(data: bytes) -> Draft:
    """The article of a web page as a draft, with headings, title, date and source lines."""
    text, encoding, notes = _decode(data)
    from lxml.etree import ParserError

    try:
        page, found = _extract(text)
    except ParserError as error:
        raise UnreadableError("no readable text in this page") from error
    except Exception as error:  # whatever lxml or trafilatura could not swallow
        raise UnreadableError(f"the page could not be taken apart ({type(error).__name__})") from error
    pieces = list(_pieces(found.body)) if found is not None else []
    if not any(words for words, _ in pieces):
        pieces = [(" ".join(words.split()), 0) for words in page.itertext("p", "li", "h1", "h2", "h3", "td")]
        pieces = [piece for piece in pieces if piece[0]]
        notes = (*notes, "no article was found in the page: all its text is kept")
    if not pieces:
        raise UnreadableError("no readable text in this page")
    return _draft(page, found, pieces, encoding, notes)


def _decode(data: bytes) -> tuple[str, str, tuple[str, ...]]:
    if b"\0" in data:
        return decode(data)
    declared = _CHARSET.search(data[:4096])
    try:
        return data.decode("utf-8-sig"), "utf-8", ()
    except UnicodeDecodeError:
        if declared:
            name = declared[1].decode("ascii").lower()
            name = {"iso-8859-1": "cp1252", "latin-1": "cp1252", "latin1": "cp1252"}.get(name, name)
            try:
                return data.decode(name), name, (f"decoded as {name}, as the page declares",)
            except (UnicodeDecodeError, LookupError):
                pass
    return decode(data)


def _extract(text: str) -> tuple[Any, Any]:
    """The page's tree without its furniture, and what trafilatura makes of it (None: nothing)."""
    from lxml import html
    from trafilatura import bare_extraction

    page = html.document_fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text))
    total = max(1, len(page.text_content().split()))
    for element in list(page.iter()):
        if not isinstance(element.tag, str) or element.getparent() is None or not _is_furniture(element):
            continue
        if element.tag in {"script", "style"} or len(element.text_content().split()) <= _MAX_SHARE * total:
            element.drop_tree()
    found = bare_extraction(
        html.tostring(page, encoding="unicode"),
        with_metadata=True,
        include_comments=False,
        include_tables=True,
        include_formatting=False,
        favor_recall=True,
        date_extraction_params={"extensive_search": False, "original_date": True},
    )
    return page, found


def _is_furniture(element: Any) -> bool:
    if element.tag in {"html", "head", "body", "main", "article"}:
        return False
    if element.tag in _FURNITURE_TAGS or element.get("role") in {"navigation", "dialog", "banner", "search"}:
        return True
    names = f"{element.get('class', '')} {element.get('id', '')}"
    return not _FURNITURE.isdisjoint(re.split(r"[\s_-]+", re.sub(r"([a-z])([A-Z])", r"\1-\2", names).lower()))


def _pieces(body: Any) -> Iterator[tuple[str, int]]:
    """The blocks of an extracted body as (words, heading level or 0)."""
    for element in body:
        tag = element.tag
        if tag == "head":
            yield (
                _words(element),
                int((element.get("rend") or "h2")[-1]) if (element.get("rend") or "h2")[-1].isdigit() else 2,
            )
        elif tag == "list":
            items = [_words(item) for item in element.iter("item")]
            yield "\n".join(f"- {item}" for item in items if item), 0
        elif tag == "table":
            rows = [" | ".join(_words(cell) for cell in row.iter("cell")) for row in element.iter("row")]
            yield "\n".join(row for row in rows if row.strip(" |")), 0
        elif tag in {"div", "quote", "main", "article"} and len(element):
            yield from _pieces(element)
        else:
            yield _words(element), 0


def _words(element: Any) -> str:
    parts = []
    for node in element.iter():
        parts += [" " if node.tag == "lb" else "", node.text or "", " " if node.tag in _APART else ""]
        parts.append((node.tail or "") if node is not element else "")
    return " ".join("".join(parts).split())


def _draft(
    page: Any, found: Any, pieces: list[tuple[str, int]], encoding: str, notes: tuple[str, ...]
) -> Draft:
    lines = _SourceLines(page)
    text, places, headings = "", [], []
    parts: list[str] = []
    at = 0
    for words, level in pieces:
        if not words:
            continue
        if parts:
            parts.append("\n\n")
            at += 2
        offset = at
        for row in words.split("\n"):
            line = lines.of(row.removeprefix("- "))
            if line is not None:
                places.append(Place(offset, line=line))
            offset += len(row) + 1
        if level:
            headings.append(Heading(at, at + len(words), level))
        parts.append(words)
        at += len(words)
    text = "".join(parts)
    own = about(text)
    dates = dates_in(found.date or "") if found is not None else []
    title = found.title if found is not None else None
    return Draft(
        text,
        "text/html",
        " ".join(title.split()) if title else own.title,
        dates[0][2] if dates else own.date,
        encoding,
        tuple(places),
        tuple(headings),
        notes,
    )


class _SourceLines:
    """Where a block of extracted words stands in the source: found by its words, going down the page."""

    def __init__(self, page: Any) -> None:
        self._at: dict[str, list[int]] = {}
        self._last = 0
        for element in page.iter(*_BLOCKS):
            if element.sourceline is not None:
                self._at.setdefault(self._key(element.text_content()), []).append(element.sourceline)

    @staticmethod
    def _key(words: str) -> str:
        return re.sub(r"\W+", "", words)[:80]

    def of(self, words: str) -> int | None:
        """The first line at or below the last one found; else the first anywhere; else None."""
        known = self._at.get(self._key(words))
        if not known:
            return None
        line = next((line for line in known if line >= self._last), known[0])
        self._last = line
        return line
