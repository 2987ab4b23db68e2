"""Two runs over the same questions: what changed, by how much, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from eval.files import read_lines
from eval.runs import AS_TYPED, Run
from eval.scoring import HEADLINE
from eval.scoring.aggregate import Table, asked_once
from eval.scoring.outcomes import Outcomes, resamples
from eval.significance import (
    bootstrap_interval,
    bootstrap_statistic,
    effect_size,
    holm,
    mcnemar_p,
    randomisation_p,
    smallest_detectable,
)
from rag.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Change:
    """One metric of two runs over the questions measured in both.

    ``difference`` is B less A, ``low``..``high`` its 95 % paired bootstrap interval. ``p`` is McNemar's
    exact one for a yes-or-no metric, else the paired randomisation test's; ``p_holm`` is corrected for all
    the metrics compared. ``detectable`` is the smallest difference these questions show with 80 % power.
    ``one_sided`` counts questions measured in one run only. All None when no question is measured in both.
    """

    metric: str
    n: int
    one_sided: int
    a: float | None = None
    b: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    test: str = ""
    p_holm: float | None = None
    wins: int = 0
    losses: int = 0
    ties: int = 0
    effect: float | None = None
    detectable: float | None = None


@dataclass(frozen=True, slots=True)
class Flip:
    """A question that went from right to wrong, or back; ``cause`` is what the wrong run is put down to."""

    question_id: str
    better: bool
    cause: str | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Flips, metric by metric changes, and the questions only one run has."""

    flips: tuple[Flip, ...]
    changes: tuple[Change, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]

    @property
    def worse(self) -> tuple[Flip, ...]:
        """The questions that went wrong."""
        return tuple(flip for flip in self.flips if not flip.better)

    @property
    def better(self) -> tuple[Flip, ...]:
        """The questions that came right."""
        return tuple(flip for flip in self.flips if flip.better)


def load_scores(folder: Path) -> tuple[Table, dict[str, str | None]]:
    """Scores and causes by row id, from a finished run or a baseline."""
    lines = read_lines(folder / "scores.jsonl")
    if not lines:
        raise UsageError(f"{folder} has no scores", f"rag eval report {folder}")
    causes = {line["id"]: line["cause"] for line in lines}
    scores = {line["id"]: {key: line[key] for key in line if key not in ("id", "cause")} for line in lines}
    return scores, causes


def paired(metric: str, ids: Sequence[str], a: Table, b: Table) -> Change:
    """One metric over the questions both runs have; Holm's correction is left to ``corrected``."""
    pairs = [(a[i].get(metric), b[i].get(metric)) for i in ids]
    both = [(x, y) for x, y in pairs if x is not None and y is not None]
    one_sided = sum((x is None) != (y is None) for x, y in pairs)
    if not both:
        return Change(metric, 0, one_sided)
    differences = [y - x for x, y in both]
    wins, losses = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
    binary = all(value in (0.0, 1.0) for pair in both for value in pair)
    low, high = bootstrap_interval(differences)
    return Change(
        metric,
        len(both),
        one_sided,
        a=sum(x for x, _ in both) / len(both),
        b=sum(y for _, y in both) / len(both),
        difference=sum(differences) / len(both),
        low=low,
        high=high,
        p=mcnemar_p(wins, losses) if binary else randomisation_p(differences),
        test="McNemar" if binary else "randomisation",
        wins=wins,
        losses=losses,
        ties=len(both) - wins - losses,
        effect=effect_size(differences),
        detectable=smallest_detectable(differences),
    )


def corrected(changes: Sequence[Change]) -> list[Change]:
    """The same changes with Holm's correction over those that were tested."""
    from dataclasses import replace

    tested = [change for change in changes if change.p is not None]
    values = dict(
        zip([c.metric for c in tested], holm([c.p for c in tested if c.p is not None]), strict=True)
    )
    return [replace(change, p_holm=values.get(change.metric)) for change in changes]


def compare(
    a: Table,
    b: Table,
    causes_a: Mapping[str, str | None],
    causes_b: Mapping[str, str | None],
    *,
    metrics: Sequence[str] = HEADLINE,
) -> Comparison:
    """What changed from A to B; overall figures leave out follow-ups asked as typed."""
    ids = [i for i in a if i in b and not i.endswith(AS_TYPED)]
    if not ids:
        raise UsageError("the two runs have no question in common", "compare runs over the same questions")
    flips = []
    for i in ids:
        before, after = a[i].get("right"), b[i].get("right")
        if before is not None and after is not None and before != after:
            better = after > before
            flips.append(Flip(i, better, causes_a.get(i) if better else causes_b.get(i)))
    flips.sort(key=lambda flip: flip.better)  # what got worse first
    return Comparison(
        tuple(flips),
        tuple(corrected([paired(metric, ids, a, b) for metric in metrics])),
        tuple(i for i in a if i not in b),
        tuple(i for i in b if i not in a),
    )


@dataclass(frozen=True, slots=True)
class ConfidenceChange:
    """A figure of a whole set in both runs; ``low``..``high`` is the 95 % interval of B less A."""

    name: str
    a: float
    b: float
    low: float
    high: float


CONFIDENCE_FIGURES: Mapping[str, Callable[[Outcomes], float | None]] = {
    "AUROC, answerable or not": Outcomes.auroc,
    "area under risk and coverage": Outcomes.risk_coverage_area,
}


def confidence_changes(run_a: Run, a: Table, run_b: Run, b: Table) -> list[ConfidenceChange]:
    """How the figures of confidence changed, where both runs have them."""
    rows_a, rows_b = ({row["id"]: row for row in asked_once(run.rows)} for run in (run_a, run_b))
    ids = [i for i in rows_a if i in rows_b]
    before = Outcomes.of([rows_a[i] for i in ids], a)
    after = Outcomes.of([rows_b[i] for i in ids], b)
    changes = []
    for name, figure in CONFIDENCE_FIGURES.items():
        value_a, value_b = figure(before), figure(after)
        difference = partial(_difference, figure, before, after)
        bounds = bootstrap_statistic(difference, len(ids), n_resamples=resamples(len(ids)))
        if value_a is not None and value_b is not None and bounds:
            changes.append(ConfidenceChange(name, value_a, value_b, *bounds))
    return changes


def _difference(
    figure: Callable[[Outcomes], float | None], a: Outcomes, b: Outcomes, drawn: NDArray[np.int64]
) -> float | None:
    numbers = drawn.tolist()
    value_a, value_b = figure(a.take(numbers)), figure(b.take(numbers))
    return None if value_a is None or value_b is None else value_b - value_a
