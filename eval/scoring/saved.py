"""The files of a scored run: ``scores.jsonl`` and ``aggregate.json``, written and read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from eval.files import dump, read_lines, write_whole
from eval.runs import Row, Run, base_id
from eval.scoring.aggregate import Table, aggregate, score_table
from eval.scoring.attribution import attribute
from eval.scoring.per_question import score
from rag.errors import UsageError

Causes = dict[str, str | None]  # why each row failed, by its id; None where it did not


def finish(run: Run) -> tuple[Table, dict[str, Any]]:
    """Score a run and write its ``scores.jsonl`` and ``aggregate.json``."""
    scores = score_table(score(run.rows, run.question, run.passages))
    causes = {row["id"]: _cause(row, run) for row in run.rows}
    figures = aggregate(run.rows, scores, causes)
    lines = (dump({"id": row["id"], "cause": causes[row["id"]], **scores[row["id"]]}) for row in run.rows)
    write_whole(run.folder / "scores.jsonl", "".join(line + "\n" for line in lines))
    write_whole(run.folder / "aggregate.json", dump(figures) + "\n")
    return scores, figures


def load_scores(folder: Path) -> tuple[Table, Causes]:
    """Scores and causes by row id, from a finished run or a baseline."""
    lines = read_lines(folder / "scores.jsonl")
    if not lines:
        raise UsageError(f"{folder} has no scores", f"rag eval report {folder}")
    causes = {line["id"]: line["cause"] for line in lines}
    scores = {line["id"]: {key: line[key] for key in line if key not in ("id", "cause")} for line in lines}
    return scores, causes


def _cause(row: Row, run: Run) -> str | None:
    failure = attribute(row, run.question[base_id(row["id"])])
    return str(failure.cause) if failure else None
