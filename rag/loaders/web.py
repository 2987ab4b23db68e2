"""Web pages: the article, without the site around it.

``trafilatura`` decides what the article is; parts whose markup names them as furniture (navigation, cookie
banners, offers, forms) are taken out before it looks. The document's text is the extracted text, paragraphs
divided by blank lines; every block keeps its kind and its line in the source.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from rag.loaders.draft import Draft, Known, Piece, UnreadableError, laid_out, marked
from rag.loaders.plain import decode
from rag.records import BlockKind
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
    "caption",
    "div",
    "td",
)
_APART = {"p", "head", "item", "cell", "div", "quote"}
# What a block is by its element in the source, where the extracted tree has forgotten it.
_BY_TAG = {"pre": BlockKind.CODE, "figcaption": BlockKind.CAPTION, "caption": BlockKind.CAPTION}
# The words of a heading's link to itself.
_PERMALINKS = {"¶", "#", "§", "🔗", "Permalink", "Link to this heading"}
_TAG = re.compile(r"<[a-zA-Z](?:[^<>\"']++|\"[^\"]{0,1000000}+\"|'[^']{0,1000000}+')*+")
_MAX_ATTRIBUTES = 1_000  # of an element; the parser takes the square of their number
_MAX_INLINE = 2_000  # inline elements beside one another that are left as they are
_INLINE = frozenset("a abbr b cite em font i mark small span strong sub sup u".split())
_MAX_DEPTH = 250  # elements inside one another; the extractor takes the square of it, and then fails
_MAX_TEXT = 8_000_000  # characters; from 10 million on the parser drops a run of text unless told otherwise
_WORD = re.compile(r"\w+")
_KEY = 80  # letters and figures by which a block is found again in its source
_MAX_SHARE = 0.4  # of a page's words: what holds more is no furniture, whatever its class says


def load_html(data: bytes) -> Draft:
    """The article of a web page as a draft, with its blocks, title, date and source lines."""
    text, encoding, notes = _decode(data)
    from lxml.etree import ParserError

    try:
        source, page, found = _extract(text)
    except ParserError as error:
        raise UnreadableError("no readable text in this page") from error
    except UnreadableError:
        raise
    except Exception as error:  # whatever lxml or trafilatura could not swallow
        raise UnreadableError(f"the page could not be taken apart ({type(error).__name__})") from error
    pieces = [piece for piece in _pieces(found.body, 0) if piece.words] if found is not None else []
    if not pieces:
        words = (" ".join(words.split()) for words in page.itertext("p", "li", "h1", "h2", "h3", "td"))
        pieces = [Piece(BlockKind.PARAGRAPH, part) for part in words if part]
        notes = (*notes, "no article was found in the page: all its text is kept")
    if not pieces:
        raise UnreadableError("no readable text in this page")
    laid, blocks, places = laid_out(source.placed(piece) for piece in pieces)
    dates = dates_in(found.date or "") if found is not None else []
    stated = dates[0][2] if dates and _states(text, dates[0][2]) else None
    title = " ".join((found.title or "").split()) if found is not None else ""
    known = Known(
        title=title.rstrip(" ¶🔗") or None,
        date=stated,
        encoding=encoding,
        places=places,
        notes=notes,
    )
    return marked(laid, "text/html", blocks, known)


def _states(page: str, iso: str) -> bool:
    """Whether a page has a date as people or machines write it: a guess may have taken a version for one.

    >>> _states("<time datetime='2017-03-22T10:00'>", "2017-03-22"), _states("since 3.5.10", "2010-05-03")
    (True, False)
    """
    year, month, day = iso.split("-")
    return bool(re.search(rf"{year}[-/.]?{month}[-/.]?{day}", page)) or any(
        iso == named for _, _, named in dates_in(page)
    )


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
            except (UnicodeError, LookupError):  # no such encoding, one named "undefined", or a wrong one
                pass
    return decode(data)


def parse(text: str) -> Any:
    """The tree of a page. Raises UnreadableError for markup that would hold the parser up, and lxml's own."""
    from lxml import html

    _refuse_monsters(text)
    parser = html.HTMLParser(huge_tree=len(text) > _MAX_TEXT)
    return html.document_fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text), parser=parser)


def _refuse_monsters(text: str) -> None:
    """Raise UnreadableError for a page whose markup would hold the parser up."""
    for match in _TAG.finditer(text):
        if match.end() - match.start() > 2 * _MAX_ATTRIBUTES and _n_attributes(match[0]) > _MAX_ATTRIBUTES:
            raise UnreadableError(f"an element of the page has more than {_MAX_ATTRIBUTES:,} attributes")


def _n_attributes(tag: str) -> int:
    return len(re.sub(r"\"[^\"]*\"|'[^']*'", "", tag).split()) - 1


def _extract(text: str) -> tuple[_Source, Any, Any]:
    """Where blocks stand in the page, its tree without furniture, and its article or None."""
    from lxml import html
    from trafilatura import bare_extraction

    page = parse(text)
    _without_furniture(page)
    _without_permalinks(page)
    _flatten(page)
    source = _Source(page)
    _with_captions(page)
    found = bare_extraction(
        page if len(text) > _MAX_TEXT else html.tostring(page, encoding="unicode"),
        with_metadata=True,
        include_comments=False,
        include_tables=True,
        include_formatting=False,
        favor_recall=True,
        date_extraction_params={"extensive_search": False, "original_date": True},
    )
    return source, page, found


def _without_furniture(page: Any) -> None:
    counts = _word_counts(page)
    total = max(1, counts[page])
    waiting = [page]
    while waiting:
        element = waiting.pop()
        if (
            element.getparent() is not None
            and _is_furniture(element)
            and (element.tag in {"script", "style"} or counts[element] <= _MAX_SHARE * total)
        ):
            element.drop_tree()
        else:
            waiting += [child for child in element if isinstance(child.tag, str)]


def _word_counts(page: Any) -> dict[Any, int]:
    """The number of words in each element. Raises UnreadableError where elements stand too deep."""
    from lxml.etree import iterwalk

    counts: dict[Any, int] = {}
    depth = 0
    for event, element in iterwalk(page, events=("start", "end")):
        if event == "start":
            depth += 1
            if depth > _MAX_DEPTH:
                raise UnreadableError(f"elements of the page stand more than {_MAX_DEPTH} deep")
            continue
        depth -= 1
        counts[element] = len((element.text or "").split()) + sum(
            counts.get(child, 0) + len((child.tail or "").split()) for child in element
        )
    return counts


def _is_furniture(element: Any) -> bool:
    if element.tag in {"html", "head", "body", "main", "article"}:
        return False
    if element.tag in _FURNITURE_TAGS or element.get("role") in {"navigation", "dialog", "banner", "search"}:
        return True
    names = f"{element.get('class', '')} {element.get('id', '')}"
    return not _FURNITURE.isdisjoint(re.split(r"[\s_-]+", re.sub(r"([a-z])([A-Z])", r"\1-\2", names).lower()))


def _without_permalinks(page: Any) -> None:
    for link in list(page.iter("a")):
        if link.get("href", "").startswith("#") and "".join(link.itertext()).strip() in _PERMALINKS:
            link.drop_tree()


def _flatten(page: Any) -> None:
    """Put words for inline elements where thousands stand in one: they cost the extractor their square."""
    for parent in [element for element in page.iter() if len(element) > _MAX_INLINE]:
        parts, before = [parent.text or ""], None
        for child in list(parent):
            if child.tag in _INLINE:
                parts += [*child.itertext(), child.tail or ""]
                parent.remove(child)
                continue
            _hang(parent, before, parts)
            parts, before = [child.tail or ""], child
        _hang(parent, before, parts)


def _hang(parent: Any, before: Any, parts: Sequence[str]) -> None:
    """Set what stands after an element, or at the head of its parent where there is none."""
    if before is None:
        parent.text = "".join(parts)
    else:
        before.tail = "".join(parts)


def _with_captions(page: Any) -> None:
    """Stand captions beside their tables and figures: inside, they are taken for cells or lost."""
    for caption in list(page.iter("caption", "figcaption")):
        around = caption.getparent()
        if around is None or around.tag not in {"table", "figure"}:
            continue
        caption.drop_tree()
        caption.tag, caption.tail = "p", None
        if around.tag == "table":
            around.addprevious(caption)
        else:
            caption.tail, around.tail = around.tail, None
            around.addnext(caption)


def _pieces(body: Any, depth: int, kind: BlockKind = BlockKind.PARAGRAPH) -> Iterator[Piece]:
    """The blocks of an extracted body."""
    for element in body:
        tag = element.tag
        if tag == "head":
            rank = (element.get("rend") or "h2")[-1]
            yield Piece(BlockKind.HEADING, _words(element), int(rank) if rank.isdigit() else 2)
        elif tag == "list":
            yield from _items(element, 1, fresh=True)
        elif tag == "table":
            yield from _rows(element)
        elif tag == "code":
            yield Piece(BlockKind.CODE, _lines(element))
        elif tag in {"div", "quote", "main", "article"} and len(element) and depth < _MAX_DEPTH:
            yield from _pieces(element, depth + 1, BlockKind.QUOTATION if tag == "quote" else kind)
        elif tag == "quote":
            yield Piece(BlockKind.QUOTATION, _lines(element))
        else:
            yield Piece(kind, _words(element))


def _items(listed: Any, level: int, *, fresh: bool = False) -> Iterator[Piece]:
    for item in listed:
        if item.tag == "list":
            yield from _items(item, level + 1)
            continue
        rend = item.get("rend") or ""
        nested = [part for part in item.iter("list") if next(part.iterancestors("list")) is listed]
        words = _words(item, without=nested)
        if rend.startswith("dt"):
            yield Piece(BlockKind.TERM, words, fresh=fresh)
        elif rend.startswith("dd"):
            yield Piece(BlockKind.DEFINITION, words, fresh=fresh)
        else:
            yield Piece(BlockKind.LIST_ITEM, f"- {words}" if words else "", level, fresh=fresh)
        fresh = fresh and not words
        for inner in nested:
            yield from _items(inner, level + 1)


def _rows(table: Any) -> Iterator[Piece]:
    fresh = True
    for row in table.iter("row"):
        cells = list(row.iter("cell"))
        words = " | ".join(_words(cell) for cell in cells)
        if not words.strip(" |"):
            continue
        heads = fresh and all(cell.get("role") == "head" or not _words(cell) for cell in cells)
        yield Piece(BlockKind.TABLE_HEADER if heads else BlockKind.TABLE_ROW, words, fresh=fresh)
        fresh = False


def _words(element: Any, without: Sequence[Any] = ()) -> str:
    return " ".join("".join(_strings(element, " ", without)).split())


def _lines(element: Any) -> str:
    """The words of preformatted text, line by line."""
    text = "".join(_strings(element, "\n"))
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")


def _strings(element: Any, line_end: str, without: Sequence[Any] = ()) -> Iterator[str]:
    """The text inside an element in its order, but for what stands in the elements ``without``."""
    from lxml.etree import iterwalk

    left_out = set(without)
    walk = iterwalk(element, events=("start", "end"))
    for event, node in walk:
        if event == "end":
            yield "" if node is element else node.tail or ""
        elif node in left_out:
            walk.skip_subtree()
        else:
            yield line_end if node.tag == "lb" else ""
            yield node.text or ""
            yield " " if node.tag in _APART else ""


class _Source:
    """Where a block of extracted words stands in the source: found by its words, going down the page."""

    def __init__(self, page: Any) -> None:
        self._at: dict[str, list[tuple[int, str]]] = {}
        self._last = 0
        for element in page.iter(*_BLOCKS):
            if element.sourceline is not None:
                self._at.setdefault(_key(element.itertext()), []).append((element.sourceline, element.tag))

    def placed(self, piece: Piece) -> Piece:
        """The piece with its line, and with the kind its element in the source has."""
        bulleted = piece.kind is BlockKind.LIST_ITEM
        line, tag = self._of(piece.words.removeprefix("- ") if bulleted else piece.words)
        kind = _BY_TAG.get(tag, piece.kind) if piece.kind is not BlockKind.HEADING else piece.kind
        words = piece.words
        if piece.kind is BlockKind.QUOTATION and kind is not BlockKind.CODE:
            words = " ".join(words.split())
        return replace(piece, kind=kind, words=words, line=line)

    def _of(self, words: str) -> tuple[int | None, str]:
        """The first line at or below the last one found; else the first anywhere; else None; and its tag."""
        known = self._at.get(_key([words]))
        if not known:
            return None, ""
        row = bisect_left(known, self._last, key=lambda place: place[0])
        line, tag = known[row] if row < len(known) else known[0]
        self._last = line
        return line, tag


def _key(texts: Iterable[str]) -> str:
    """The first letters and figures of a text, by which it is known again however it is spaced.

    >>> _key(["Year ", "| Spent"])
    'YearSpent'
    """
    key = ""
    for text in texts:
        for match in _WORD.finditer(text):
            key += match[0][:_KEY]
            if len(key) >= _KEY:
                return key[:_KEY]
    return key
