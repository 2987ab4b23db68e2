"""What Tab offers, before and after the store is open; and what a plain terminal is shown."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from driven import Driven

from rag.output.lines import Look
from rag.session.lines import AskedLines
from rag.session.screen import Screen
from rag.session.suggestions import Vocabulary, spellings
from rag.session.terminal.completion import offered


@pytest.fixture
def ready(fresh: Callable[..., Driven]) -> Driven:
    """A session whose store is open."""
    driven = fresh()
    driven.type(":info")
    return driven


@pytest.mark.parametrize(
    ("before", "texts"),
    [
        (":re", [":report", ":reindex"]),
        (":cop", [":copy "]),
        (":copy b", ["bib"]),
        (":set ", ["k", "after", "before", "in", "as-of", "followups", "questions"]),
        (":set followups o", ["on", "off"]),
        (":set in time", ["timeline.md"]),
        (":sources peer", ["peer-review-letter.txt"]),
        (":help whyn", ["whynot"]),
        ("who led it in:time", ["timeline.md"]),
        ("who is paul mof", ["Paul Moffat"]),
        ("why was the trust decommis", ["decommissioned", "decommission"]),
        ("is the", []),
        ("x", []),
        ("", []),
    ],
)
def test_an_entry_is_completed(before: str, texts: list[str], ready: Driven) -> None:
    found = [text for text, _, _ in offered(ready.session, before)]
    assert set(texts) <= set(found)
    if not texts:
        assert found == []


def test_what_is_offered_replaces_the_end_of_the_entry(ready: Driven) -> None:
    for before in (":re", ":copy b", "who is paul mof", "who led it in:time"):
        for _, typed, _ in offered(ready.session, before):
            assert before.endswith(typed)


def test_files_are_offered_to_save(ready: Driven, tmp_path: Path) -> None:
    (tmp_path / "notes.md").touch()
    (tmp_path / "deeper").mkdir()
    found = [text for text, _, _ in offered(ready.session, f":save {tmp_path}/")]
    assert found == ["deeper/", "notes.md"]


def test_commands_are_offered_while_the_store_opens(fresh: Callable[..., Driven]) -> None:
    session = fresh().session
    assert [text for text, _, _ in offered(session, ":unans")] == [":unanswerable"]
    assert list(offered(session, "who is paul")) == []


def test_a_spelling_is_taken_from_the_corpus_and_never_for_a_known_word() -> None:
    vocabulary = Vocabulary(["The trust was decommissioned by the cabinet."])
    known = {"trust", "cabinet", "decommiss"}

    def frequency(term: str) -> int:
        return int(term in known)

    assert spellings("was the trust decomissioned by the cabinett", frequency, vocabulary) == [
        ("decomissioned", "decommissioned"),
        ("cabinett", "cabinet"),
    ]
    assert spellings("trusts", frequency, vocabulary) == []


def test_a_screen_without_unicode_gets_plain_marks() -> None:
    out = io.StringIO()
    Screen(out, lambda: Look(unicode=False)).say("“a” → b …")
    assert out.getvalue() == '"a" -> b ...\n'


def test_a_plain_terminal_is_asked_on_another_stream() -> None:
    prompts = io.StringIO()
    lines = AskedLines(io.StringIO("one\n"), prompts)
    assert lines.read("> ") == "one"
    assert prompts.getvalue() == "> "
    with pytest.raises(EOFError):
        lines.read("> ")
