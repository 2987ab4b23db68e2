"""Presentations: slides as pages, their titles, items, tables and notes."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from made_files import pptx
from pptx import Presentation
from pptx.util import Cm

from rag.citations import locate
from rag.errors import LoadError
from rag.loaders import load
from rag.passages import split
from rag.records import BlockKind, Document
from rag.settings import PassageSettings


def loaded(tmp_path: Path, data: bytes) -> Document:
    path = tmp_path / "deck.pptx"
    path.write_bytes(data)
    return load(path)


def test_a_slide_is_a_page_under_its_title(tmp_path: Path) -> None:
    document = loaded(tmp_path, pptx(3))
    passages = split(document, PassageSettings())
    urgent = next(p for p in passages if "item 2 is urgent" in p.text)
    assert (urgent.heading, locate(document, urgent.start)[0]) == ("Item 2 of the agenda", 3)
    assert document.title == "Item 0 of the agenda"


def test_a_deeper_item_is_led_by_the_one_above_it(tmp_path: Path) -> None:
    document = loaded(tmp_path, pptx(1))
    items = [block for block in document.blocks if block.kind is BlockKind.LIST_ITEM]
    assert [block.level for block in items] == [1, 2]
    assert items[1].lead == (items[0].start, items[0].end)


def test_a_table_has_its_header_row(tmp_path: Path) -> None:
    document = loaded(tmp_path, pptx(2))
    header = next(block for block in document.blocks if block.kind is BlockKind.TABLE_HEADER)
    assert document.text[header.start : header.end] == "Year | Vacant"


def test_shapes_within_groups_are_read(tmp_path: Path) -> None:
    deck = Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    group = slide.shapes.add_group_shape().shapes.add_group_shape()
    group.shapes.add_textbox(Cm(1), Cm(1), Cm(5), Cm(2)).text_frame.text = "The trust opened in June."
    out = io.BytesIO()
    deck.save(out)
    assert loaded(tmp_path, out.getvalue()).text == "The trust opened in June."


@pytest.mark.parametrize("data", [b"PK\x03\x04" + b"\0" * 500, b"words", b"\xd0\xcf\x11\xe0" + b"\0" * 600])
def test_what_is_no_presentation_is_refused(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(LoadError) as caught:
        loaded(tmp_path, data)
    assert "its reader failed" not in caught.value.reason


def test_a_presentation_without_words_is_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    Presentation().save(out)
    with pytest.raises(LoadError, match="no text in it"):
        loaded(tmp_path, out.getvalue())
