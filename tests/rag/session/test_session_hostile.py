"""Documents that try to take over the screen do not: nothing of theirs reaches it but as visible text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import support
from driven import Driven, lines_wider_than, open_driven

ESCAPES = "\x1b[2J\x1b[31mred\x1b]0;title\x07\x1b]52;c;c3RvbGVu\x07\x9b5A\rover\x08\x7f"
INVISIBLE = "evil\u202egnp.exe\u202c \u200bzero\u200d\u2060width\ufeff \u2066iso\u2069 \U000e0041tag"
LONG = "river " * 20 + "x" * 10_000 + " bridge " + "word " * 3_000
FILES = {
    "escapes.txt": f"Escapes {ESCAPES}\n\nThe ferryman {ESCAPES} closed the harbour {ESCAPES} in May.",
    "invisible.md": f"# Invisible {INVISIBLE}\n\nThe mayor {INVISIBLE} opened the market {INVISIBLE} in June",
    "long.txt": f"The miller {LONG} ground the corn.",
    "long_title.html": f"<html><head><title>{'Title ' * 2_000}</title></head><body>"
    f"<h2>{'Heading ' * 2_000}</h2><p>The baker baked the bread in the old oven near the church.</p>"
    "</body></html>",
    "na\x1b[31mme.txt": "The sailor left the island in the spring of that year with all his men.",
}
ENTRIES = (
    "who closed the harbour in May?",
    ":next",
    ":more",
    ":more",
    ":page",
    ":why",
    ":copy md",
    ":copy bib",
    ":copy csl",
    "who opened the market in June?",
    ":more",
    ":copy",
    "who said that?",
    "who ground the corn?",
    ":more",
    ":why",
    "who baked the bread in the old oven?",
    ":more",
    "who left the island in the spring?",
    ":open",
    ":more",
    "what is the price of tea in china",
    ":whynot harbour",
    ":sources",
    ":report",
    ":info",
    "who \x1b[31mclosed\x1b[0m the \u202eharbour?",
    ":expect \x1b[2J",
    ":set in \x1b[2J",
    ":save /nowhere/\x1b[2J.md",
    ":\x1b[2J",
)
UNSAFE = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A store over documents that mean ill, and their folder."""
    folder = support.write_corpus(tmp_path_factory.mktemp("hostile") / "docs", FILES)
    store = folder.parent / "store"
    summary = support.run([folder], store)
    assert summary.added == len(FILES)
    return store, folder


def shown(hostile: tuple[Path, Path], *entries: str, **options: object) -> str:
    driven: Driven = open_driven(*hostile, **options)  # type: ignore[arg-type]
    try:
        return driven.type(*entries)
    finally:
        driven.session.close()


@pytest.mark.parametrize("width", [None, 80, 40])
def test_no_control_character_reaches_a_plain_screen(width: int | None, hostile: tuple[Path, Path]) -> None:
    text = shown(hostile, *ENTRIES, width=width)
    assert UNSAFE.findall(text) == []
    assert "␛[2J" in text
    assert "<U+202E>" in text


def test_in_colour_only_our_own_sequences_reach_the_screen(hostile: tuple[Path, Path]) -> None:
    text = shown(hostile, *ENTRIES, colour=True, links=True)
    text = re.sub(r"\x1b\[[\d;]*m", "", text)
    text = re.sub(r"\x1b\]8;(?:id=\d+)?;(?:file://[!-~]*)?\x1b\\", "", text)
    assert UNSAFE.findall(text) == []


def test_at_a_terminal_only_our_own_clipboard_is_set(hostile: tuple[Path, Path]) -> None:
    import base64

    text = shown(hostile, ENTRIES[0], ":copy", terminal=True, environ={"PATH": ""})
    (copied,) = re.findall(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", text)
    words = base64.b64decode(copied).decode()
    assert "closed the harbour" in words
    assert UNSAFE.findall(words) == []


@pytest.mark.parametrize("width", [80, 40])
def test_long_words_and_titles_are_folded_and_cut(width: int, hostile: tuple[Path, Path]) -> None:
    entries = (
        "who ground the corn?",
        ":more",
        ":why",
        "who baked the bread in the old oven?",
        ":more",
        ":sources",
    )
    lines = shown(hostile, *entries, width=width).splitlines()
    assert lines_wider_than(width, lines) == []
    assert len(lines) < 12_000 // width * 3


@pytest.mark.parametrize("suffix", [".md", ".html", ".jsonl"])
def test_no_control_character_reaches_a_saved_file(
    suffix: str, hostile: tuple[Path, Path], tmp_path: Path
) -> None:
    path = tmp_path / f"saved{suffix}"
    shown(hostile, *(entry for entry in ENTRIES if not entry.startswith(":")), f":save {path}")
    assert UNSAFE.findall(path.read_text("utf-8")) == []
