"""Two runs over the same questions: what changed, by how much, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.runs import AS_TYPED, Run, base_id, read_lines
from eval.scoring import HEADLINE
from eval.scoring import confidence as abstention
from eval.scoring.aggregate import Table, outcomes, resamples
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
    from rich.console import Console

HEAD = ("metric", "n", "A", "B", "B − A", "95 % interval", "p", "p Holm", "+ / − / =", "effect", "80 % sees")
CAPTION = "per cent; p by McNemar (m) or randomisation (r), Holm-corrected over these metrics; + won, − lost"


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


def confidence_changes(
    run_a: Run, a: Table, run_b: Run, b: Table
) -> list[tuple[str, float, float, float, float]]:
    """Figures of a whole set: name, A, B, and the interval of B less A over the same questions drawn."""
    rows_a, rows_b = ({row["id"]: row for row in run.rows} for run in (run_a, run_b))
    ids = [i for i in rows_a if i in rows_b and not i.endswith(AS_TYPED)]
    sides = []
    for rows, scores in ((rows_a, a), (rows_b, b)):
        group = [rows[i] for i in ids]
        confidence, right, _, answerable = outcomes(group, scores)
        sides.append((confidence, right, answerable, [float(row["confidence"]) for row in group]))

    def auroc(side: int, drawn: Sequence[int]) -> float | None:
        _, _, answerable, raw = sides[side]
        return abstention.auroc([raw[i] for i in drawn], [answerable[i] for i in drawn])

    def area(side: int, drawn: Sequence[int]) -> float | None:
        confidence, right, _, _ = sides[side]
        return abstention.risk_coverage_area([confidence[i] for i in drawn], [right[i] for i in drawn])

    found = []
    everyone = range(len(ids))
    for name, figure in (("AUROC, answerable or not", auroc), ("area under risk and coverage", area)):
        before, after = figure(0, everyone), figure(1, everyone)
        if before is None or after is None:
            continue

        bounds = bootstrap_statistic(partial(_difference, figure), len(ids), n_resamples=resamples(len(ids)))
        if bounds:
            found.append((name, before, after, *bounds))
    return found


def _difference(
    figure: Callable[[int, Sequence[int]], float | None], drawn: NDArray[np.int64]
) -> float | None:
    before, after = figure(0, drawn.tolist()), figure(1, drawn.tolist())
    return None if before is None or after is None else after - before


def show(
    found: Comparison,
    questions: Mapping[str, str],
    names: tuple[str, str],
    console: Console,
    *,
    conditions: Sequence[str] = (),
) -> None:
    """Print a comparison: flips first, then the figures; ``conditions`` are what the runs differ in."""
    from rich.markup import escape
    from rich.text import Text

    from eval.reports.tables import new_table, plain

    worse = [flip for flip in found.flips if not flip.better]
    better = [flip for flip in found.flips if flip.better]
    title = " → ".join(escape(plain(name)) for name in names)
    told = f"{len(worse)} went wrong, {len(better)} came right"
    console.print(f"[bold]{title}[/]  {told}", highlight=False)
    for condition in conditions:
        console.print(f"  {escape(plain(condition))}", highlight=False)
    for mark, group in (("[red]−[/]", worse), ("[green]+[/]", better)):
        for flip in group:
            asked = questions.get(base_id(flip.question_id), "")
            told = f"  ({flip.cause})" if flip.cause else ""
            line = Text.from_markup(f" {mark} ")
            line.append(f"{flip.question_id}  {plain(asked)}{told}")
            console.print(line, highlight=False)
    for ids, name in ((found.only_a, names[0]), (found.only_b, names[1])):
        if ids:
            console.print(f"[yellow]only in {escape(plain(name))}: {len(ids)} questions[/]", highlight=False)
    table = new_table(CAPTION, *HEAD)
    for change in found.changes:
        table.add_row(*change_cells(change))
    console.print()
    console.print(table)


def p_value(p: float) -> str:
    """A p value as people read it.

    >>> p_value(0.0421), p_value(0.0000954)
    ('0.042', '<0.001')
    """
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def conditions_changed(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[str]:
    """What the two runs were made with that differs, each in a line: settings, versions, code, store.

    >>> conditions_changed({"seed": 1, "settings": {"k": 5}}, {"seed": 1, "settings": {"k": 9}})
    ['settings.k: 5 → 9']
    """
    lines: list[str] = []
    for key in dict.fromkeys([*a, *b]):
        before, after = a.get(key), b.get(key)
        if before == after or key == "store":
            continue
        if isinstance(before, dict) and isinstance(after, dict):
            lines += [f"{key}.{line}" for line in conditions_changed(before, after)]
        else:
            lines.append(f"{key}: {_clipped(before)} → {_clipped(after)}")
    return lines


def _clipped(value: object, limit: int = 60) -> str:
    text = str(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def change_cells(change: Change) -> tuple[str, ...]:
    """A change as the cells of a table."""
    from eval.reports.tables import percent

    if change.difference is None or change.p is None or change.p_holm is None:
        return (change.metric, "unmeasured", *["–"] * 9)
    assert change.low is not None
    assert change.high is not None
    return (
        change.metric,
        f"{change.n}" + (f" (+{change.one_sided} in one)" if change.one_sided else ""),
        percent(change.a),
        percent(change.b),
        f"{100 * change.difference:+.1f}",
        f"{100 * change.low:+.1f} … {100 * change.high:+.1f}",
        f"{p_value(change.p)} {change.test[0].lower()}",
        p_value(change.p_holm),
        f"{change.wins} / {change.losses} / {change.ties}",
        "–" if change.effect is None else f"{change.effect:+.2f}",
        "–" if change.detectable is None else f"{100 * change.detectable:.1f}",
    )
