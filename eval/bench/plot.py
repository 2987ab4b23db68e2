"""The card as one picture: milliseconds, rates and weights over the number of passages, as SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

Point = tuple[float, float]
Lines = Mapping[str, Sequence[Point]]

WIDTH, HEIGHT = 380, 300  # of one panel
LEFT, TOP, RIGHT, BOTTOM = 52, 34, 104, 40
COLOURS = ("#1b6ca8", "#c1440e", "#2e7d32", "#7b4ea3", "#8d6e00", "#00796b", "#ad1457", "#546e7a")
STYLE = "text{font:11px sans-serif;fill:#222}.t{font-weight:bold}.g{stroke:#ddd}.f{fill:none;stroke:#888}"


def svg(card: Mapping[str, Any]) -> str:
    """The picture: three panels side by side, both axes logarithmic."""
    sizes = card["sizes"]
    machine = card["machine"]
    about = f"{machine['processor']}, {card['threads']} threads, {card['made'][:10]}"
    panels = [
        panel("milliseconds a question", _question_lines(sizes), 0),
        panel("passages a second, indexing", _index_lines(sizes), 1),
        panel("bytes a passage; memory in MB", _weight_lines(sizes), 2),
    ]
    width, height = 3 * WIDTH, HEIGHT + 24
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="rag bench"><style>{STYLE}</style>'
        f'<rect width="{width}" height="{height}" fill="#fff"/>{"".join(panels)}'
        f'<text x="{LEFT}" y="{HEIGHT + 14}">{escape(about)}</text></svg>\n'
    )


def _over_sizes(sizes: Sequence[Mapping[str, Any]], value: Callable[[Mapping[str, Any]], Any]) -> list[Point]:
    """The sizes at which there is a figure above 0, and the figure."""
    points = []
    for one in sizes:
        try:
            figure = value(one)
        except (KeyError, StopIteration, ZeroDivisionError):  # not measured at this size
            continue
        if figure:
            points.append((float(one["n_passages"]), float(figure)))
    return points


def _question_lines(sizes: Sequence[Mapping[str, Any]]) -> Lines:
    def ours(stage: str, share: str) -> list[Point]:
        return _over_sizes(sizes, lambda one: one["ask"]["latency_ms"][stage][share])

    lines = {
        "whole p50": ours("total", "p50"),
        "whole p95": ours("total", "p95"),
        "search p50": ours("search", "p50"),
        "search p95": ours("search", "p95"),
    }
    names = dict.fromkeys(peer["name"] for one in sizes for peer in one.get("peers", ()))
    for name in names:
        shown = name.replace("sentence-transformers + faiss", "plain loop")
        lines[f"{shown} p50"] = _over_sizes(
            sizes,
            lambda one, name=name: next(p for p in one["peers"] if p["name"] == name)["latency_ms"]["search"][  # type: ignore[misc]
                "p50"
            ],
        )
    return lines


def _index_lines(sizes: Sequence[Mapping[str, Any]]) -> Lines:
    lines = {"whole": _over_sizes(sizes, lambda one: one["index"]["passages_per_second"])}
    for stage in ("load", "prepare", "embed", "group", "write"):
        lines[stage] = _over_sizes(
            sizes,
            lambda one, stage=stage: one["n_passages"] / one["index"]["stages"][stage],  # type: ignore[misc]
        )
    return lines


def _weight_lines(sizes: Sequence[Mapping[str, Any]]) -> Lines:
    return {
        "disk, B": _over_sizes(sizes, lambda one: one["disk"]["bytes_per_passage"]),
        "reader, MB": _over_sizes(sizes, lambda one: one["memory"]["resident_mb"]),
        "indexing, MB": _over_sizes(sizes, lambda one: one["index"]["peak_memory_mb"]),
    }


def decades(low: float, high: float) -> list[float]:
    """The powers of ten from the one at or below ``low`` to the one at or above ``high``, two at least.

    >>> decades(3, 250), decades(10, 10)
    ([1.0, 10.0, 100.0, 1000.0], [10.0, 100.0])
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return [10.0**power for power in range(first, max(last, first + 1) + 1)]


def panel(title: str, lines: Lines, number: int) -> str:
    """One panel, the ``number``-th from the left: a grid, a line a figure, its name at the right."""
    drawn = {name: points for name, points in lines.items() if points}
    at = f'<g transform="translate({number * WIDTH} 0)">'
    head = f'<text class="t" x="{LEFT}" y="20">{escape(title)}</text>'
    if not drawn:
        return f'{at}{head}<text x="{LEFT}" y="{TOP + 20}">not measured</text></g>'
    points = [point for each in drawn.values() for point in each]
    xs = decades(min(x for x, _ in points), max(x for x, _ in points))
    ys = decades(min(y for _, y in points), max(y for _, y in points))

    def across(x: float) -> float:
        return round(LEFT + _share(x, xs) * (WIDTH - LEFT - RIGHT), 1)

    def up(y: float) -> float:
        return round(HEIGHT - BOTTOM - _share(y, ys) * (HEIGHT - TOP - BOTTOM), 1)

    parts = [at, head]
    for x in xs:
        parts.append(f'<line class="g" x1="{across(x)}" x2="{across(x)}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
        parts.append(
            f'<text x="{across(x)}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{_tick(x)}</text>'
        )
    for y in ys:
        parts.append(f'<line class="g" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{up(y)}" y2="{up(y)}"/>')
        parts.append(f'<text x="{LEFT - 5}" y="{up(y) + 4}" text-anchor="end">{_tick(y)}</text>')
    names = _apart({name: up(each[-1][1]) for name, each in drawn.items()})
    for place, (name, each) in enumerate(drawn.items()):
        colour = COLOURS[place % len(COLOURS)]
        path = " ".join(f"{across(x)},{up(y)}" for x, y in each)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        parts += [f'<circle cx="{across(x)}" cy="{up(y)}" r="2.5" fill="{colour}"/>' for x, y in each]
        label = f'<text x="{WIDTH - RIGHT + 6}" y="{names[name] + 4}" style="fill:{colour}">'
        parts.append(f"{label}{escape(name)}</text>")
    return "".join([*parts, "</g>"])


def _tick(value: float) -> str:
    """A power of ten as it is written.

    >>> _tick(0.01), _tick(1e6)
    ('0.01', '1,000,000')
    """
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def _share(value: float, ticks: Sequence[float]) -> float:
    low, high = math.log10(ticks[0]), math.log10(ticks[-1])
    return (math.log10(value) - low) / (high - low)


def _apart(places: Mapping[str, float], gap: float = 13.0) -> dict[str, float]:
    """Heights of labels moved down until none stands on another.

    >>> _apart({"a": 50.0, "b": 45.0}, 10.0)
    {'b': 45.0, 'a': 55.0}
    """
    moved: dict[str, float] = {}
    last = -math.inf
    for name, height in sorted(places.items(), key=lambda each: each[1]):
        last = moved[name] = max(height, last + gap)
    return moved
