"""The comparison on a screen: one line a system, how sure the differences are, then the fine print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from eval.peers.figures import MEANINGS, QUALITY
from eval.reports.tables import new_table, percent, plain, power_sentence
from eval.significance import smallest_visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

# Passages indexed a second, milliseconds until passages are found, milliseconds for the whole question.
SPEED = ("indexed\npassages/s", "found\np50 ms", "whole\np50 ms", "whole\np95 ms", "memory\npeak MB")
WIDE = 140  # cells that one table of everything takes
COMPARED = ("hit@1", "hit@5", "mrr@10", "em", "f1")


def show(report: Mapping[str, Any], console: Console) -> None:
    """Print the comparison."""
    from rich.markup import escape

    systems, questions = report["systems"], report["questions"]
    title = f"{questions['n']} questions, {questions['answerable']} answerable; {report['threads']} threads"
    quality, speed = [f"{name}\n%" for name in QUALITY], list(SPEED)
    if console.width >= WIDE:
        console.print(_systems(title, systems, quality + speed, slice(None)))
    else:
        console.print(_systems(title, systems, quality, slice(None, len(quality))))
        console.print(_systems("speed and memory", systems, speed, slice(len(quality), None)))
    compared = [system for system in systems if system["ran"] and system["against_ours"]]
    if compared:
        console.print()
        console.print(_differences(compared, COMPARED if console.width >= WIDE else ("hit@1", "f1")))
    console.print()
    n = questions["answerable"]
    visible = {"answerable": n, "smallest_visible": smallest_visible(n)}
    for line in (power_sentence(visible), *notes(report)):
        console.print(escape(plain(line)), highlight=False, soft_wrap=True)


def notes(report: Mapping[str, Any]) -> list[str]:
    """What must be known to read the figures: what did not run, what failed, how it was measured."""
    systems, n = report["systems"], report["questions"]["n"]
    lines = [f"not run: {system['name']}: {system['why']}" for system in systems if not system["ran"]]
    lines += [
        f"{system['name']}: at {system['failures']['n']} of {n} questions it failed, "
        f"which counts as no answer: {system['failures']['first']}"
        for system in systems
        if system["ran"] and system["failures"]["n"]
    ]
    lines += [f"{system['name']}: {system['about']}" for system in systems if system["ran"]]
    return [*lines, *report["method"], "; ".join(f"{name}: {said}" for name, said in MEANINGS.items())]


def _systems(title: str, systems: list[Mapping[str, Any]], columns: list[str], part: slice) -> Table:
    table = new_table(title, "system", *columns)
    for system in systems:
        cells = _cells(system)[part] if system["ran"] else ["not run", *["–"] * (len(columns) - 1)]
        table.add_row(plain(f"{system['name']} {system['version'] or ''}"), *cells)
    return table


def _cells(system: Mapping[str, Any]) -> list[str]:
    quality, times = system["quality"], system["latency_ms"]
    speed = (
        system["passages_per_second"],
        times["find"]["p50"],
        times["total"]["p50"],
        times["total"]["p95"],
        system["memory_mb"],
    )
    return [*(percent(quality[name]["mean"]) for name in QUALITY), *map(number, speed)]


def number(value: float | None) -> str:
    """A figure with three digits that say something.

    >>> number(1234.5), number(45.678), number(3.456), number(None)
    ('1234', '45.7', '3.46', '–')
    """
    if value is None:
        return "–"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _differences(systems: list[Mapping[str, Any]], metrics: Sequence[str]) -> Table:
    table = new_table("against ours, points (95 % interval, paired bootstrap)", "system", *metrics)
    for system in systems:
        against = system["against_ours"]
        table.add_row(plain(system["name"]), *(_points(against[name]) for name in metrics))
    return table


def _points(figures: Mapping[str, Any]) -> str:
    if figures["mean"] is None:
        return "–"
    mean, low, high = (100 * figures[name] for name in ("mean", "low", "high"))
    return f"{mean:+.1f} ({low:+.1f} … {high:+.1f})"
