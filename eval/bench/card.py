"""The card on a screen: a column a size, a row a figure; then other systems, and what must be known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from eval.peers.table import number
from eval.reports.tables import new_table, plain

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

Figures = Mapping[str, Any]
QUESTION_STAGES = ("encode", "dense", "lexical", "fuse", "read", "cite")
INDEX_STAGES = ("load", "prepare", "embed", "group", "write")
DASH = "–"


def show(card: Figures, console: Console) -> None:
    """Print the card."""
    from rich.markup import escape

    for line in machine_lines(card):
        console.print(escape(plain(line)), highlight=False, soft_wrap=True)
    if card["sizes"]:
        console.print(_sizes(card["sizes"]))
    others = [(one, peer) for one in card["sizes"] for peer in one.get("peers", ())]
    if any(not peer["why"] for _, peer in others):
        console.print(_peers(others))
    for one, peer in others:
        if peer["why"]:
            line = f"not run at {one['n_passages']:,}: {peer['name']}: {peer['why']}"
            console.print(escape(plain(line)), highlight=False, soft_wrap=True)


def machine_lines(card: Figures) -> list[str]:
    """What it ran on, what that can do at most, and how busy it was."""
    machine, limits = card["machine"], card["limits"]
    lines = [
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB; "
        f"{' '.join(machine['isa'])}; {card['threads']} threads; {card['made'][:10]}"
    ]
    if limits:
        lines.append(
            f"limits: matrix product {number(limits['matmul_fp32_gflops'])} GFLOP/s in fp32, "
            f"{number(limits['matmul_bf16_gflops'])} in bf16; "
            f"memory read {number(limits['memory_read_gb_per_second'])} GB/s"
        )
    load = machine["load_average"]
    if load is not None and load > machine["cores"] / 2:
        lines.append(f"the machine was busy (load {load:.1f}): times are too long, and so are the limits low")
    return lines


def _sizes(sizes: list[Figures]) -> Table:
    table = new_table("", "passages", *(f"{one['n_passages']:,}" for one in sizes))
    for label, cell in _rows():
        cells = [_cell(cell, one) for one in sizes]
        if any(text != DASH for text in cells):
            table.add_row(label, *cells)
    return table


def _cell(cell: Callable[[Figures], str], one: Figures) -> str:
    try:
        return cell(one)
    except KeyError:  # a part that was not asked for
        return DASH


def _rows() -> list[tuple[str, Callable[[Figures], str]]]:
    """Each row's name and what stands in it for one size."""
    rows: list[tuple[str, Callable[[Figures], str]]] = [
        ("vectors", lambda one: one["vectors"]),
        ("a question, p50 / p95 / p99 ms", lambda one: _latency(one, "total")),
        ("  search: dense, lexical, fuse", lambda one: _latency(one, "search")),
    ]
    rows += [(f"  {stage}", lambda one, stage=stage: _latency(one, stage)) for stage in QUESTION_STAGES]  # type: ignore[misc]
    rows += [
        ("  time of cores a question, ms", lambda one: number(one["ask"]["cpu_ms"])),
        ("rag ask in a new process, p50 ms", lambda one: number(one["cold"]["p50_ms"])),
        ("opening the store / with models, ms", lambda one: _pair(one["open"], "store_ms", "assistant_ms")),
        ("a reader's memory / its own, MB", lambda one: _pair(one["memory"], "resident_mb", "own_mb")),
        ("disk, bytes a passage", lambda one: f"{one['disk']['bytes_per_passage']:,.0f}"),
        ("indexing, passages/s", lambda one: number(one["index"]["passages_per_second"])),
    ]
    rows += [(f"  {stage}", lambda one, stage=stage: _rate(one, stage)) for stage in INDEX_STAGES]  # type: ignore[misc]
    rows += [
        ("  time of cores a passage, ms", _cpu),
        ("  its memory at most, MB", lambda one: number(one["index"]["peak_memory_mb"])),
        ("adding, s / MB written", lambda one: _change(one["add"])),
        ("deleting, s / MB written", lambda one: _change(one["delete"])),
    ]
    return rows


def _latency(one: Figures, stage: str) -> str:
    times = one["ask"]["latency_ms"][stage]
    return " / ".join(number(times[name]) for name in ("p50", "p95", "p99"))


def _pair(figures: Figures, a: str, b: str) -> str:
    return f"{number(figures[a])} / {number(figures[b])}"


def _cpu(one: Figures) -> str:
    return number(1e3 * one["index"]["cpu_seconds"] / one["n_passages"])


def _rate(one: Figures, stage: str) -> str:
    seconds = one["index"]["stages"][stage]
    return f"{one['n_passages'] / seconds:,.0f}" if seconds > 0 else DASH


def _change(figures: Figures) -> str:
    return f"{figures['n']:,}: {number(figures['seconds'])} / {number(figures['written_bytes'] / 1e6)}"


def _peers(rows: list[tuple[Figures, Figures]]) -> Table:
    table = new_table(
        "other systems, same passages and questions",
        "system",
        "passages",
        "vectors",
        "indexed\npassages/s",
        "search\np50 / p95 ms",
        "whole\np50 / p95 ms",
        "memory\npeak MB",
    )
    for one, peer in rows:
        if not peer["why"]:
            times = peer["latency_ms"]
            table.add_row(
                plain(peer["name"]),
                f"{one['n_passages']:,}",
                peer["vectors"] or DASH,
                number(peer["passages_per_second"]),
                _pair(times["search"], "p50", "p95"),
                _pair(times["total"], "p50", "p95") if peer["reads"] else DASH,
                number(peer["peak_mb"]),
            )
    return table
