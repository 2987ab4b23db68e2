"""A run's figures on a screen: what was measured, how sure, by type, and why questions went wrong."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from eval.runs import Run
from eval.scoring import HEADLINE, METRICS
from eval.scoring.aggregate import latency
from eval.scoring.traits import FIGURES
from rag.text.sinks import without_unseen

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

STAGES = ("outcome", "retrieval", "reading", "citation", "abstention", "traits")


def plain(text: str) -> str:
    """A text without control characters or direction marks, in one line: fit for a terminal.

    >>> plain("a\\x1b[31mb\\n c\\u202e")
    'a[31mb c'
    """
    return without_unseen(text)


def screen() -> Console:
    """Stdout as a console: colour where it is taken, and tables whole where nobody's terminal folds them."""
    from rich.console import Console

    from rag.output.streams import coloured

    width = None if sys.stdout.isatty() else 160
    return Console(file=sys.stdout, width=width, no_color=not coloured(sys.stdout), highlight=False)


def percent(value: float | None) -> str:
    """A fraction as people read it.

    >>> percent(0.5), percent(1.0), percent(None)
    ('50.0', '100.0', '–')
    """
    return "–" if value is None else f"{100 * value:.1f}"


def interval(figures: Mapping[str, Any]) -> str:
    """An interval in per cent, or a dash."""
    return "–" if figures["low"] is None else f"{100 * figures['low']:.1f} … {100 * figures['high']:.1f}"


def power_sentence(figures: Mapping[str, Any]) -> str:
    """What this set cannot see.

    >>> power_sentence({"answerable": 85, "smallest_visible": 6 / 85})
    'With 85 answerable questions a change under 7.1 points cannot be seen.'
    """
    seen = figures["smallest_visible"]
    if seen is None:
        return f"{figures['answerable']} answerable questions are too few to see any change."
    n = figures["answerable"]
    return f"With {n} answerable questions a change under {100 * seen:.1f} points cannot be seen."


def show(run: Run, figures: Mapping[str, Any], console: Console) -> None:
    """Print the summary of a run."""
    counts = ", ".join(f"{n} {status}" for status, n in figures["statuses"].items())
    from rich.markup import escape

    console.print(f"[bold]{escape(plain(run.name))}[/]  {figures['n']} questions: {counts}", highlight=False)
    if run.missing:
        console.print(f"[yellow]cut short: {len(run.missing)} questions have no row yet[/]", highlight=False)
    for table in tables(run, figures):
        console.print()
        console.print(table)
    console.print()
    console.print(power_sentence(figures), highlight=False)


def tables(run: Run, figures: Mapping[str, Any]) -> list[Table]:
    """The tables of the summary: metrics, types, traits, confidence, failures, latency."""
    shown = [_metrics(figures), _types(figures)]
    if figures["by_trait"]:
        shown.append(_traits(figures))
    shown.append(_confidence(figures["abstention"]))
    if figures["by_ranker"]:
        shown.append(_rankers(figures["by_ranker"]))
    if figures["failures"]:
        shown.append(_failures(figures["failures"]))
    times = latency(run.timings())
    if times:
        shown.append(_latency(times))
    return shown


def new_table(title: str, *columns: str) -> Table:
    """An empty table: the first column to the left, figures to the right."""
    from rich import box
    from rich.table import Table

    table = Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        min_width=min(len(title), 72),  # a title is not folded because its columns are narrow
    )
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=number > 0)
    return table


def _metrics(figures: Mapping[str, Any]) -> Table:
    splits = list(figures["by_split"])
    table = new_table("per cent of questions", "metric", "all", "95 % interval", "n", *splits)
    for stage in STAGES:
        for metric, (its_stage, _) in METRICS.items():
            if its_stage != stage:
                continue
            overall = figures["metrics"][metric]
            table.add_row(
                f"[bold]{metric}[/]" if metric in HEADLINE else metric,
                percent(overall["mean"]),
                interval(overall),
                str(overall["n"]) if overall["n"] else "unmeasured",
                *(percent(figures["by_split"][split][metric]["mean"]) for split in splits),
            )
        table.add_section()
    return table


def _types(figures: Mapping[str, Any]) -> Table:
    columns = ("right", "hit@5", "f1", "citation_first", "answered", "abstained")
    table = new_table("by type, per cent", "type", "n", *columns)
    for name, means in figures["by_type"].items():
        table.add_row(
            name, str(figures["n_by_type"][name]), *(percent(means[metric]["mean"]) for metric in columns)
        )
    return table


def trait_rows(figures: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The cells of the table of traits: name, n, then each figure with how many it was measured on."""
    return [
        (name, str(values["n"]), *(measured(values[figure]) for figure in FIGURES))
        for name, values in figures["by_trait"].items()
    ]


def measured(values: Mapping[str, Any]) -> str:
    """A mean in per cent and how many questions it is of.

    >>> measured({"mean": 0.25, "n": 12}), measured({"mean": None, "n": 0})
    ('25.0 (12)', 'unmeasured')
    """
    return f"{percent(values['mean'])} ({values['n']})" if values["n"] else "unmeasured"


def alarm_sentence(figures: Mapping[str, Any]) -> str:
    """How often a disagreement is told where none is marked.

    >>> alarm_sentence({"false_alarms": {"mean": 0.25, "n": 12}})
    'False alarms: a disagreement is told on 25.0 per cent of the 12 questions marked as having none.'
    """
    alarms = figures["false_alarms"]
    if not alarms["n"]:
        return "False alarms of a disagreement are unmeasured: no question is marked as having none."
    share = f"a disagreement is told on {percent(alarms['mean'])} per cent"
    return f"False alarms: {share} of the {alarms['n']} questions marked as having none."


def _traits(figures: Mapping[str, Any]) -> Table:
    table = new_table(
        "by trait, per cent (of so many)", "trait", "n", *(name.replace("_", " ") for name in FIGURES)
    )
    for cells in trait_rows(figures):
        table.add_row(*cells)
    table.caption = alarm_sentence(figures)
    table.caption_justify = "left"
    return table


def confidence_rows(figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What confidence is worth, as (what, figure) pairs."""

    def number(value: float | None) -> str:
        return "–" if value is None else f"{value:.3f}"

    def pair(name: str) -> str:
        return f"{percent(figures[name]['precision'])} / {percent(figures[name]['recall'])}"

    def with_interval(name: str) -> str:
        bounds = figures["intervals"][name]
        return number(figures[name]) + (f"  ({bounds[0]:.3f} … {bounds[1]:.3f})" if bounds else "")

    return [
        ("AUROC, answerable or not", with_interval("auroc")),
        ("AUROC, right or wrong, of the answers given", number(figures["auroc_right"])),
        ("precision / recall, answered", pair("answered_only")),
        ("precision / recall, answered or weak", pair("answered_or_weak")),
        *((f"coverage at {p} % precision", percent(figures[f"coverage_at_{p}"])) for p in (80, 90, 95)),
        ("area under risk and coverage (0 best)", with_interval("risk_coverage_area")),
        ("calibration error (0 best)", number(figures["calibration_error"])),
    ]


def _confidence(figures: Mapping[str, Any]) -> Table:
    table = new_table("confidence", "what", "figure")
    for what, figure in confidence_rows(figures):
        table.add_row(what, figure)
    return table


def _rankers(rankers: Mapping[str, Mapping[str, float]]) -> Table:
    table = new_table("gold evidence by each ranker alone, per cent", "ranker", "hit@1", "hit@5", "hit@10")
    for name, values in rankers.items():
        table.add_row(name, *(percent(value) for value in values.values()))
    return table


def _failures(failures: Mapping[str, int]) -> Table:
    table = new_table("why questions went wrong", "cause", "questions")
    for cause, n in failures.items():
        table.add_row(cause, str(n))
    return table


def _latency(times: Mapping[str, Mapping[str, float]]) -> Table:
    table = new_table("milliseconds a question", "stage", "p50", "p95")
    for stage, values in times.items():
        table.add_row(stage, f"{values['p50']:.1f}", f"{values['p95']:.1f}")
    return table
