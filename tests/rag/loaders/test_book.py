"""Books: chapters in the order they are read, title and date from the book's description."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_files import epub, epub_of, xhtml

from rag.errors import LoadError
from rag.loaders import load
from rag.passages import split
from rag.records import Document
from rag.settings import PassageSettings


def loaded(tmp_path: Path, data: bytes) -> Document:
    path = tmp_path / "book.epub"
    path.write_bytes(data)
    return load(path)


def test_chapters_are_read_in_the_order_of_the_spine(tmp_path: Path) -> None:
    pages = {name: xhtml(f"<h1>{name}</h1><p>It stands in {name}.</p>") for name in ("b.xhtml", "a.xhtml")}
    document = loaded(tmp_path, epub_of(pages, ["a.xhtml", "b.xhtml", "a.xhtml", "nowhere"]))
    assert document.text == "a.xhtml\n\nIt stands in a.xhtml.\n\nb.xhtml\n\nIt stands in b.xhtml."


def test_title_and_date_are_those_of_its_description(tmp_path: Path) -> None:
    document = loaded(tmp_path, epub(1))
    assert (document.title, document.date) == ("The trust", "2017-03-22")


def test_a_passage_stands_under_the_heading_of_its_chapter(tmp_path: Path) -> None:
    document = loaded(tmp_path, epub(3))
    assert {p.heading for p in split(document, PassageSettings())} == {"Item 0", "Item 1", "Item 2"}


def test_every_block_of_a_page_keeps_its_kind(tmp_path: Path) -> None:
    body = (
        "<h2>Next</h2><p>We <i>will</i>:</p><ol><li>come<ul><li>by train</li></ul></li><li><p>see</p>"
        "<p>it all</p></li></ol><blockquote><p>Who?</p></blockquote><pre>a\n  b</pre>"
        "<dl><dt>Trust</dt><dd>A body</dd></dl><table><caption>Posts</caption><tr><th>Year</th><th>Who</th>"
        "</tr><tr><td>2012</td><td>Lee</td></tr></table><figure><figcaption>The bridge</figcaption></figure>"
        "<script>x()</script><div>One<br/><br/>Two</div>"
    )
    document = loaded(tmp_path, epub_of({"a.xhtml": xhtml(body)}, ["a.xhtml"], "<dc:title>A book</dc:title>"))
    assert [(b.kind.value, document.text[b.start : b.end], b.level) for b in document.blocks] == [
        ("heading", "Next", 2),
        ("paragraph", "We will:", 0),
        ("list item", "- come", 1),
        ("list item", "- by train", 2),
        ("list item", "- see", 1),
        ("paragraph", "it all", 0),
        ("quotation", "Who?", 0),
        ("code", "a\n  b", 0),
        ("term", "Trust", 0),
        ("definition", "A body", 0),
        ("caption", "Posts", 0),
        ("table header", "Year | Who", 0),
        ("table row", "2012 | Lee", 0),
        ("caption", "The bridge", 0),
        ("paragraph", "One", 0),
        ("paragraph", "Two", 0),
    ]


def test_a_chapter_that_cannot_be_read_is_counted_and_the_others_are_read(tmp_path: Path) -> None:
    pages = {"a.xhtml": xhtml("<p>The trust opened.</p>"), "b.xhtml": "a\0b" * 100}
    document = loaded(tmp_path, epub_of(pages, list(pages)))
    assert document.text == "The trust opened."
    assert document.notes == ("1 of its chapters cannot be read",)


@pytest.mark.parametrize(
    "data",
    [
        b"PK\x03\x04" + b"\0" * 500,
        b"words",
        epub_of({}, []),
        epub_of({"../../etc/passwd": xhtml("")}, ["../../etc/passwd"]),
    ],
)
def test_what_is_no_book_is_refused(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(LoadError) as caught:
        loaded(tmp_path, data)
    assert "its reader failed" not in caught.value.reason


@pytest.mark.parametrize("tag", ["div", "blockquote", "ul><li", "table><tr><td", "b"])
def test_elements_within_elements_are_read_or_refused(tag: str, tmp_path: Path) -> None:
    for depth in (200, 20_000):
        words = (
            f"<{tag}>" * depth
            + "The trust opened."
            + "".join(f"</{part}>" for part in tag.split("><")[::-1]) * depth
        )
        data = epub_of(
            {"a.xhtml": xhtml(words), "b.xhtml": xhtml("<p>It closed.</p>")}, ["a.xhtml", "b.xhtml"]
        )
        assert loaded(tmp_path, data).text.endswith("It closed.")
