"""PDF files: text page by page, put back into the paragraphs it was broken from.

A PDF knows only words at places on a page. Lines become paragraphs by their distance, indent and type;
columns are read one after the other, tables row by row; headers and footers that repeat from page to page are
dropped; a word divided at a line's end is joined; a paragraph that runs over a page goes on, and a note that
stood between its halves follows it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice, pairwise
from typing import Any

from rag.loaders.draft import Draft, Known, UnreadableError, partly_marked
from rag.loaders.page_layout import (
    Line,
    Table,
    in_reading_order,
    joined,
    note_mark,
    with_tables,
    without_notes,
    without_running_lines,
)
from rag.loaders.rejoin import Vocabulary
from rag.records import Block, BlockKind, Place
from rag.text.dates import dates_in
from rag.text.layout import ends_open, is_complete, is_date_line, is_list_item

_MAX_RANGES = 8  # of pages without text, named in a note
_MIN_LEADING, _MAX_LEADING = 4.0, 60.0  # points from line to line; less is a superscript, more a picture
_WIDE = 0.8  # of the type size: a gap that parts columns or cells, and in running text is rare
_RAISED = 0.15  # of the type size: so far over its line stands a note's number
_MAX_OBJECTS = 500  # of a page, looked at to tell a picture from an empty page
_MANY_PATHS = 50  # drawn shapes: text turned into its outlines
_FEW_WORDS = 12  # on a page that a picture fills: a stamp, a number
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufeff\ufdd0\ufdd1\ud800-\udfff]")
_LINE_END = re.compile(r"\r\n|\r|\n|\ufffe|\x02")
_NUMBER = re.compile(r"(?<=\S)\d{1,3}(?!\w)")
_REFERENCE = re.compile("\ufdd0(\\d{1,3})\ufdd1")  # a raised number, between characters that no text has
_TEMPLATE_DATES = {"2000-01-01"}  # written by libraries that want the same bytes every time


def load_pdf(data: bytes) -> Draft:
    """A PDF's text as a draft; places say where each page begins, even within a paragraph."""
    if b"%PDF-" not in data[:1024]:
        raise UnreadableError("not a PDF file, whatever its name says")
    pages, pictures, fields = _read(data)
    if not any(pages):
        count = "1 page is a picture" if len(pages) == 1 else f"{len(pages):,} pages are pictures"
        raise UnreadableError(f"no text layer: its {count}", "run text recognition (OCR) over it first")
    pages = without_running_lines(pages)
    scanned = [
        number
        for number, page in enumerate(pages, 1)
        if number in pictures and sum(len(line.text.split()) for line in page) <= _FEW_WORDS
    ]
    notes = (
        (f"{len(scanned)} of {len(pages)} pages have no text layer: {ranges_of(scanned)}",) if scanned else ()
    )
    text, places, rows = _flow(list(_paragraphs(pages)))
    created, dated = None, re.match(r"D:(\d{4})(\d\d)(\d\d)", fields.get("CreationDate", ""))
    if dated:
        dates = dates_in("-".join(dated.groups()))
        created = dates[0][2] if dates and dates[0][2] not in _TEMPLATE_DATES else None
    title = " ".join(fields.get("Title", "").split())
    if re.fullmatch(
        r"(?:untitled|anonymous|.*\.(?:docx?|pdf|indd|tex)|microsoft word.*|)", title, re.IGNORECASE
    ):
        title = ""
    known = Known(title or None, created=created, places=places, notes=notes)
    return partly_marked(text, "application/pdf", rows, known)


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


def _read(data: bytes) -> tuple[list[list[Line]], set[int], dict[str, str]]:
    """The lines of each page, which pages a picture fills, and what the file says of itself."""
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
        pages, pictures = list[list[Line]](), set[int]()
        for number in range(len(document)):
            pages.append(list(_lines(document, number)))
            few = sum(len(line.text.split()) for line in pages[-1]) <= 4 * _FEW_WORDS
            if few and _is_picture(document, number):
                pictures.add(number + 1)
        return pages, pictures, document.get_metadata_dict()
    except pypdfium2.PdfiumError as error:
        raise UnreadableError("damaged: not all of its pages can be read") from error
    finally:
        document.close()


def _is_picture(document: Any, number: int) -> bool:
    """Whether a picture fills half of a page, or shapes are drawn on it as where letters became outlines."""
    from pypdfium2 import raw

    page = document[number]
    try:
        width, height = page.get_size()
        n_paths = 0
        for drawn in islice(page.get_objects(max_depth=2), _MAX_OBJECTS):
            n_paths += drawn.type == raw.FPDF_PAGEOBJ_PATH
            if drawn.type == raw.FPDF_PAGEOBJ_IMAGE:
                left, bottom, right, top = drawn.get_bounds()
                if 2 * (right - left) * (top - bottom) >= width * height:
                    return True
        return n_paths >= _MANY_PATHS
    finally:
        page.close()


def _lines(document: Any, number: int) -> Iterator[Line]:
    page = document[number]
    sheet = page.get_textpage()
    try:
        text = sheet.get_text_range()
        exact = len(text) == sheet.count_chars()  # else positions cannot be asked for by character
        at = 0
        for row, match in enumerate([*_LINE_END.finditer(text), None]):
            end = match.start() if match else len(text)
            parts = list(_parts(sheet, text, at, end)) if exact else [(at, end)]
            for start, stop in parts:
                last = stop == parts[-1][1]
                words = _marked_references(sheet, text, start, stop) if exact else text[start:stop]
                words = " ".join(words.split())
                if not words:
                    continue
                divided = last and match is not None and match[0] in "\ufffe\x02"
                broken = divided or words.endswith(("-", "\xad", "\u2010"))
                place = _placed(sheet, text, start, stop) if exact else {}
                if words.endswith("\xad"):
                    words = words.rstrip("\xad")
                elif broken:
                    words = words.removesuffix("-").removesuffix("\u2010")
                if words:
                    yield Line(words, number + 1, broken, row=row if exact else -1, **place)
            at = match.end() if match else end
    finally:
        sheet.close()
        page.close()


def _parts(sheet: Any, text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The line's words, in parts that a gap wider than between words sets off."""
    from pypdfium2 import raw

    words = [match.span() for match in re.finditer(r"\S+", text[start:end])]
    if not words:
        return
    first = words[0][0]
    for before, word in pairwise(words):
        left, right = sheet.get_charbox(start + word[0])[0], sheet.get_charbox(start + before[1] - 1)[2]
        size = _size(raw, sheet, start + word[0])
        if left - right > _WIDE * max(size, 4) or right - left > 4 * max(size, 4):
            yield start + first, start + before[1]
            first = word[0]
    yield start + first, start + words[-1][1]


def _marked_references(sheet: Any, text: str, start: int, end: int) -> str:
    """The words of a line with raised numbers between marks, without control characters."""
    from pypdfium2 import raw

    out, at = list[str](), start
    for match in _NUMBER.finditer(text, start, end):
        before, first = match.start() - 1, match.start()
        if before < start or text[before].isspace():
            continue
        while first < match.end() and not _is_raised(raw, sheet, before, first):
            before, first = first, first + 1
        if first < match.end():
            out += [text[at:first], "\ufdd0", text[first : match.end()], "\ufdd1"]
            at = match.end()
    out.append(text[at:end])
    if len(out) == 1:
        return _CONTROL.sub("", out[0])
    return "".join(part if part in "\ufdd0\ufdd1" else _CONTROL.sub("", part) for part in out)


def _is_raised(raw: Any, sheet: Any, before: int, at: int) -> bool:
    size = _size(raw, sheet, before)
    if _size(raw, sheet, at) >= 0.85 * size:
        return False
    return _origin(raw, sheet, at)[1] - _origin(raw, sheet, before)[1] > _RAISED * size


def _size(raw: Any, sheet: Any, at: int) -> float:
    """The size of a character's type as it stands on the page, whatever scale it was drawn at."""
    matrix = raw.FS_MATRIX()
    raw.FPDFText_GetMatrix(sheet, at, matrix)
    return float(raw.FPDFText_GetFontSize(sheet, at) * math.hypot(matrix.b, matrix.d))


def _origin(raw: Any, sheet: Any, at: int) -> tuple[float, float]:
    import ctypes

    x, y = ctypes.c_double(), ctypes.c_double()
    raw.FPDFText_GetCharOrigin(sheet, at, x, y)
    return x.value, y.value


def _placed(sheet: Any, text: str, start: int, end: int) -> dict[str, Any]:
    """Where a part of a line stands and its type, as fields of a line."""
    from pypdfium2 import raw

    first = next(at for at in range(start, end) if not text[at].isspace())
    last = next(at for at in range(end - 1, start - 1, -1) if not text[at].isspace())
    left, base = _origin(raw, sheet, first)
    styles = [(round(_size(raw, sheet, at), 1), _font(sheet, at)) for at in (first, last)]
    largest = max(styles)
    return {
        "left": left,
        "right": sheet.get_charbox(last)[2],
        "base": base if largest == styles[0] else _origin(raw, sheet, last)[1],
        "style": styles[0] if styles[0] == styles[1] else None,
        "size": largest[0],
    }


def _font(sheet: Any, at: int) -> str:
    import ctypes

    from pypdfium2 import raw

    name = ctypes.create_string_buffer(96)
    raw.FPDFText_GetFontInfo(sheet, at, name, 96, ctypes.c_int())
    return name.value.decode("utf-8", "replace")


def _paragraphs(pages: Sequence[Sequence[Line]]) -> Iterator[list[Line] | Table]:
    """All pages as paragraphs, each its lines, and tables; a note follows the paragraph it interrupts."""
    sizes: Counter[float] = Counter()
    for page in pages:
        for line in page:
            sizes[line.size] += len(line.text)
    body = sizes.most_common(1)[0][0] if sizes else 0.0
    rows: list[Line | Table] = []
    notes: list[tuple[int, list[Line]]] = []  # with how many rows stand before
    for page in pages:
        ordered, found = without_notes(in_reading_order(page), body)
        marks = {note_mark(note[0]) for _, note in found}
        before = 0
        for end in sorted({at for at, _ in found} | {len(ordered)}):
            rows += with_tables([_referred(line, marks) for line in ordered[before:end]])
            notes += [
                (len(rows), [_referred(line, marks) for line in note]) for at, note in found if at == end
            ]
            before = end
    waiting = iter([*notes, (len(rows) + 1, list[Line]())])
    due = next(waiting)
    for at, paragraph in _divided(rows):
        yield paragraph
        while due[0] <= at:
            yield from (part for _, part in _divided(list(joined(due[1]))))
            due = next(waiting)


def _referred(line: Line, marks: set[str | None]) -> Line:
    """The line without the raised numbers of notes on its page; other raised numbers belong to its words."""
    if "\ufdd0" not in line.text:
        return line
    text = _REFERENCE.sub(lambda match: "" if match[1] in marks else match[1], line.text)
    return replace(line, text=text)


def _divided(rows: Sequence[Line | Table]) -> Iterator[tuple[int, list[Line] | Table]]:
    """The rows as paragraphs and tables, each with how many rows it and those before it take."""
    lines = [row for row in rows if isinstance(row, Line)]
    gaps = [a.base - b.base for a, b in pairwise(lines) if a.page == b.page]
    gaps = sorted(gap for gap in gaps if _MIN_LEADING < gap < _MAX_LEADING)
    # Not the median: where headings and short paragraphs alternate, most distances are gaps.
    leading = gaps[len(gaps) // 4] if gaps else 0.0
    paragraph: list[Line] = []
    for at, row in enumerate(rows):
        if paragraph and (isinstance(row, Table) or _begins(paragraph[-1], row, leading)):
            yield at, paragraph
            paragraph = []
        if isinstance(row, Table):
            yield at + 1, row
        else:
            paragraph.append(row)
    if paragraph:
        yield len(rows), paragraph


def _begins(before: Line, line: Line, leading: float) -> bool:
    """Whether a line begins a paragraph after the line before it."""
    if before.broken and line.text[0].islower():
        return False
    if (is_list_item(line.text) and not line.text[0].islower()) or is_date_line(before.text):
        return True
    if before.style and line.style and before.style != line.style:
        return True
    full = before.right >= before.full - 0.15 * (before.full - before.left)
    if before.page != line.page or line.base >= before.base:  # a new page, or the next column
        return not (ends_open(before.text) and (line.text[0].islower() or full))
    if leading and before.base - line.base > 1.25 * max(leading, line.size):
        return True
    indented = line.left > before.left + 8 and is_complete(before.text)
    return indented or (is_complete(before.text) and not full and not line.text[0].islower())


def _flow(paragraphs: Sequence[list[Line] | Table]) -> tuple[str, tuple[Place, ...], list[Block]]:
    """The text, where its pages begin, and the rows of its tables."""
    vocabulary = Vocabulary(line.text for part in paragraphs if not isinstance(part, Table) for line in part)
    flow = _Flow(vocabulary)
    for part in paragraphs:
        if isinstance(part, Table):
            for number, row in enumerate(part.rows):
                kind = BlockKind.TABLE_HEADER if part.header and number == 0 else BlockKind.TABLE_ROW
                flow.add("\n" if number else "\n\n")
                start = flow.at
                for place, cell in enumerate(row.cells):
                    flow.add(" | " if place else "")
                    flow.add_lines(cell)
                flow.rows.append(Block(kind, start, flow.at))
        else:
            flow.add("\n\n")
            flow.add_lines(part)
    return "".join(flow.parts), tuple(flow.places), flow.rows


class _Flow:
    """A text as it grows, with the places of its pages and the rows of its tables."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.parts: list[str] = []
        self.places: list[Place] = []
        self.rows: list[Block] = []
        self.at = 0
        self._page = 0
        self._vocabulary = vocabulary

    def add(self, words: str) -> None:
        """Let words, or a gap, stand next; no gap opens a text."""
        if self.at or words.strip():
            self.parts.append(words)
            self.at += len(words)

    def add_lines(self, lines: Sequence[Line]) -> None:
        """Let lines stand next as one, the halves of divided words joined."""
        before: Line | None = None
        for line in lines:
            if before is not None:
                self.add(self._vocabulary.joint(before.text, line.text) if before.broken else " ")
            if line.page != self._page:
                self.places.append(Place(self.at, page=line.page))
                self._page = line.page
            self.add(line.text)
            before = line
        if before is not None and before.broken:
            self.add("-")
