"""Runs: nothing lost, nothing repeated, and the same bytes every time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from small import SmallAssistant

from eval.files import read_lines
from eval.questions import load_questions
from eval.runs import open_run
from eval.runs.runner import run
from eval.scoring.saved import finish
from rag.errors import UsageError

SAME = ("run.json", "questions.jsonl", "rows.jsonl", "passages.jsonl", "scores.jsonl", "aggregate.json")

CHILD = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[4])
from small import SmallAssistant
from eval.questions import load_questions
from eval.runs.runner import run

class Slow(SmallAssistant):
    def ask(self, question, *, k=None):
        time.sleep(0.05)
        return super().ask(question, k=k)

run(Slow(Path(sys.argv[1])), load_questions([Path(sys.argv[2])]), Path(sys.argv[3]), info={"seed": 1})
"""


def many_questions(path: Path, n: int) -> None:
    rows = [
        {"id": f"q{i}", "question": f"when did Ann Carver resign, time {i}", "answers": ["May 2016"]}
        for i in range(n)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_a_repeated_run_is_the_same_to_the_byte_timings_aside(make_run: Callable[..., Path]) -> None:
    one, two = make_run("one"), make_run("two")
    for name in SAME:
        assert (one / name).read_bytes() == (two / name).read_bytes(), name
    assert (one / "timings.jsonl").exists()


def test_a_run_over_the_same_documents_elsewhere_is_the_same_to_the_byte(
    corpus: Path, questions_file: Path, make_run: Callable[..., Path], tmp_path: Path
) -> None:
    import shutil

    one = make_run("one")
    moved = tmp_path / "some" / "where" / "else"
    shutil.copytree(corpus, moved)
    run(SmallAssistant(moved), load_questions([questions_file]), tmp_path / "two", info={"seed": 1})
    finish(open_run(tmp_path / "two"))
    for name in SAME:
        assert (one / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_a_run_killed_at_any_moment_goes_on_without_losing_or_repeating_a_row(
    corpus: Path, tmp_path: Path
) -> None:
    questions = tmp_path / "many.jsonl"
    many_questions(questions, 40)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    run(SmallAssistant(corpus), load_questions([questions]), whole, info={"seed": 1})
    here = str(Path(__file__).parents[1])
    root = str(Path(__file__).parents[3])
    kept = 0
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(corpus), str(questions), str(broken), here],
            env={**os.environ, "PYTHONPATH": root},
        )
        limit = time.monotonic() + 60
        while time.monotonic() < limit and child.poll() is None:
            rows = broken / "rows.jsonl"
            if rows.exists() and rows.read_bytes().count(b"\n") >= kept + 4:
                break
            time.sleep(0.02)
        child.send_signal(signal.SIGKILL)
        child.wait()
        before = read_lines(broken / "rows.jsonl")
        assert len(before) >= kept + 4, "the child made progress before it was killed"
        kept = len(before)
    assert kept < 40
    asked = run(SmallAssistant(corpus), load_questions([questions]), broken, info={"seed": 1})
    assert asked == 40 - kept
    assert (broken / "rows.jsonl").read_bytes() == (whole / "rows.jsonl").read_bytes()
    assert (broken / "passages.jsonl").read_bytes() == (whole / "passages.jsonl").read_bytes()
    assert len(open_run(broken).timings()) == 40


@pytest.mark.parametrize("left", range(1, 60, 7))
def test_a_torn_last_line_is_dropped_and_its_question_asked_again(
    corpus: Path, questions_file: Path, make_run: Callable[..., Path], left: int
) -> None:
    folder = make_run("torn")
    whole = {name: (folder / name).read_bytes() for name in ("rows.jsonl", "passages.jsonl")}
    for name, text in whole.items():
        last = text.rstrip(b"\n").rfind(b"\n") + 1
        (folder / name).write_bytes(text[: last + left])
    assert run(SmallAssistant(corpus), load_questions([questions_file]), folder, info={"seed": 1}) == 1
    assert (folder / "rows.jsonl").read_bytes() == whole["rows.jsonl"]
    kept = sorted((folder / "passages.jsonl").read_bytes().splitlines())
    assert kept == sorted(whole["passages.jsonl"].splitlines())


def test_a_finished_run_asks_nothing_again(
    corpus: Path, questions_file: Path, make_run: Callable[..., Path]
) -> None:
    folder = make_run("done")
    assert run(SmallAssistant(corpus), load_questions([questions_file]), folder, info={"seed": 1}) == 0


def test_another_run_in_the_same_folder_is_refused_and_says_what_differs(
    corpus: Path, questions_file: Path, make_run: Callable[..., Path]
) -> None:
    folder = make_run("taken")
    with pytest.raises(UsageError, match="seed differ") as caught:
        run(SmallAssistant(corpus), load_questions([questions_file]), folder, info={"seed": 2})
    assert "--out" in caught.value.hint
    with pytest.raises(UsageError, match="questions_sha256 differ"):
        run(SmallAssistant(corpus), load_questions([questions_file])[:3], folder, info={"seed": 1})


def test_a_line_damaged_in_the_middle_is_reported_not_skipped(make_run: Callable[..., Path]) -> None:
    folder = make_run("damaged")
    lines = (folder / "rows.jsonl").read_bytes().split(b"\n")
    lines[1] = lines[1][:20]
    (folder / "rows.jsonl").write_bytes(b"\n".join(lines))
    with pytest.raises(UsageError, match="line 2 is damaged"):
        open_run(folder)


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a run"):
        open_run(tmp_path)


def test_a_follow_up_is_asked_standalone_and_on_request_as_typed_too(make_run: Callable[..., Path]) -> None:
    rows = {row["id"]: row["asked"] for row in open_run(make_run("plain")).rows}
    assert rows["q5"] == "when was it that Ann Carver resigned"
    assert "q5~typed" not in rows
    both = make_run("both", raw_follow_ups=True)
    rows = {row["id"]: row["asked"] for row in open_run(both).rows}
    assert rows["q5~typed"] == "and when was that resignation of hers"
    figures = json.loads((both / "aggregate.json").read_text())
    assert figures["n"] == 7
    assert figures["n_by_type"]["follow_up_as_typed"] == 1


def test_a_refused_question_is_a_row_without_an_answer_and_scores_zero(
    corpus: Path, questions_file: Path, tmp_path: Path
) -> None:
    class Choosy(SmallAssistant):
        def ask(self, question: str, *, k: int | None = None):  # type: ignore[no-untyped-def]
            if "Mill Street" in question:
                raise UsageError("too many streets")
            return super().ask(question, k=k)

    folder = tmp_path / "choosy"
    run(Choosy(corpus), load_questions([questions_file]), folder, info={"seed": 1})
    scores, figures = finish(open_run(folder))
    row = next(row for row in open_run(folder).rows if row["id"] == "q2")
    assert (row["status"], row["reason"]) == ("error", "too many streets")
    assert scores["q2"]["f1"] == scores["q2"]["hit@5"] == scores["q2"]["right"] == 0.0
    assert figures["failures"]["refused"] == 1


def test_every_question_has_every_metric(make_run: Callable[..., Path]) -> None:
    from eval.scoring import METRICS

    lines = read_lines(make_run("full") / "scores.jsonl")
    assert len(lines) == 7
    assert all(set(line) == {"id", "cause", *METRICS} for line in lines)
