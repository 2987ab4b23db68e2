"""From scores to figures: means with intervals, overall, by type, split and trait, and how confidence does.

The overall figures leave out follow-ups asked a second time as typed; they are a type of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from eval.runs import AS_TYPED, Row, Run, base_id, dump, write_whole
from eval.scoring import METRICS, Score, is_claimed, is_shown, located, score
from eval.scoring import confidence as abstention
from eval.scoring.attribution import attribute
from eval.scoring.traits import by_trait, false_alarms
from eval.significance import bootstrap_statistic, smallest_visible, summary

PRECISIONS = (0.80, 0.90, 0.95)
Table = dict[str, dict[str, float | None]]  # by row id, then by metric


def table(scores: Sequence[Score]) -> Table:
    """Scores by row and metric."""
    found: Table = {}
    for each in scores:
        found.setdefault(each.question_id, {})[each.metric] = each.value
    return found


def kind(row: Row) -> str:
    """The type a row is counted under."""
    name = row["type"] or "(no type)"
    return f"{name}_as_typed" if row["id"].endswith(AS_TYPED) else str(name)


def aggregate(rows: Sequence[Row], scores: Table, causes: Mapping[str, str | None]) -> dict[str, Any]:
    """The figures of a run, ready for JSON; the same rows give the same bytes."""
    overall = [row for row in rows if not row["id"].endswith(AS_TYPED)]
    splits = sorted({row["split"] for row in overall if row["split"]})
    types = sorted({kind(row) for row in rows})

    def means(group: Sequence[Row]) -> dict[str, Any]:
        return {metric: summary([scores[row["id"]][metric] for row in group]) for metric in METRICS}

    answerable = [row for row in overall if scores[row["id"]]["answered"] is not None]
    return {
        "n": len(overall),
        "answerable": len(answerable),
        "smallest_visible": smallest_visible(len(answerable)),
        "statuses": dict(sorted(Counter(row["status"] for row in overall).items())),
        "metrics": means(overall),
        "by_split": {split: means([row for row in overall if row["split"] == split]) for split in splits},
        "by_type": {name: means([row for row in rows if kind(row) == name]) for name in types},
        "n_by_type": dict(sorted(Counter(map(kind, rows)).items())),
        "by_trait": by_trait(overall, scores),
        "false_alarms": false_alarms(overall, scores),
        "by_ranker": by_ranker(overall),
        "abstention": confidence_figures(overall, scores),
        "failures": dict(
            Counter(cause for row in overall if (cause := causes[row["id"]]) is not None).most_common()
        ),
    }


def by_ranker(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """How far each ranker alone brings the gold evidence, over the rows whose evidence is in the documents.

    hit@k: it puts a gold passage at place k or better. Only passages that were read, or searched for because
    none of those read held the evidence, have a place; any other counts as not found.
    """
    known = [row for row in rows if located(row)]
    names = sorted({name for row in known if row["trail"] for name in row["trail"]["ranks"]})
    return {
        name: {
            f"hit@{k}": sum(
                row["trail"] is not None and row["trail"]["ranks"].get(name, k + 1) <= k for row in known
            )
            / len(known)
            for k in (1, 5, 10)
        }
        for name in names
    }


def outcomes(rows: Sequence[Row], scores: Table) -> tuple[list[float], list[bool], list[bool], list[bool]]:
    """Confidence, whether the first citation is right, whether there is one, whether one can be right."""
    answered = [is_shown(row) for row in rows]
    right = [scores[row["id"]]["citation_first"] == 1.0 for row in rows]
    answerable = [scores[row["id"]]["answered"] is not None for row in rows]
    # What was not answered cannot be covered at any threshold: it comes after all that was.
    confidence = [row["confidence"] if a else -1.0 for a, row in zip(answered, rows, strict=True)]
    return confidence, right, answered, answerable


def confidence_figures(rows: Sequence[Row], scores: Table) -> dict[str, Any]:
    """How well confidence separates, with intervals by resampling questions.

    ``auroc`` tells answerable questions from others by confidence, abstentions included. Coverage and risk
    count an unanswered question as not right and as last in line. Calibration is over the answers given.
    """
    confidence, right, answered, answerable = outcomes(rows, scores)
    raw = [float(row["confidence"]) for row in rows]
    given = [i for i, a in enumerate(answered) if a]
    claimed = [is_claimed(row) for row in rows]
    figures: dict[str, Any] = {
        "auroc": abstention.auroc(raw, answerable),
        "auroc_right": abstention.auroc([raw[i] for i in given], [right[i] for i in given]),
        "risk_coverage_area": abstention.risk_coverage_area(confidence, right),
        "calibration_error": abstention.calibration_error([raw[i] for i in given], [right[i] for i in given]),
        "answered_or_weak": abstention.answering(answered, right, answerable),
        "answered_only": abstention.answering(
            claimed, [c and r for c, r in zip(claimed, right, strict=True)], answerable
        ),
        **{f"coverage_at_{round(100 * p)}": abstention.coverage_at(p, confidence, right) for p in PRECISIONS},
    }
    figures["intervals"] = {
        "auroc": bootstrap_statistic(
            lambda drawn: abstention.auroc([raw[i] for i in drawn], [answerable[i] for i in drawn]),
            len(rows),
            n_resamples=resamples(len(rows)),
        ),
        "risk_coverage_area": bootstrap_statistic(
            lambda drawn: abstention.risk_coverage_area(
                [confidence[i] for i in drawn], [right[i] for i in drawn]
            ),
            len(rows),
            n_resamples=resamples(len(rows)),
        ),
    }
    return figures


def resamples(n: int) -> int:
    """1000 for a set of the usual size; fewer for thousands of questions, whose intervals are narrow."""
    return 1000 if n <= 1000 else 200


def finish(run: Run) -> tuple[Table, dict[str, Any]]:
    """Score a run and write its ``scores.jsonl`` and ``aggregate.json``."""
    scores = table(score(run.rows, run.question, run.passages))
    causes = {row["id"]: _cause(row, run) for row in run.rows}
    figures = aggregate(run.rows, scores, causes)
    lines = "".join(
        dump({"id": row["id"], "cause": causes[row["id"]], **scores[row["id"]]}) + "\n" for row in run.rows
    )
    write_whole(run.folder / "scores.jsonl", lines)
    write_whole(run.folder / "aggregate.json", dump(figures) + "\n")
    return scores, figures


def _cause(row: Row, run: Run) -> str | None:
    failure = attribute(row, run.question[base_id(row["id"])])
    return str(failure.cause) if failure else None


def latency(timings: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Milliseconds at the median and the 95th percentile (nearest rank), by stage.

    >>> latency([{"total": 3.0}, {"total": 1.0}, {"total": 2.0}])
    {'total': {'n': 3, 'p50': 2.0, 'p95': 3.0}}
    """
    found: dict[str, dict[str, float]] = {}
    for stage in dict.fromkeys(stage for each in timings for stage in each):
        values = sorted(each[stage] for each in timings if stage in each)
        found[stage] = {"n": len(values)} | {
            f"p{share}": values[-(-share * len(values) // 100) - 1] for share in (50, 95)
        }
    return found
