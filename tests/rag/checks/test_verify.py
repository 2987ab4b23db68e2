"""Verify: what became of citations, with real files on disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from rag.checks.verify import Verdict, check, read_answers
from rag.errors import UsageError
from rag.output.json_lines import schema
from rag.records import sha256_text

TEXT = "The trust began in 2014.\n\nIt ended in 2022.\n"
QUOTE = "It ended in 2022."


def answer(path: Path, quote: str = QUOTE, **changes: Any) -> str:
    start = TEXT.index(QUOTE)
    citation = {
        "document": str(path),
        "sha256": sha256_text(TEXT),
        "start": start,
        "end": start + len(quote),
        "quote": quote,
        "quote_sha256": sha256_text(quote),
    }
    return json.dumps({"question": "when?", "citations": [citation | changes]})


def verdicts(*lines: str) -> list[Verdict]:
    return [one.verdict for one in check(read_answers(lines, "answers.jsonl"), max_bytes=1_000_000)]


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "note.txt"
    path.write_text(TEXT)
    return path


def test_words_that_are_where_the_citation_points_stand(note: Path) -> None:
    assert verdicts(answer(note)) == [Verdict.STANDS]


def test_an_edit_elsewhere_behind_the_words_leaves_them_standing(note: Path) -> None:
    note.write_text(TEXT + "A line more.\n")
    assert verdicts(answer(note)) == [Verdict.EDITED]


def test_an_edit_before_the_words_moves_them_and_the_new_place_is_named(note: Path) -> None:
    note.write_text("A line more.\n" + TEXT)
    (one,) = check(read_answers([answer(note)], "a"), max_bytes=1_000_000)
    assert one.verdict is Verdict.MOVED
    assert one.found is not None
    assert (one.found.start, one.found.line) == (TEXT.index(QUOTE) + len("A line more.\n"), 4)


def test_of_several_places_the_nearest_is_named(note: Path) -> None:
    note.write_text(f"{QUOTE}\n\n{'x' * 100}\n\n.. {QUOTE}\n\n{'y' * 100}\n\n{QUOTE}\n")
    (one,) = check(read_answers([answer(note, start=120, end=137)], "a"), max_bytes=1_000_000)
    assert one.found is not None
    assert one.found.start == len(QUOTE) + 2 + 100 + 2 + 3


def test_words_that_were_changed_are_gone(note: Path) -> None:
    note.write_text(TEXT.replace("2022", "2023"))
    assert verdicts(answer(note)) == [Verdict.GONE]


def test_a_file_that_is_gone_is_missing(note: Path) -> None:
    note.unlink()
    assert verdicts(answer(note)) == [Verdict.MISSING]


def test_a_file_that_became_binary_is_unreadable(note: Path) -> None:
    note.write_bytes(b"\x00\x01\x02" * 1000)
    assert verdicts(answer(note)) == [Verdict.UNREADABLE]


def test_a_quote_changed_in_the_answers_file_is_altered(note: Path) -> None:
    assert verdicts(answer(note, quote="It ended in 2014.", quote_sha256=sha256_text(QUOTE))) == [
        Verdict.ALTERED
    ]


def test_a_claimed_place_that_is_nonsense_does_not_stand(note: Path) -> None:
    assert verdicts(answer(note, start=-5, end=3)) == [Verdict.MOVED]


def test_every_check_holds_to_its_schema(note: Path, tmp_path: Path) -> None:
    lines = [answer(note), answer(tmp_path / "none.txt"), answer(note, start=0)]
    for one in check(read_answers(lines, "a"), max_bytes=1_000_000):
        jsonschema.validate(one.to_json(), schema("verify"))


def test_lines_that_are_no_answers_are_named_together() -> None:
    lines = ["{", "[]", '{"question": "x"}', "", '{"citations": [{"document": 3}]}']
    with pytest.raises(UsageError) as caught:
        read_answers(lines, "a.jsonl")
    said = caught.value.message.splitlines()
    assert [line.split(":")[1] for line in said[1:]] == ["1", "2", "3", "5"]
    assert "no 'citations'" in said[3]


def test_an_abstention_has_nothing_to_check() -> None:
    assert verdicts(json.dumps({"question": "x", "citations": []})) == []
