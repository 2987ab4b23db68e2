"""Workbooks: sheets as pages, rows at their numbers, cells as they are shown."""

from __future__ import annotations

import datetime
import io
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from made_files import xlsx

from rag.citations import locate
from rag.errors import LoadError
from rag.loaders import load
from rag.loaders.archive import opened
from rag.loaders.draft import UnreadableError
from rag.passages import split
from rag.passages.header import passage_header
from rag.records import Document
from rag.settings import PassageSettings


def book(rows: list[list[Any]], **properties: object) -> bytes:
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    for name, value in properties.items():
        setattr(made.properties, name, value)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def loaded(tmp_path: Path, data: bytes) -> Document:
    path = tmp_path / "book.xlsx"
    path.write_bytes(data)
    return load(path)


def with_part(data: bytes, name: str, content: bytes) -> bytes:
    """The archive with one part put in the place of another."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for part in source.infolist():
            made.writestr(part.filename, content if part.filename == name else source.read(part))
    return out.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
OPEN = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'


def test_sheet_and_row_say_where_a_cell_stands(tmp_path: Path) -> None:
    document = loaded(tmp_path, xlsx(3))
    places = {document.text[b.start : b.end]: locate(document, b.start) for b in document.blocks}
    assert places["2001 | Council 1 | 1 | as in 1, or so"] == (1, 3)
    assert places["Rent | £1,234.50"] == (2, 2)


def test_a_passage_is_found_with_its_sheet_and_header_row(tmp_path: Path) -> None:
    document = loaded(tmp_path, xlsx(300))
    assert [b.kind.value for b in document.blocks].count("table header") == 2
    passage = split(document, PassageSettings())[5]
    assert passage.heading == "Vacancies"
    assert "Vacancies | Year | Council | Vacant posts | Remark" in passage_header(document, passage)


def test_cells_are_shown_as_their_format_says(tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    shown = {
        "0%": (0.25, "25%"),
        "#,##0": (-12345.6, "-12,346"),
        '"about "0.0': (3.25, "3.2"),
        "General": (1 / 3, "0.333333333333333"),
        "0.00E+00": (123456, "123456"),
        "[$€-407]#,##0.00": (5, "€5.00"),
    }
    made.active.append(["Format", "Value"])
    for form, (value, _) in shown.items():
        made.active.append([form, value])
        made.active.cell(made.active.max_row, 2).number_format = form
    out = io.BytesIO()
    made.save(out)
    rows = loaded(tmp_path, out.getvalue()).text.split("\n\n", 1)[1].splitlines()[1:]
    assert rows == [f"{form} | {text}" for form, (_, text) in shown.items()]


def test_dates_truths_and_empty_cells_are_read(tmp_path: Path) -> None:
    moment = datetime.datetime(2017, 3, 22, 10, 30)
    rows: list[list[Any]] = [
        ["When", "Held", "Who", ""],
        [moment.replace(hour=0, minute=0), True, None, "Lee"],
        [moment, False, ""],
    ]
    text = loaded(tmp_path, book(rows)).text
    assert text.splitlines()[-2:] == ["2017-03-22 | TRUE |  | Lee", "2017-03-22 10:30 | FALSE"]


def test_title_and_date_are_those_of_its_properties(tmp_path: Path) -> None:
    made = book([["a", "b"], [1, 2]], title="Vacant posts", created=datetime.datetime(2016, 4, 26))
    document = loaded(tmp_path, made)
    assert (document.title, document.date) == ("Vacant posts", "2016-04-26")
    assert "the date is that of the file's creation" in document.notes


@pytest.mark.parametrize(
    "data", [b"PK\x03\x04" + b"\0" * 500, b"Year,Who\n", b"\xd0\xcf\x11\xe0" + b"\0" * 600]
)
def test_what_is_no_workbook_is_refused(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(LoadError) as caught:
        loaded(tmp_path, data)
    assert "its reader failed" not in caught.value.reason


def test_a_workbook_without_words_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="no text in it"):
        loaded(tmp_path, book([]))


@pytest.mark.parametrize(
    "sheet",
    [
        b"<!DOCTYPE d [<!ENTITY a 'x'><!ENTITY b '&a;&a;'>]>"
        + OPEN
        + b"<sheetData>&b;</sheetData></worksheet>",
        OPEN + b"<sheetData>" + b"<row>" * 10_000 + b"</row>" * 10_000 + b"</sheetData></worksheet>",
        OPEN + b"<sheetData><row r='999999999'><c r='A999999999'><v>1</v></c></row></sheetData></worksheet>",
        OPEN + b"<sheetData><row r='x'><c r='??'><v>1</v></c></row></sheetData></worksheet>",
        OPEN + b"<sheetData><row r='1'><c r='A1' t='s'><v>77</v></c></row></sheetData></worksheet>",
        b"no XML at all",
    ],
)
def test_a_hostile_sheet_is_read_or_refused_in_a_moment(sheet: bytes, tmp_path: Path) -> None:
    data = with_part(book([["a", "b"], [1, 2]]), SHEET, sheet)
    with pytest.raises(LoadError) as caught:
        loaded(tmp_path, data)
    assert "its reader failed" not in caught.value.reason


def bomb(size: int, parts: int = 1) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for part in range(parts):
            made.writestr(f"xl/part{part}.xml", b"a" * size)
    return out.getvalue()


def test_an_archive_that_unpacks_to_too_much_is_refused_before_it_is_unpacked() -> None:
    with pytest.raises(UnreadableError, match="hundreds of times its size"):
        opened(bomb(40_000_000), "a workbook", "XLSX")
    with pytest.raises(UnreadableError, match="more than a gigabyte"):
        opened(bomb(20_000_000, 60), "a workbook", "XLSX")
    opened(bomb(20_000_000), "a workbook", "XLSX").close()
