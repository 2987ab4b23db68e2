"""The HTML page of two runs: flips on top with both answers, then what changed and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eval.reports.compare import Comparison, ConfidenceChange, Flip, confidence_changes
from eval.reports.compare_screen import CAPTION, HEAD, change_cells
from eval.reports.views import (
    AnswerView,
    GoldView,
    Grid,
    answer_view,
    conditions,
    gold_view,
    plots_of,
)
from eval.runs import Run, base_id
from eval.runs.environment import conditions_changed
from eval.scoring.aggregate import Table
from rag.output.pages import fill_in

MOST_CARDS = 500  # of flips to worse, and of flips to better


@dataclass(frozen=True, slots=True)
class FlipCard:
    """A question that flipped, with the answer of either run."""

    id: str
    asked: str
    cause: str
    tone: str
    words: str
    before: AnswerView
    after: AnswerView
    gold: GoldView


def render(run_a: Run, a: Table, run_b: Run, b: Table, comparison: Comparison) -> str:
    """The page; answers of A to the left, of B to the right."""
    names = (run_a.name, run_b.name)
    return fill_in(
        "eval.reports",
        "compare.html",
        names=names,
        comparison=comparison,
        changed_conditions=conditions_changed(run_a.info, run_b.info),
        conditions=conditions(run_a),
        groups=[
            ("Went wrong", flip_cards(run_a, run_b, comparison.worse[:MOST_CARDS])),
            ("Came right", flip_cards(run_a, run_b, comparison.better[:MOST_CARDS])),
        ],
        caption=CAPTION,
        changes=Grid(HEAD, [change_cells(change) for change in comparison.changes]),
        confidence=Grid(
            ("figure", "A", "B", "B − A", "95 % interval"),
            [_confidence_cells(change) for change in confidence_changes(run_a, a, run_b, b)],
        ),
        plots=plots_of({f"A: {names[0]}": (run_a, a), f"B: {names[1]}": (run_b, b)}),
    )


def flip_cards(run_a: Run, run_b: Run, flips: Sequence[Flip]) -> list[FlipCard]:
    """A card for each flip, in order."""
    rows_a, rows_b = ({row["id"]: row for row in run.rows} for run in (run_a, run_b))
    cards = []
    for flip in flips:
        before, after = rows_a[flip.question_id], rows_b[flip.question_id]
        question = run_b.question[base_id(flip.question_id)]
        searched = (flip.question_id, after["asked"], flip.cause or "", question.type or "")
        cards.append(
            FlipCard(
                id=flip.question_id,
                asked=after["asked"],
                cause=flip.cause or "",
                tone="good" if flip.better else "bad",
                words=" ".join(searched).lower(),
                before=answer_view(run_a, before),
                after=answer_view(run_b, after),
                gold=gold_view(run_b, after, question),
            )
        )
    return cards


def _confidence_cells(change: ConfidenceChange) -> tuple[str, ...]:
    return (
        change.name,
        f"{change.a:.3f}",
        f"{change.b:.3f}",
        f"{change.b - change.a:+.3f}",
        f"{change.low:+.3f} … {change.high:+.3f}",
    )
