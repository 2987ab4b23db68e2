"""The HTML page of two runs: flips on top with both answers, then what changed and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from eval.reports import page
from eval.reports.compare import (
    CAPTION,
    HEAD,
    Comparison,
    Flip,
    change_cells,
    conditions_changed,
    confidence_changes,
)
from eval.reports.html import answer_side, conditions, gold_side, plots
from eval.runs import Run, base_id
from eval.scoring.aggregate import Table

MOST_CARDS = 500  # of flips, and of questions that differ without a flip


def render(run_a: Run, a: Table, run_b: Run, b: Table, found: Comparison) -> str:
    """The page; answers of A to the left, of B to the right."""
    names = (run_a.name, run_b.name)
    worse = [flip for flip in found.flips if not flip.better]
    better = [flip for flip in found.flips if flip.better]
    parts = [
        f"<h1>{escape(names[0])} → {escape(names[1])}</h1>",
        f"<p>{len(worse)} questions went wrong, {len(better)} came right.</p>",
        *(f"<p>{escape(line)}</p>" for line in conditions_changed(run_a.info, run_b.info)),
        f'<p class="dim">A: {escape(conditions(run_a))}</p>',
    ]
    if found.only_a or found.only_b:
        parts.append(f'<p class="bad">Only in A: {len(found.only_a)}; only in B: {len(found.only_b)}.</p>')
    parts.append(page.SEARCH)
    for title, flips in (("Went wrong", worse), ("Came right", better)):
        if flips:
            parts.append(f"<h2>{title}</h2>")
            parts += _cards(run_a, run_b, flips[:MOST_CARDS])
    parts.append(f"<h2>What changed</h2><p class=dim>{escape(CAPTION)}</p>")
    parts.append(page.grid(HEAD, [change_cells(change) for change in found.changes]))
    rows = [
        (name, f"{before:.3f}", f"{after:.3f}", f"{after - before:+.3f}", f"{low:+.3f} … {high:+.3f}")
        for name, before, after, low, high in confidence_changes(run_a, a, run_b, b)
    ]
    if rows:
        parts.append("<h2>Confidence</h2>" + page.grid(("figure", "A", "B", "B − A", "95 % interval"), rows))
    both = {f"A: {names[0]}": (run_a, a), f"B: {names[1]}": (run_b, b)}
    parts.append(f"<h2>Plots</h2><p class=dim>A solid, B dashed; latency is B's.</p>{plots(both)}")
    return page.page(f"{names[0]} → {names[1]}", parts)


def _cards(run_a: Run, run_b: Run, flips: Iterable[Flip]) -> list[str]:
    rows_a, rows_b = ({row["id"]: row for row in run.rows} for run in (run_a, run_b))
    cards = []
    for flip in flips:
        before, after = rows_a[flip.question_id], rows_b[flip.question_id]
        question = run_b.question[base_id(flip.question_id)]
        tone = "good" if flip.better else "bad"
        tag = f'<span class="tag {tone}">{escape(flip.cause)}</span>' if flip.cause else ""
        words = f"{flip.question_id} {after['asked']} {flip.cause or ''} {question.type or ''}".lower()
        cards.append(
            f'<details data-words="{escape(words)}"><summary>{escape(after["asked"])}{tag}'
            f'<span class="tag">{escape(flip.question_id)}</span></summary><div class="sides">'
            f"<div><h3>A</h3>{answer_side(run_a, before)}</div>"
            f"<div><h3>B</h3>{answer_side(run_b, after)}</div></div>"
            f"{gold_side(run_b, after, question)}</details>"
        )
    return cards
