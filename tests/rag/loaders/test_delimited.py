"""Tables as text: rows led by their header, at their lines."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_files import csv_file

from rag.citations import locate
from rag.errors import LoadError
from rag.loaders import load
from rag.loaders.delimited import delimiter_of, load_csv
from rag.passages import split
from rag.passages.header import passage_header
from rag.records import BlockKind, Document
from rag.settings import PassageSettings


def loaded(tmp_path: Path, data: str | bytes, name: str = "table.csv") -> Document:
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return load(path)


def test_a_row_is_led_by_the_header_row_and_found_with_it(tmp_path: Path) -> None:
    document = loaded(tmp_path, csv_file(500))
    assert document.blocks[0].kind is BlockKind.TABLE_HEADER
    header = (0, len("Year | Council | Vacant posts | Remark"))
    assert {block.lead for block in document.blocks[1:]} == {header}
    last = split(document, PassageSettings())[-1]
    assert passage_header(document, last) == "Year | Council | Vacant posts | Remark"


def test_a_place_is_the_line_a_row_begins_on(tmp_path: Path) -> None:
    document = loaded(tmp_path, 'Year,Remark\n2012,"first\nand second"\n\n2013,last\n')
    assert document.text == "Year | Remark\n2012 | first and second\n2013 | last"
    lines = [locate(document, block.start)[1] for block in document.blocks]
    assert lines == [1, 2, 5]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_gives_even_rows(delimiter: str, tmp_path: Path) -> None:
    out = io.StringIO(newline="")
    rows = csv.writer(out, delimiter=delimiter)
    rows.writerows(
        [["Year", "Town, county", "Cost"], ["2012", "Leeds, Yorks", "1,50"], ["2013", "a; b", "2"]]
    )
    document = loaded(tmp_path, out.getvalue(), "table.tsv")
    assert document.text.splitlines()[1] == "2012 | Leeds, Yorks | 1,50"


def test_figures_head_no_column_but_years_do() -> None:
    kinds = [block.kind.value for block in load_csv(b"1,2\n3,4\n").blocks]
    assert kinds == ["table row", "table row"]
    kinds = [block.kind.value for block in load_csv(b"Town,2015,2016\nLeeds,3,4\n").blocks]
    assert kinds == ["table header", "table row"]


def test_lines_over_the_table_are_no_rows() -> None:
    draft = load_csv(b"Vacant posts,,\n,,\nYear,Who,Number\n2012,Lee,4\n")
    assert [block.kind.value for block in draft.blocks] == ["paragraph", "table header", "table row"]


def test_a_table_has_neither_title_nor_date_of_its_rows(tmp_path: Path) -> None:
    document = loaded(tmp_path, "Day,Who\n3 October 2014,Lee\n4 October 2014,May\n")
    assert (document.title, document.date) == (None, None)


def test_another_encoding_is_guessed_and_said(tmp_path: Path) -> None:
    document = loaded(
        tmp_path, ("Town;Mayor\n" + "Besançon;François Doncaster, maire\n" * 20).encode("cp1252")
    )
    assert "Besançon | François Doncaster, maire" in document.text
    assert "a guess" in document.notes[0]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_no_part_of_the_first_name(encoding: str, tmp_path: Path) -> None:
    assert loaded(tmp_path, "Year,Who\n2012,Lee\n".encode(encoding)).text == "Year | Who\n2012 | Lee"


def test_a_quotation_mark_left_open_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="the row that begins on line 3 cannot be read") as caught:
        loaded(tmp_path, 'Year,Who\n2012,Lee\n2013,"May\n' + "2014,Day\n" * 20_000)
    assert "quotation mark" in caught.value.hint


def test_a_header_of_a_thousand_columns_is_not_repeated_with_every_row() -> None:
    head = ",".join(f"column {n}" for n in range(1_000))
    draft = load_csv((head + "\n" + ",".join("1" * 1_000) + "\n").encode())
    assert draft.blocks[1].lead is None


@pytest.mark.parametrize("data", [b"\0" * 500, b",,,\n,,\n", b"\xff\xfe\0"])
def test_what_holds_no_cell_is_refused(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(LoadError):
        loaded(tmp_path, data)


@given(
    st.lists(st.lists(st.text("ab1 \"',;\n|é", max_size=6), min_size=2, max_size=2), min_size=1, max_size=5)
)
def test_every_cell_comes_back_in_its_row(rows: list[list[str]]) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([["Name", "Other"], *rows])
    text = load_csv(out.getvalue().encode()).text
    assert all(" ".join(cell.split()) in text for row in rows for cell in row)


@pytest.mark.parametrize("text", ["", "a", '"', "a,b", ",", "\r\r\n", "'a','b'\n", "a,b\n" * 3 + '"'])
def test_a_delimiter_is_found_for_any_text(text: str) -> None:
    assert delimiter_of(text) in {",", ";", "\t", "|"}
