"""Verify: what became of citations, with real files on disk."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from rag.checks.verify import Checked, Verdict, check, read_answers
from rag.errors import UsageError
from rag.loading import Here
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


def checks(*lines: str, **options: Any) -> list[Checked]:
    """The checks of an answers file, in this process where the files are known to be harmless."""
    options = {"loader": Here(), **options}
    return list(check(read_answers(lines, "answers.jsonl"), max_bytes=1_000_000, **options))


def verdicts(*lines: str, **options: Any) -> list[Verdict]:
    return [one.verdict for one in checks(*lines, **options)]


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "note.txt"
    path.write_text(TEXT)
    return path


def test_words_that_are_where_the_citation_points_are_the_same(note: Path) -> None:
    (one,) = checks(answer(note))
    assert (one.verdict, one.fresh) == (Verdict.SAME, "unchanged")


def test_an_edit_elsewhere_behind_the_words_leaves_them_the_same(note: Path) -> None:
    note.write_text(TEXT + "A line more.\n")
    (one,) = checks(answer(note))
    assert (one.verdict, one.fresh) == (Verdict.SAME, "edited")


def test_an_edit_before_the_words_moves_them_and_the_new_place_is_named(note: Path) -> None:
    note.write_text("A line more.\n" + TEXT)
    (one,) = checks(answer(note))
    assert one.verdict is Verdict.MOVED
    assert one.found is not None
    assert (one.found.start, one.found.line) == (TEXT.index(QUOTE) + len("A line more.\n"), 4)


def test_of_several_places_the_nearest_is_named(note: Path) -> None:
    note.write_text(f"{QUOTE}\n\n{'x' * 100}\n\n.. {QUOTE}\n\n{'y' * 100}\n\n{QUOTE}\n")
    (one,) = checks(answer(note, start=120, end=137))
    assert one.found is not None
    assert one.found.start == len(QUOTE) + 2 + 100 + 2 + 3


def test_words_that_were_changed_are_named_with_what_stands_there_now(note: Path) -> None:
    note.write_text("New.\n\n" + TEXT.replace("2022", "2023"))
    (one,) = checks(answer(note))
    assert one.verdict is Verdict.CHANGED
    assert one.changes == (("same", "It ended in"), ("gone", "2022."), ("new", "2023."))
    assert one.found is not None
    text = note.read_text()
    assert text[one.found.start : one.found.end] == "It ended in 2023."


@pytest.mark.parametrize(
    ("now", "changes"),
    [
        ("It is false that: {}", (("new", "It is false that:"), ("same", QUOTE))),
        ("The trust began. Nobody says that {}\n", (("new", "Nobody says that"), ("same", QUOTE))),
    ],
)
def test_words_within_a_sentence_that_denies_them_have_not_moved(
    now: str, changes: tuple[tuple[str, str], ...], note: Path
) -> None:
    note.write_text(now.format(QUOTE))
    (one,) = checks(answer(note))
    assert (one.verdict, one.changes) == (Verdict.CHANGED, changes)


@pytest.mark.parametrize(
    "now",
    [
        QUOTE.replace(" in", "  in"),
        QUOTE.replace(" ", "\n"),
        QUOTE.replace(" ", "\u00a0"),
        QUOTE.replace("ended", "en\u00added"),
        QUOTE.replace("It", "I\u200bt"),
    ],
)
def test_words_that_are_only_spaced_otherwise_are_told_to_be(now: str, note: Path) -> None:
    note.write_text(f"The trust began in 2014.\n\n{now}\n")
    (one,) = checks(answer(note))
    assert one.verdict is Verdict.CHANGED
    assert [what for what, _ in one.changes] == ["same"]
    assert "the same words" in one.detail


def test_a_letter_composed_otherwise_makes_no_other_word(note: Path) -> None:
    quote = "The café was closed."
    note.write_text("Long ago.\n\nThe cafe\u0301 was closed.\n")
    (one,) = checks(answer(note, quote, start=0, end=len(quote)))
    assert (one.verdict, [what for what, _ in one.changes]) == (Verdict.CHANGED, ["same"])


def test_words_of_which_nothing_is_left_are_gone(note: Path) -> None:
    note.write_text("Ships came late that year, and nobody met them at the harbour.\n")
    assert verdicts(answer(note)) == [Verdict.GONE]


def test_other_line_ends_and_another_encoding_change_no_word(note: Path) -> None:
    quote = "The café ended in 2022."
    before = f"The trust began in 2014.\n\n{quote}\n"
    cited = answer(note, quote, start=before.index(quote), end=before.index(quote) + len(quote))
    note.write_bytes(before.encode("cp1252"))
    assert verdicts(cited) == [Verdict.SAME]
    note.write_bytes(before.replace("\n", "\r\n").encode())
    assert verdicts(cited)[0] in (Verdict.SAME, Verdict.MOVED)
    note.write_bytes(b"\xef\xbb\xbf" + before.encode())
    assert verdicts(cited) == [Verdict.SAME]


def test_a_forged_place_in_an_unchanged_file_is_called_that(note: Path) -> None:
    forged = [answer(note, start=0, end=len(QUOTE)), answer(note, start=-5, end=len(QUOTE) - 5)]
    forged.append(answer(note, start=10**30, end=10**30 + len(QUOTE)))
    made_up = "It never ended at all."
    forged.append(answer(note, made_up))
    forged.append(answer(note, end=3))
    assert verdicts(*forged) == [Verdict.ALTERED] * 5


def test_an_upgrade_of_the_extractor_is_told_from_a_forgery(note: Path) -> None:
    line = json.loads(answer(note, start=0, end=len(QUOTE)))
    (one,) = checks(json.dumps(line | {"store": {"extractor": "of another version"}}))
    assert one.verdict is Verdict.MOVED
    assert "another version of rag had read it" in one.detail
    from rag.checks.verify import extractor

    (one,) = checks(json.dumps(line | {"store": {"extractor": extractor()}}))
    assert one.verdict is Verdict.ALTERED


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


def test_every_check_holds_to_its_schema(note: Path, tmp_path: Path) -> None:
    lines = [
        answer(note),
        answer(tmp_path / "none.txt"),
        answer(note, start=0),
        answer(note, start=-5, end=3),
    ]
    found = checks(*lines)
    note.write_text("New.\n\n" + TEXT.replace("2022", "2023"))
    for one in [*found, *checks(answer(note))]:
        jsonschema.validate(one.to_json(), schema("verify"))


# An answers file from a stranger


def hostile_places(folder: Path) -> dict[str, str]:
    """Paths that a stranger may name, with what each is refused as."""
    os.mkfifo(folder / "pipe.txt")
    (folder / "zero.txt").symlink_to("/dev/zero")
    (folder / "log.txt").symlink_to("/proc/kmsg")
    (folder / "loop.txt").symlink_to("loop.txt")
    (folder / "folder.txt").mkdir()
    return {
        str(folder / "pipe.txt"): "a named pipe",
        str(folder / "zero.txt"): "a device",
        str(folder / "log.txt"): "empty",
        str(folder / "loop.txt"): "a link loop",
        str(folder / "folder.txt"): "a folder",
        "/dev/zero": "unsupported kind",
        "/dev/stdin": "unsupported kind",
        "/proc/kmsg": "unsupported kind",
        "/proc/self/mem": "unsupported kind",
        "a\0b.txt": "not an absolute path",
        "/a\0b.txt": "no path can be called that",
        "/a\ud800b.txt": "no path can be called that",
        "relative.txt": "not an absolute path",
        "": "not an absolute path",
        "/" + "x" * 5000 + ".txt": "its name is too long",
    }


def test_what_a_stranger_names_is_refused_by_name_and_never_waited_for(tmp_path: Path) -> None:
    places = hostile_places(tmp_path)
    lines = [json.dumps(json.loads(answer(tmp_path)) | one_citation(path)) for path in places]
    began = time.monotonic()
    found = list(check(read_answers(lines, "a"), max_bytes=1_000_000))  # in a child, as the command does
    assert time.monotonic() - began < 30
    for one, expected in zip(found, places.values(), strict=True):
        assert one.verdict is Verdict.UNREADABLE, one
        assert expected in one.detail


def one_citation(path: str) -> dict[str, Any]:
    return {"citations": [json.loads(answer(Path("x")))["citations"][0] | {"document": path}]}


def test_no_file_outside_the_folders_named_is_read(note: Path, tmp_path: Path) -> None:
    inside = tmp_path / "in"
    inside.mkdir()
    (inside / "link.txt").symlink_to(note)
    (inside / "own.txt").write_text(TEXT)
    lines = [
        answer(note),
        answer(inside / "link.txt"),
        answer(inside / ".." / "note.txt"),
        answer(inside / "own.txt"),
    ]
    found = checks(*lines, roots=[inside])
    assert [one.verdict for one in found] == [*[Verdict.UNREADABLE] * 3, Verdict.SAME]
    assert all("--root" in one.detail for one in found[:3])


def test_answers_made_elsewhere_are_checked_against_a_copy(note: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    (copy / "papers").mkdir(parents=True)
    (copy / "papers" / "note.txt").write_text(TEXT)
    (copy / "renamed.txt").write_text(TEXT + "Another.")
    there = answer(Path("/home/them/papers/note.txt"))
    (one,) = checks(there, roots=[], elsewhere=[copy])
    assert one.verdict is Verdict.SAME
    assert one.found is not None
    assert one.found.document == str(copy / "papers" / "note.txt")
    renamed = answer(Path("/home/them/old name.txt"), sha256=sha256_text(TEXT + "Another."))
    (one,) = checks(renamed, roots=[], elsewhere=[copy])
    assert one.found is not None
    assert (one.verdict, one.found.document) == (Verdict.SAME, str(copy / "renamed.txt"))
    (one,) = checks(answer(Path("/home/../../etc/hostname"), sha256="0" * 64), roots=[], elsewhere=[copy])
    assert one.verdict in (Verdict.UNREADABLE, Verdict.MISSING)


def test_a_huge_text_is_searched_in_bounded_time(note: Path) -> None:
    note.write_text("word " * 300_000 + QUOTE[:-1] + ", they say. " + QUOTE[:3] * 300_000)
    began = time.monotonic()
    verdicts(answer(note), answer(note, "It " * 200 + "ended.", start=0, end=606))
    assert time.monotonic() - began < 20


def test_lines_that_are_no_answers_are_named_together() -> None:
    deep = '{"citations": ' + "[" * 100_000
    lines = ["{", "[]", '{"question": "x"}', "", '{"citations": [{"document": 3}]}', deep, "\udcff"]
    with pytest.raises(UsageError) as caught:
        read_answers(lines, "a.jsonl")
    said = caught.value.message.splitlines()
    assert [line.split(":")[1] for line in said[1:-1]] == ["1", "2", "3", "5", "6"]
    assert "nested too deeply" in said[-2]
    assert said[-1] == "and 1 more lines"
    assert "no 'citations'" in said[3]


def test_a_line_that_could_not_be_asked_has_nothing_to_check() -> None:
    assert verdicts('{"line": 2, "question": null, "status": "error", "error": "blank", "hint": ""}') == []


def test_an_abstention_has_nothing_to_check() -> None:
    assert verdicts(json.dumps({"question": "x", "citations": []})) == []
