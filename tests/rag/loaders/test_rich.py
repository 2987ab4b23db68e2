"""Rich text: what a word processor shows is read, what it hides is not."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_files import rtf

from rag.citations import locate
from rag.errors import LoadError
from rag.loaders import load
from rag.loaders.draft import UnreadableError
from rag.loaders.rich import load_rtf
from rag.records import Document


def loaded(tmp_path: Path, data: bytes) -> Document:
    path = tmp_path / "text.rtf"
    path.write_bytes(data)
    return load(path)


def text_of(body: str) -> str:
    return load_rtf(b"{\\rtf1\\ansi\\ansicpg1252 " + body.encode("ascii") + b"}").text


def test_the_blocks_are_those_the_format_marks(tmp_path: Path) -> None:
    document = loaded(tmp_path, rtf(1))
    assert [(b.kind.value, document.text[b.start : b.end]) for b in document.blocks] == [
        ("heading", "Item 0"),
        (
            "paragraph",
            "The council decided on item 0 that the trust would open in June, and that the rest could wait.",
        ),
        ("paragraph", "Minute 0."),
        ("list item", "- Open the trust"),
        ("list item", "- Close it again"),
        ("table header", "Year | Vacant"),
        ("table row", "2016 | 0"),
    ]
    assert (document.title, document.date) == ("The trust", "2017-03-22")
    assert locate(document, document.blocks[-1].start) == (None, 7)


def test_headers_and_what_was_deleted_or_hidden_are_not_read() -> None:
    text = text_of(
        r"{\header Draft\par}It {\deleted never }{\v secretly }opened{\*\annotation Really?} in June.\par"
    )
    assert text == "It opened in June."


def took(work: Callable[[], object]) -> float:
    """Seconds of this process's own time that some work takes."""
    began = time.process_time()
    work()
    return time.process_time() - began


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (r"caf\'e9 \'935\'94", "café “5”"),
        (r"\u8364?5 \uc0\u163 6 \uc2\u233\'e9?!", "€5 £6 é!"),
        (r"\u-10179?\u-8704?", "😀"),
        (r"{\fonttbl{\f1\fcharset204 Arial;}}\f1 \'cc\'ee\'f1\'f2", "Мост"),
        (r"{\fonttbl{\f1\fcharset128 Gothic;}}\f1 \'93\'fa\'96\'7b", "日本"),
        (r"a\~b\_c\emdash d\{e\}\\", "a b‑c—d{e}\\"),
        (r"{\field{\*\fldinst HYPERLINK 'x'}{\fldrslt here}}", "here"),
        ("one\ntwo\r\nthree", "onetwothree"),
        (r"\bin3 {}}words", "words"),
    ],
)
def test_characters_are_decoded_as_the_file_says(body: str, text: str) -> None:
    assert text_of(body) == text


def test_a_bold_line_over_a_paragraph_is_a_heading_and_bold_words_are_not() -> None:
    data = rb"{\rtf1\ansi \b Next steps\b0\par We \b will\b0  come.\par}"
    assert [block.kind.value for block in load_rtf(data).blocks] == ["title", "paragraph"]


def test_a_truncated_file_says_so(tmp_path: Path) -> None:
    whole = rtf(3)
    assert loaded(tmp_path, whole).notes == ("the date is that of the file's creation",)
    assert "the end of the file is missing" in loaded(tmp_path, whole[: len(whole) // 2 + 400]).notes


@pytest.mark.parametrize(
    "data", [b"words of no rich text", b"{\\rtf1}", b"{\\rtf1{\\*\\x words}}", b"{\\rtf1\\"]
)
def test_what_holds_no_words_is_refused(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(LoadError) as caught:
        loaded(tmp_path, data)
    assert "its reader failed" not in caught.value.reason


def test_groups_within_groups_are_read_or_refused() -> None:
    assert text_of("{" * 5_000 + "words" + "}" * 5_000) == "words"
    with pytest.raises(UnreadableError, match="nested too deeply"):
        text_of("{" * 50_000 + "words")


@settings(deadline=None)
@given(st.text(r"\{}'*u-1529 abpardcellrowtx;" + "\n", max_size=60))
def test_any_control_words_are_read_or_refused(body: str) -> None:
    try:
        draft = load_rtf(b"{\\rtf1 " + body.encode("ascii"))
    except UnreadableError:
        return
    assert draft.blocks


@pytest.mark.parametrize(
    "piece",
    [
        "\\par",
        "\\cell",
        "{}",
        "\\'e9",
        "\\u233?",
        "{\\footnote a}",
        '\\field{\\*\\fldinst HYPERLINK "a"}',
        "a\n",
    ],
)
def test_one_thing_without_end_takes_linear_time(piece: str) -> None:
    seconds = []
    for n in (10_000, 40_000):
        data = b"{\\rtf1 words " + piece.encode() * n
        seconds.append(min(took(partial(load_rtf, data)) for _ in range(3)))
    assert seconds[1] < 0.2 or seconds[1] < 2.6**2 * seconds[0], seconds
