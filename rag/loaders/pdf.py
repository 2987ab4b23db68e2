"""PDF files: text page by page, put back into the paragraphs it was broken from.

A PDF knows only lines at places on a page. Lines become paragraphs by their distance, indent and type;
headers and footers that repeat from page to page are dropped; a word divided at a line's end is joined; a
paragraph that runs over a page goes on.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from rag.loaders.draft import Draft, Known, UnreadableError, unmarked
from rag.loaders.rejoin import Vocabulary
from rag.records import Place
from rag.text.dates import dates_in
from rag.text.layout import ends_open, is_complete, is_date_line, is_list_item

_EDGE_LINES = 3  # at the top and at the bottom of a page: no header or footer is taller
_MAX_RANGES = 8  # of pages without text, named in a note
_LONGEST_EDGE = 300  # characters; no header or footer is longer
_MIN_LEADING, _MAX_LEADING = 4.0, 60.0  # points from line to line; less is a superscript, more a picture
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufeff\ud800-\udfff]")
_LINE_END = re.compile(r"\r\n|\r|\n|\ufffe|\x02")
_TEMPLATE_DATES = {"2000-01-01"}  # written by libraries that want the same bytes every time


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page: its words, whether its last word goes on, where it stands (points) and its type."""

    text: str
    page: int
    broken: bool = False
    left: float = 0.0
    right: float = 0.0
    base: float = 0.0
    style: tuple[float, str] | None = None  # size and font, where both ends of the line have the same


def load_pdf(data: bytes) -> Draft:
    """A PDF's text as a draft; places say where each page begins, even within a paragraph."""
    if b"%PDF-" not in data[:1024]:
        raise UnreadableError("not a PDF file, whatever its name says")
    pages, fields = _read(data)
    empty = [number for number, page in enumerate(pages, 1) if not page]
    if len(empty) == len(pages):
        count = "1 page is a picture" if len(pages) == 1 else f"{len(pages):,} pages are pictures"
        raise UnreadableError(f"no text layer: its {count}", "run text recognition (OCR) over it first")
    notes = (f"{len(empty)} of {len(pages)} pages have no text layer: {ranges_of(empty)}",) if empty else ()
    text, places = _flow(list(_paragraphs(without_running_lines(pages))))
    created, dated = None, re.match(r"D:(\d{4})(\d\d)(\d\d)", fields.get("CreationDate", ""))
    if dated:
        dates = dates_in("-".join(dated.groups()))
        created = dates[0][2] if dates and dates[0][2] not in _TEMPLATE_DATES else None
    title = " ".join(fields.get("Title", "").split())
    if re.fullmatch(
        r"(?:untitled|anonymous|.*\.(?:docx?|pdf|indd|tex)|microsoft word.*|)", title, re.IGNORECASE
    ):
        title = ""
    return unmarked(
        text, "application/pdf", Known(title or None, created=created, places=places, notes=notes)
    )


def ranges_of(numbers: Sequence[int]) -> str:
    """Rising numbers in words, those in a row as one range; after the eighth range only how many follow.

    >>> ranges_of([1, 3, 4, 5, 9]), ranges_of(range(1, 40, 2))
    ('1, 3-5, 9', '1, 3, 5, 7, 9, 11, 13, 15 and 12 more')
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    named = [f"{first}" if first == last else f"{first}-{last}" for first, last in runs[:_MAX_RANGES]]
    more = sum(last - first + 1 for first, last in runs[_MAX_RANGES:])
    return ", ".join(named) + (f" and {more} more" if more else "")


def _read(data: bytes) -> tuple[list[list[Line]], dict[str, str]]:
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower() or "security" in str(error).lower():
            raise UnreadableError(
                "encrypted: it opens only with a password", "save a copy without one"
            ) from error
        raise UnreadableError("damaged or truncated: it cannot be opened as a PDF") from error
    try:
        if b"%%EOF" not in data[-4096:]:
            raise UnreadableError("truncated: the end of the file is missing")
        pages = [list(_lines(document, number)) for number in range(len(document))]
        return pages, document.get_metadata_dict()
    except pypdfium2.PdfiumError as error:
        raise UnreadableError("damaged: not all of its pages can be read") from error
    finally:
        document.close()


def _lines(document: Any, number: int) -> Iterator[Line]:
    page = document[number]
    sheet = page.get_textpage()
    try:
        text = sheet.get_text_range()
        exact = len(text) == sheet.count_chars()  # else positions cannot be asked for by character
        at = 0
        for match in [*_LINE_END.finditer(text), None]:
            end = match.start() if match else len(text)
            words = " ".join(_CONTROL.sub("", text[at:end]).split())
            if words:
                soft = words.endswith("\xad")
                broken = bool(match and match[0] in "\ufffe\x02") or words.endswith(("-", "\xad", "\u2010"))
                place = _placed(sheet, text, at, end) if exact else (0.0, 0.0, 0.0, None)
                words = (
                    words.rstrip("\xad")
                    if soft
                    else words.removesuffix("-").removesuffix("\u2010")
                    if broken
                    else words
                )
                yield Line(words, number + 1, broken, *place)
            at = match.end() if match else end
    finally:
        sheet.close()
        page.close()


def _placed(
    sheet: Any, text: str, start: int, end: int
) -> tuple[float, float, float, tuple[float, str] | None]:
    import ctypes

    from pypdfium2 import raw

    first = next(at for at in range(start, end) if not text[at].isspace())
    last = next(at for at in range(end - 1, start - 1, -1) if not text[at].isspace())
    x, y = ctypes.c_double(), ctypes.c_double()
    raw.FPDFText_GetCharOrigin(sheet, first, x, y)
    right = sheet.get_charbox(last)[2]
    styles = {(round(raw.FPDFText_GetFontSize(sheet, at), 1), _font(sheet, at)) for at in (first, last)}
    return x.value, right, y.value, styles.pop() if len(styles) == 1 else None


def _font(sheet: Any, at: int) -> str:
    import ctypes

    from pypdfium2 import raw

    name = ctypes.create_string_buffer(96)
    raw.FPDFText_GetFontInfo(sheet, at, name, 96, ctypes.c_int())
    return name.value.decode("utf-8", "replace")


def without_running_lines(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """The pages without lines that stand, page numbers aside, at the top or bottom of most of them.

    >>> pages = [[Line("Report", n), Line(f"Text {'ab'[n - 1]}.", n), Line(f"Page {n}", n)] for n in (1, 2)]
    >>> [[line.text for line in page] for page in without_running_lines(pages)]
    [['Text a.'], ['Text b.']]
    """
    filled = [page for page in pages if page]
    if len(filled) < 2:
        return [list(page) for page in pages]
    counts: Counter[str] = Counter()
    for page in filled:
        counts.update({form for line in (*page[:_EDGE_LINES], *page[-_EDGE_LINES:]) for form in _forms(line)})
    needed = max(2, len(filled) // 2)  # half of them: left and right pages may carry different headers
    kept = []
    for page in pages:
        rows = list(page)
        for at in (0, -1):
            for _ in range(_EDGE_LINES):
                alone = 2 if rows and rows[at].text.isdecimal() else needed  # a bare number that counts along
                if rows and any(counts[form] >= alone for form in _forms(rows[at])):
                    rows.pop(at)
        kept.append(rows)
    return kept


def _forms(line: Line) -> Iterator[str]:
    """The line as it is, and with each number in turn counted from its page: a page number becomes the same.

    Other figures stay: the rows of a table that runs over pages are no headers.
    """
    yield line.text.casefold()
    if len(line.text) > _LONGEST_EDGE:
        return
    for match in re.finditer(r"\d{1,5}", line.text):
        before, after = line.text[: match.start()], line.text[match.end() :]
        yield f"{before}\0{int(match[0]) - line.page}\0{after}".casefold()


def _paragraphs(pages: Sequence[Sequence[Line]]) -> Iterator[list[Line]]:
    """The lines of all pages as paragraphs."""
    rows = [line for page in pages for line in page]
    if not rows:
        return
    gaps = [a.base - b.base for a, b in pairwise(rows) if a.page == b.page]
    gaps = sorted(gap for gap in gaps if _MIN_LEADING < gap < _MAX_LEADING)
    # Not the median: where headings and short paragraphs alternate, most distances are gaps.
    leading = gaps[len(gaps) // 4] if gaps else 0.0
    widths = sorted(line.right for line in rows)
    right = widths[int(len(widths) * 0.9)]
    paragraph = [rows[0]]
    for before, line in pairwise(rows):
        if _begins(before, line, leading, right):
            yield paragraph
            paragraph = []
        paragraph.append(line)
    yield paragraph


def _begins(before: Line, line: Line, leading: float, right: float) -> bool:
    """Whether a line begins a paragraph after the line before it."""
    if before.broken and line.text[0].islower():
        return False
    if (is_list_item(line.text) and not line.text[0].islower()) or is_date_line(before.text):
        return True
    if before.style and line.style and before.style != line.style:
        return True
    full = before.right >= 0.85 * right
    if before.page != line.page or line.base >= before.base:  # a new page, or the next column
        return not (ends_open(before.text) and (line.text[0].islower() or full))
    if leading and before.base - line.base > 1.25 * leading:
        return True
    indented = line.left > before.left + 8 and is_complete(before.text)
    return indented or (is_complete(before.text) and not full and not line.text[0].islower())


def _flow(paragraphs: Sequence[Sequence[Line]]) -> tuple[str, tuple[Place, ...]]:
    vocabulary = Vocabulary(line.text for paragraph in paragraphs for line in paragraph)
    parts, places, at, page = list[str](), list[Place](), 0, 0
    for paragraph in paragraphs:
        previous: Line | None = None
        for line in paragraph:
            if previous is not None:
                gap = vocabulary.joint(previous.text, line.text) if previous.broken else " "
            else:
                gap = "\n\n" if parts else ""
            parts.append(gap)
            at += len(gap)
            if line.page != page:
                places.append(Place(at, page=line.page))
                page = line.page
            parts.append(line.text)
            at += len(line.text)
            previous = line
        if previous is not None and previous.broken:
            parts.append("-")
            at += 1
    return "".join(parts), tuple(places)
