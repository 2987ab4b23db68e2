"""A saved session: Markdown, a web page, and JSON lines that verify."""

from __future__ import annotations

import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
from driven import Driven

from rag.checks.verify import Verdict, check, read_answers
from rag.output.export import WRITERS, read_accounts
from rag.output.json_lines import schema

ENTRIES = (
    "who is the chief executive of the trust?",
    "who led it?",
    "how do I boil an egg",
    "what was the rating after:2017 in:*.html",
)


def saved(fresh: Callable[..., Driven], path: Path) -> str:
    shown = fresh().type(*ENTRIES, f":save {path}")
    assert "Wrote 4 questions" in shown
    return path.read_text("utf-8")


def test_json_lines_verify(fresh: Callable[..., Driven], tmp_path: Path) -> None:
    lines = saved(fresh, tmp_path / "a.jsonl").splitlines()
    for line in lines:
        jsonschema.validate(json.loads(line), schema("answer"))
    checked = list(check(read_answers(lines, "a.jsonl"), max_bytes=10_000_000))
    assert len(lines) == 4
    assert len(checked) > 4
    assert {one.verdict for one in checked} == {Verdict.SAME}


def test_markdown_holds_every_question_and_quotation(fresh: Callable[..., Driven], tmp_path: Path) -> None:
    text = saved(fresh, tmp_path / "a.md")
    assert text.count("\n## ") == 4
    assert "> **The trust is led by its chief executive, Paul Moffat" in text
    assert "\n> — New trust takes charge" in text
    assert "Typed: who led it?" in text
    assert "no answer, confidence" in text
    assert "Only after:2017 in:\\*.html" in text


def test_a_session_and_its_json_lines_are_told_by_one_account(
    fresh: Callable[..., Driven], tmp_path: Path
) -> None:
    entries = (ENTRIES[0], ENTRIES[2])  # asked as they were typed, without filters
    fresh().type(*entries, *(f":save {tmp_path / name}" for name in ("a.md", "a.html", "a.jsonl")))
    accounts, _ = read_accounts((tmp_path / "a.jsonl").read_text("utf-8").splitlines(), "a.jsonl")
    assert WRITERS["md"](accounts) == (tmp_path / "a.md").read_bytes()
    assert WRITERS["html"](accounts) == (tmp_path / "a.html").read_bytes()


class Tags(HTMLParser):
    """Opens and closes, and what is marked."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.marked = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("meta", "!doctype"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "mark" in self.open:
            self.marked += data


def test_the_web_page_is_whole_and_marks_the_words(fresh: Callable[..., Driven], tmp_path: Path) -> None:
    page = Tags()
    page.feed(saved(fresh, tmp_path / "a.html"))
    page.close()
    assert page.open == []
    assert "Paul Moffat" in page.marked


def test_a_strange_file_is_not_written_over(fresh: Callable[..., Driven], tmp_path: Path) -> None:
    path = tmp_path / "mine.md"
    path.write_text("my own notes")
    shown = fresh().type(ENTRIES[0], f":save {path}")
    assert "exists already" in " ".join(shown.split())
    assert path.read_text() == "my own notes"


def test_a_session_writes_its_own_file_again(fresh: Callable[..., Driven], tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    fresh().type(ENTRIES[0], f":save {path}", ENTRIES[2], f":save {path}")
    assert path.read_text("utf-8").count("\n## ") == 2
    assert list(tmp_path.glob("*.new")) == []
