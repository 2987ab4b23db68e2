"""From scores to figures: means with intervals, overall, by type, split and trait, and how confidence does.

The overall figures leave out follow-ups asked a second time as typed; they are a type of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from eval.runs import AS_TYPED, Row
from eval.scoring.catalogue import METRICS, Score
from eval.scoring.judged import is_located
from eval.scoring.outcomes import Outcomes, confidence_figures
from eval.scoring.traits import by_trait, false_alarms
from eval.significance import smallest_visible, summary

Table = dict[str, dict[str, float | None]]  # by row id, then by metric


def score_table(scores: Sequence[Score]) -> Table:
    """Scores by row and metric."""
    table: Table = {}
    for score in scores:
        table.setdefault(score.question_id, {})[score.metric] = score.value
    return table


def counted_type(row: Row) -> str:
    """The type a row is counted under."""
    name = row["type"] or "(no type)"
    return f"{name}_as_typed" if row["id"].endswith(AS_TYPED) else str(name)


def asked_once(rows: Sequence[Row]) -> list[Row]:
    """The rows without those of follow-ups asked a second time as typed."""
    return [row for row in rows if not row["id"].endswith(AS_TYPED)]


def aggregate(rows: Sequence[Row], scores: Table, causes: Mapping[str, str | None]) -> dict[str, Any]:
    """The figures of a run, ready for JSON; the same rows give the same bytes."""
    overall = asked_once(rows)
    splits = sorted({row["split"] for row in overall if row["split"]})
    types = sorted({counted_type(row) for row in rows})

    def means(group: Sequence[Row]) -> dict[str, Any]:
        return {metric: summary([scores[row["id"]][metric] for row in group]) for metric in METRICS}

    n_answerable = sum(scores[row["id"]]["answered"] is not None for row in overall)
    return {
        "n": len(overall),
        "answerable": n_answerable,
        "smallest_visible": smallest_visible(n_answerable),
        "statuses": dict(sorted(Counter(row["status"] for row in overall).items())),
        "metrics": means(overall),
        "by_split": {split: means([row for row in overall if row["split"] == split]) for split in splits},
        "by_type": {name: means([row for row in rows if counted_type(row) == name]) for name in types},
        "n_by_type": dict(sorted(Counter(map(counted_type, rows)).items())),
        "by_trait": by_trait(overall, scores),
        "false_alarms": false_alarms(overall, scores),
        "by_ranker": by_ranker(overall),
        "abstention": confidence_figures(Outcomes.of(overall, scores)),
        "failures": dict(
            Counter(cause for row in overall if (cause := causes[row["id"]]) is not None).most_common()
        ),
    }


def by_ranker(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """How far each ranker alone brings the gold evidence, over the rows whose evidence is in the documents.

    hit@k: it puts a gold passage at place k or better. Only passages that were read, or searched for because
    none of those read held the evidence, have a place; any other counts as not found.
    """
    located = [row for row in rows if is_located(row)]
    names = sorted({name for row in located if row["trail"] for name in row["trail"]["ranks"]})

    def hit_share(name: str, k: int) -> float:
        ranks = (row["trail"]["ranks"] if row["trail"] else {} for row in located)
        return sum(bool(rank.get(name, k + 1) <= k) for rank in ranks) / len(located)

    return {name: {f"hit@{k}": hit_share(name, k) for k in (1, 5, 10)} for name in names}


def latency(timings: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Milliseconds at the median and the 95th percentile (nearest rank), by stage.

    >>> latency([{"total": 3.0}, {"total": 1.0}, {"total": 2.0}])
    {'total': {'n': 3, 'p50': 2.0, 'p95': 3.0}}
    """
    by_stage: dict[str, dict[str, float]] = {}
    for stage in dict.fromkeys(stage for times in timings for stage in times):
        values = sorted(times[stage] for times in timings if stage in times)
        by_stage[stage] = {"n": len(values)} | {
            f"p{share}": values[-(-share * len(values) // 100) - 1] for share in (50, 95)
        }
    return by_stage
