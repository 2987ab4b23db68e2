"""The HTML report of a run: figures, plots, and every question with what was answered and what was right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eval.questions import TRAITS
from eval.reports.tables import (
    STAGES,
    alarm_sentence,
    confidence_rows,
    interval,
    percent,
    power_sentence,
    trait_rows,
)
from eval.reports.views import (
    AnswerView,
    GoldView,
    Grid,
    answer_view,
    conditions,
    gold_view,
    plots_of,
)
from eval.runs import Row, Run, base_id
from eval.scoring import HEADLINE, METRICS
from eval.scoring.aggregate import Table, counted_type
from eval.scoring.attribution import Failure, attribute
from eval.scoring.traits import FIGURES
from rag.output.pages import fill_in

MOST_ROWS = 1000  # beyond this a browser grows slow; failures come first, so what is left out went right


@dataclass(frozen=True, slots=True)
class Card:
    """One question, folded; ``words`` are what the filter searches."""

    id: str
    asked: str
    verdict: str
    tone: str
    tags: tuple[str, ...]
    words: str
    detail: str
    answer: AnswerView
    gold: GoldView


def render(run: Run, scores: Table, figures: Mapping[str, Any], *, most_rows: int = MOST_ROWS) -> str:
    """The page of one run."""
    judged = [(row, attribute(row, run.question[base_id(row["id"])])) for row in run.rows]
    judged.sort(key=lambda pair: pair[1] is None)  # failures first, otherwise in the order asked
    left_out = judged[most_rows:]
    return fill_in(
        "eval.reports",
        "report.html",
        run=run,
        figures=figures,
        counts=", ".join(f"{n} {status}" for status, n in figures["statuses"].items()),
        power=power_sentence(figures),
        conditions=conditions(run),
        plots=plots_of({run.name: (run, scores)}),
        metrics=metric_grid(figures),
        types=type_grid(figures),
        traits=trait_grid(figures),
        trait_figures=[(name.replace("_", " "), meaning) for name, meaning in FIGURES.items()],
        alarms=alarm_sentence(figures),
        confidence=Grid(("what", "figure"), confidence_rows(figures["abstention"])),
        rankers=ranker_grid(figures),
        failures=Grid(("cause", "questions"), [(c, str(n)) for c, n in figures["failures"].items()]),
        cards=[card(run, row, failure) for row, failure in judged[:most_rows]],
        n_left_out=len(left_out),
        n_wrong_left_out=sum(failure is not None for _, failure in left_out),
    )


def metric_grid(figures: Mapping[str, Any]) -> Grid:
    """Every metric overall and by split; what could not be measured says so."""
    splits = list(figures["by_split"])
    rows = []
    for metric in sorted(METRICS, key=lambda name: STAGES.index(METRICS[name][0])):
        stage, meaning = METRICS[metric]
        overall = figures["metrics"][metric]
        n = f"{overall['n']}" if overall["n"] else "unmeasured"
        by_split = (percent(figures["by_split"][split][metric]["mean"]) for split in splits)
        rows.append((metric, percent(overall["mean"]), interval(overall), n, *by_split, stage, meaning))
    head = ("metric", "all, %", "95 % interval", "n", *splits, "stage", "what it says")
    return Grid(head, rows, lead=frozenset(HEADLINE), words=len(head) - 1)


def type_grid(figures: Mapping[str, Any]) -> Grid:
    """The headline metrics of each type of question."""
    rows = [
        (name, str(figures["n_by_type"][name]), *(percent(means[metric]["mean"]) for metric in HEADLINE))
        for name, means in figures["by_type"].items()
    ]
    return Grid(("type", "n", *HEADLINE), rows)


def trait_grid(figures: Mapping[str, Any]) -> Grid:
    """The figures of each trait, with what the trait is."""
    head = ("trait", "n", *(name.replace("_", " ") for name in FIGURES), "what it says")
    rows = [(*cells, TRAITS[cells[0]]) for cells in trait_rows(figures)]
    return Grid(head, rows, words=len(head) - 1)


def ranker_grid(figures: Mapping[str, Any]) -> Grid:
    """How far each ranker alone brings the gold evidence."""
    rows = [(name, *map(percent, shares.values())) for name, shares in figures["by_ranker"].items()]
    return Grid(("ranker", "hit@1, %", "hit@5, %", "hit@10, %"), rows)


def card(run: Run, row: Row, failure: Failure | None) -> Card:
    """One question: verdict, answer in its passage, gold, and why."""
    question = run.question[base_id(row["id"])]
    verdict = str(failure.cause) if failure else "right"
    traits = [trait for trait in row.get("traits", ()) if trait != row["type"]]
    split = row["split"] or ""
    words = (row["id"], row["asked"], counted_type(row), *traits, row["status"], verdict, split)
    return Card(
        id=row["id"],
        asked=row["asked"],
        verdict=verdict,
        tone="bad" if failure else "good",
        tags=(counted_type(row), *traits, row["id"]),
        words=" ".join(words).lower(),
        detail=failure.detail if failure else "",
        answer=answer_view(run, row),
        gold=gold_view(run, row, question),
    )
