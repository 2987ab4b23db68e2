"""A comparison on a screen: flips first, then the figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from eval.reports.compare import Change, Comparison, Flip
from eval.reports.tables import new_table, percent, plain
from eval.runs import base_id

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

HEAD = ("metric", "n", "A", "B", "B − A", "95 % interval", "p", "p Holm", "+ / − / =", "effect", "80 % sees")
CAPTION = "per cent; p by McNemar (m) or randomisation (r), Holm-corrected over these metrics; + won, − lost"


def show(
    comparison: Comparison,
    questions: Mapping[str, str],
    names: tuple[str, str],
    console: Console,
    *,
    conditions: Sequence[str] = (),
) -> None:
    """Print a comparison; ``conditions`` are what the runs differ in."""
    from rich.markup import escape

    title = " → ".join(escape(plain(name)) for name in names)
    counts = f"{len(comparison.worse)} went wrong, {len(comparison.better)} came right"
    console.print(f"[bold]{title}[/]  {counts}", highlight=False)
    for condition in conditions:
        console.print(f"  {escape(plain(condition))}", highlight=False)
    for flip in (*comparison.worse, *comparison.better):
        console.print(_flip_line(flip, questions.get(base_id(flip.question_id), "")), highlight=False)
    for ids, name in ((comparison.only_a, names[0]), (comparison.only_b, names[1])):
        if ids:
            console.print(f"[yellow]only in {escape(plain(name))}: {len(ids)} questions[/]", highlight=False)
    table = new_table(CAPTION, *HEAD)
    for change in comparison.changes:
        table.add_row(*change_cells(change))
    console.print()
    console.print(table)


def _flip_line(flip: Flip, question: str) -> Text:
    from rich.text import Text

    line = Text.from_markup(" [green]+[/] " if flip.better else " [red]−[/] ")
    cause = f"  ({flip.cause})" if flip.cause else ""
    return line.append(f"{flip.question_id}  {plain(question)}{cause}")


def p_value(p: float) -> str:
    """A p value as people read it.

    >>> p_value(0.0421), p_value(0.0000954)
    ('0.042', '<0.001')
    """
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def change_cells(change: Change) -> tuple[str, ...]:
    """A change as the cells of a table."""
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
