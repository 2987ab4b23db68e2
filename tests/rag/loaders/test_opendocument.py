"""OpenDocument texts: headings, lists, tables and footnotes; what was deleted is not read."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from made_files import odt

from rag.citations import locate
from rag.errors import LoadError
from rag.loaders import load
from rag.records import Document

NAMES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "text", "table")
)


def of(body: str, head: str = "") -> bytes:
    """An archive with this body, for what no library writes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        content = f"<office:document-content {NAMES}><office:body><office:text>{body}</office:text>"
        archive.writestr("content.xml", f"{head}{content}</office:body></office:document-content>")
    return out.getvalue()


def loaded(tmp_path: Path, data: bytes) -> Document:
    path = tmp_path / "text.odt"
    path.write_bytes(data)
    return load(path)


def test_the_blocks_are_those_the_format_marks(tmp_path: Path) -> None:
    document = loaded(tmp_path, odt(1))
    assert [(b.kind.value, document.text[b.start : b.end]) for b in document.blocks][3:] == [
        ("paragraph", "1 Minute 0."),
        ("list item", "- Open the trust"),
        ("list item", "- Close it again"),
        ("table header", "Year | Vacant"),
        ("table row", "2016 | 0"),
    ]
    assert document.title == "Decisions of the council"


def test_a_place_is_the_number_of_a_paragraph(tmp_path: Path) -> None:
    document = loaded(tmp_path, odt(1))
    assert [locate(document, block.start)[1] for block in document.blocks] == list(range(1, 9))


def test_what_was_deleted_and_what_was_remarked_is_not_read(tmp_path: Path) -> None:
    data = of(
        "<text:tracked-changes><text:changed-region><text:deletion><text:p>Never.</text:p></text:deletion>"
        "</text:changed-region></text:tracked-changes>"
        "<text:p>The trust <text:change text:change-id='1'/>opened<office:annotation><text:p>Really?</text:p>"
        "</office:annotation> in<text:s text:c='3'/>June.</text:p>"
    )
    assert loaded(tmp_path, data).text == "The trust opened in June."


def test_lists_within_lists_have_their_depth_and_an_item_its_second_paragraph(tmp_path: Path) -> None:
    item = "<text:list-item><text:p>{}</text:p>{}</text:list-item>"
    inner = f"<text:list>{item.format('deeper', '')}</text:list>"
    data = of(f"<text:list>{item.format('first', '<text:p>and more</text:p>' + inner)}</text:list>")
    document = loaded(tmp_path, data)
    assert [(b.kind.value, b.level) for b in document.blocks] == [
        ("list item", 1),
        ("paragraph", 0),
        ("list item", 2),
    ]


def test_numbers_that_a_file_makes_up_cost_nothing(tmp_path: Path) -> None:
    many = "999999999"
    cell = "<table:table-cell><text:p>a</text:p></table:table-cell>"
    row = f"<table:table-row table:number-rows-repeated='{many}'>{cell}</table:table-row>"
    data = of(f"<text:p>a<text:s text:c='{many}'/>b</text:p><table:table>{row}</table:table>")
    assert loaded(tmp_path, data).text == "a b\n\na"


@pytest.mark.parametrize(
    "data",
    [
        b"PK\x03\x04" + b"\0" * 500,
        b"words",
        of("<text:p>"),
        of(""),
        of("<text:section>" * 20_000 + "<text:p>x</text:p>" + "</text:section>" * 20_000),
        of("<text:p>&b;</text:p>", "<!DOCTYPE d [<!ENTITY a 'x'><!ENTITY b '&a;&a;'>]>"),
    ],
)
def test_what_is_no_text_or_would_do_harm_is_refused(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(LoadError) as caught:
        loaded(tmp_path, data)
    assert "its reader failed" not in caught.value.reason
