"""A run as a folder: what was asked of what, one line a question, nothing lost when the process dies.

====================  =====================================================================================
``run.json``          settings, package versions, machine, the store's fingerprint, seed
``questions.jsonl``   the questions as they were asked
``rows.jsonl``        one line a question: all that is needed to score it; bit-identical when repeated
``passages.jsonl``    the words of every passage a row names, once
``timings.jsonl``     milliseconds a stage: the one file that differs from run to run
``scores.jsonl``      one line a question: every metric, null where it could not be measured
``aggregate.json``    means and intervals, overall, by type and by split
====================  =====================================================================================

A row is written last of what belongs to its question: a question whose row is missing is asked again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from eval.files import read_lines
from eval.questions import Question, load_questions
from rag.errors import UsageError

Row = dict[str, Any]
Place = tuple[str, int, int]  # document, start, end

FORMAT = 1
AS_TYPED = "~typed"  # ends the id of a follow-up asked a second time, in its own words
FILES = (
    "run.json",
    "questions.jsonl",
    "rows.jsonl",
    "passages.jsonl",
    "timings.jsonl",
    "scores.jsonl",
    "aggregate.json",
    "report.html",
)


def remove_run(folder: Path) -> None:
    """Take a run out of its folder; an index kept there stays."""
    for name in FILES:
        (folder / name).unlink(missing_ok=True)


@dataclass(frozen=True)
class Run:
    """A run folder, read. ``passages`` are texts by place."""

    folder: Path
    info: Mapping[str, Any]
    questions: tuple[Question, ...]
    rows: tuple[Row, ...]
    passages: Mapping[Place, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What people call it: the folder's name."""
        return self.folder.name

    @cached_property
    def question(self) -> Mapping[str, Question]:
        """Questions by id."""
        return {question.id: question for question in self.questions}

    @cached_property
    def by_document(self) -> Mapping[str, list[tuple[int, int, str]]]:
        """Passages kept, as (start, end, text), by document."""
        passages: dict[str, list[tuple[int, int, str]]] = {}
        for (document, start, end), text in self.passages.items():
            passages.setdefault(document, []).append((start, end, text))
        return passages

    @property
    def missing(self) -> list[str]:
        """Ids of questions without a row: the run was cut short."""
        asked = {row["id"] for row in self.rows}
        return [question.id for question in self.questions if question.id not in asked]

    def timings(self) -> list[dict[str, float]]:
        """Milliseconds by stage of each question that has a row."""
        asked = {row["id"] for row in self.rows}
        lines = {line["id"]: line["ms"] for line in read_lines(self.folder / "timings.jsonl") if "id" in line}
        return [ms for question_id, ms in lines.items() if question_id in asked]


def open_run(folder: Path) -> Run:
    """The run in a folder; raises UsageError when there is none, or it is another format's."""
    try:
        info = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{folder} is not a run", f"rag eval run QUESTIONS --store DIR --out {folder}"
        ) from error
    if info.get("format") != FORMAT:
        raise UsageError(
            f"{folder} is a run of format {info.get('format')}; this version reads {FORMAT}",
            "repeat the run",
        )
    texts = {
        (line["document"], line["start"], line["end"]): line["text"]
        for line in read_lines(folder / "passages.jsonl")
    }
    questions = load_questions([folder / "questions.jsonl"])
    return Run(folder, info, tuple(questions), tuple(read_lines(folder / "rows.jsonl")), texts)


def base_id(row_id: str) -> str:
    """The question a row answers: its id without the mark of a follow-up asked as typed.

    >>> base_id("q7~typed"), base_id("q7")
    ('q7', 'q7')
    """
    return row_id.removesuffix(AS_TYPED)
