"""Workbooks (.xlsx): every sheet under its name, a row a block, led by the header row.

A sheet's number stands as the page and the row's number as the line. A cell reads as its number format shows
it, as far as that is a matter of percent, thousands, decimals or a currency; a date reads as ISO 8601.
"""

from __future__ import annotations

import datetime
import io
import re
import warnings
from collections.abc import Iterator
from typing import Any

from rag.loaders.archive import opened
from rag.loaders.delimited import table_pieces
from rag.loaders.draft import Draft, Known, Piece, UnreadableError, as_marked, laid_out
from rag.records import BlockKind

_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_MAX_ROWS = 1_048_576  # of a sheet, as the format has it
_MAX_CELLS = 50_000_000  # of a sheet, empty ones before a row's last word among them
_DECIMALS = re.compile(r"\.(0+)")
_CURRENCY = re.compile(r"\[\$(?P<named>[£$€¥])|(?<!\[)(?P<bare>[£$€¥])")
_NO_SHAPE = re.compile(r"\"[^\"]*\"|\\.|_.|\*.|\[[^\]]*\]")  # words, fillers and colours of a number format


def load_xlsx(data: bytes) -> Draft:
    """A workbook as a draft; what a formula gave when it was saved is its cell's text."""
    opened(data, "a workbook", "XLSX").close()
    import openpyxl

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the library leaves out of a workbook is no text
        try:
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
            pieces = list(_pieces(book))
            title, created = (book.properties.title or "").strip(), book.properties.created
        except UnreadableError:
            raise
        except Exception as error:  # zipfile, lxml and openpyxl each have their own
            raise UnreadableError(f"not a workbook, or a damaged one ({type(error).__name__})") from error
    if not pieces:
        raise UnreadableError("no text in it")
    text, blocks, places = laid_out(pieces)
    day = created.date().isoformat() if created is not None else None
    return as_marked(text, _TYPE, blocks, Known(title or None, created=day, places=places))


def _pieces(book: Any) -> Iterator[Piece]:
    for number, sheet in enumerate(book.worksheets, 1):
        sheet.reset_dimensions()  # what a sheet says of its size is whatever its writer liked
        for row, piece in enumerate(table_pieces(_rows(sheet), number)):
            if row == 0:
                yield Piece(BlockKind.HEADING, sheet.title, 1, page=number)
            yield piece


def _rows(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    """The rows with words, each with its number."""
    left = _MAX_CELLS
    for number, row in enumerate(sheet.iter_rows(), 1):
        left -= len(row)
        if number > _MAX_ROWS or left < 0:
            raise UnreadableError("a sheet of it is larger than any can be")
        cells = [cell_text(cell.value, cell.number_format) if cell.value is not None else "" for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield number, cells


def cell_text(value: Any, number_format: str = "General") -> str:
    """A cell's value as it is shown.

    >>> cell_text(0.125, "0.0%"), cell_text(1234.5, "[$£-809]#,##0.00"), cell_text(24.0), cell_text(0.1 + 0.2)
    ('12.5%', '£1,234.50', '24', '0.3')
    >>> cell_text(datetime.datetime(2017, 3, 22)), cell_text(True), cell_text(" two\\n words ")
    ('2017-03-22', 'TRUE', 'two words')
    """
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time()
        return value.date().isoformat() if midnight else value.isoformat(" ", "minutes")
    if isinstance(value, (int, float)):
        return _number(value, number_format.split(";")[0])
    return " ".join(str(value).split())


def _number(value: float, shown_as: str) -> str:
    sign = _CURRENCY.search(shown_as)
    shape = _NO_SHAPE.sub("", shown_as)
    if not re.search("[0#]", shape) or "E" in shape or "/" in shape:
        return f"{value:.15g}"
    decimals = _DECIMALS.search(shape)
    n = len(decimals[1]) if decimals else 0
    if "%" in shape:
        return f"{value * 100:.{n}f}%"
    words = f"{abs(value):{',' if ',' in shape else ''}.{n}f}"
    return f"{'-' if value < 0 else ''}{(sign['named'] or sign['bare']) if sign else ''}{words}"
