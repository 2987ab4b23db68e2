"""Tables as text (.csv, .tsv): a row is a block, led by the header row; its place is its line in the file.

The standard library's `csv` takes rows apart. Its Sniffer is not used: it guesses by letters, and takes a
comma in prose or an apostrophe for the file's marks; here that delimiter is taken which gives most rows the
same number of cells.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from rag.loaders.draft import Draft, Known, Piece, UnreadableError, as_marked, laid_out
from rag.loaders.plain import decode
from rag.records import BlockKind

_DELIMITERS = ("\t", ";", "|", ",")  # of two that divide equally well the first: words hold commas
_SAMPLE_ROWS = 200
_SAMPLE = 200_000  # characters
_LONG_NAME = 6  # words; what is longer names no column
_YEAR = re.compile(r"(?:1[89]|20)\d\d")  # the one figure that may name a column
_FIGURE = re.compile(r"[-+(]?[£$€]?\s?[-+]?[\d.,:/-]*\d[\d.,:/%)-]*")


def load_csv(data: bytes) -> Draft:
    """A table in a text file as a draft, its cells parted by bars.

    >>> draft = load_csv(b"Year,Council\\n2012,Doncaster\\n")
    >>> draft.text, [block.kind.value for block in draft.blocks]
    ('Year | Council\\n2012 | Doncaster', ['table header', 'table row'])
    """
    text, encoding, notes = decode(data)
    text = text.replace("\0", "")
    pieces = list(table_pieces(_rows(text, delimiter_of(text))))
    if not pieces:
        raise UnreadableError("no text in it")
    laid, blocks, places = laid_out(pieces)
    return as_marked(laid, "text/csv", blocks, Known(encoding=encoding, places=places, notes=notes))


def delimiter_of(text: str) -> str:
    """The mark that divides the cells of a table.

    >>> delimiter_of("a;b, c\\n1;2\\n"), delimiter_of("one column"), delimiter_of("a\\tb, c\\n1\\t2, 3")
    (';', ',', '\\t')
    """
    measured = [
        (measure, delimiter)
        for strict in (True, False)
        for delimiter in _DELIMITERS
        if (measure := _evenness(text[:_SAMPLE], delimiter, strict=strict)) is not None
    ]
    # Of equals the first: a reading that breaks no rule of quotation, and by a mark that words rarely hold.
    return max(measured, key=lambda pair: pair[0], default=(None, ","))[1]


def _evenness(text: str, delimiter: str, *, strict: bool) -> tuple[bool, float, int] | None:
    """Whether a reading breaks no rule, the share of rows of the commonest width, and that width."""
    try:
        rows = [row for row in islice(_reader(text, delimiter, strict=strict), _SAMPLE_ROWS) if row]
    except csv.Error:
        return None
    widths = Counter(map(len, rows))
    width, n_rows = max(widths.items(), key=lambda pair: (pair[1], pair[0]), default=(0, 0))
    return (strict, n_rows / len(rows), width) if width > 1 else None


def _reader(text: str, delimiter: str, *, strict: bool = False) -> Any:
    lines = io.StringIO(text, newline="")
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=strict)


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Each row that has words, with the line it begins on."""
    reader = _reader(text, delimiter)
    line = 1
    try:
        for row in reader:
            cells = [" ".join(cell.split()) for cell in row]
            if any(cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableError(
            f"the row that begins on line {line} cannot be read ({error})",
            "look for a quotation mark left open",
        ) from error


def table_pieces(rows: Iterator[tuple[int, list[str]]], page: int | None = None) -> Iterator[Piece]:
    """The rows of a table as blocks; a line over the table with one cell alone is a paragraph.

    >>> rows = iter([(1, ["Posts", ""]), (3, ["Year", "Vacant"]), (4, ["2016", "24"])])
    >>> [(piece.kind.value, piece.words) for piece in table_pieces(rows)]
    [('paragraph', 'Posts'), ('table header', 'Year | Vacant'), ('table row', '2016 | 24')]
    """
    yield from _opening(list(islice(rows, _SAMPLE_ROWS)), page)
    for line, cells in rows:
        yield Piece(BlockKind.TABLE_ROW, " | ".join(cells), line=line, page=page)


def _opening(rows: Sequence[tuple[int, list[str]]], page: int | None) -> Iterator[Piece]:
    """The first rows: what stands over the table, its header if it has one, and rows."""
    wide = max((_n_filled(cells) for _, cells in rows), default=0) > 1
    begun, fresh = not wide, True
    for row, (line, cells) in enumerate(rows):
        if not begun and _n_filled(cells) < 2:
            yield Piece(BlockKind.PARAGRAPH, " ".join(filter(None, cells)), line=line, page=page)
            continue
        heads = fresh and is_header(cells, [cells for _, cells in rows[row + 1 :]])
        kind = BlockKind.TABLE_HEADER if heads else BlockKind.TABLE_ROW
        yield Piece(kind, " | ".join(cells), fresh=fresh, line=line, page=page)
        begun, fresh = True, False


def _n_filled(cells: Sequence[str]) -> int:
    return sum(map(bool, cells))


def is_header(cells: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Whether a row names the columns of the rows below: all different, no figures but years over no years.

    >>> is_header(["Year", "Who"], [["2012", "Lee"]]), is_header(["2012", "Lee"], [["2013", "May"]])
    (True, False)
    """
    names = [cell for cell in cells if cell]
    if not below or len(set(names)) < len(names) or (len(names) == 1 and len(names[0].split()) > _LONG_NAME):
        return False
    under = [*below[0], *[""] * len(cells)]
    return bool(names) and all(
        not _FIGURE.fullmatch(name) or (_YEAR.fullmatch(name) and not _YEAR.fullmatch(under[column]))
        for column, name in enumerate(cells)
    )
