"""Small plots as plain coordinates; ``templates/plots.html`` draws them in the page's own colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.scoring.confidence import Bin, CoveragePoint

WIDTH, HEIGHT = 340, 240
LEFT, TOP, RIGHT, BOTTOM = 46, 12, 14, 40

BAR_LEFT, BAR_RIGHT, BAR_ROW = 76, 96, 26  # of the latency plot: stage names, figures, a line's height


def across(share: float) -> float:
    """The x of a share 0..1 inside the frame."""
    return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)


def up(share: float) -> float:
    """The y of a share 0..1 inside the frame."""
    return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


@dataclass(frozen=True, slots=True)
class Tick:
    """A quarter of the frame: its place on either axis and the per cent written there."""

    x: float
    y: float
    label: str


TICKS = tuple(Tick(across(step), up(step), f"{100 * step:g}") for step in (0, 0.25, 0.5, 0.75, 1))


@dataclass(frozen=True, slots=True)
class Line:
    """The curve of one run as an SVG path; runs are told apart by number."""

    name: str
    run: int
    path: str


@dataclass(frozen=True, slots=True)
class Dot:
    """Answers of like confidence, a larger dot for more of them."""

    x: float
    y: float
    radius: float
    run: int
    label: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A stage's milliseconds: the widths of the median and of the 95th percentile."""

    stage: str
    y: int
    median_width: str
    high_width: str
    label_x: float
    label: str


@dataclass(frozen=True, slots=True)
class LatencyPlot:
    """A bar a stage, and how high the drawing is."""

    bars: tuple[Bar, ...]
    height: int


def risk_coverage_lines(curves: Mapping[str, Sequence[CoveragePoint]]) -> list[Line]:
    """Share of wrong answers against share of questions answered, a line a run."""
    return [
        Line(
            name,
            run,
            "".join(f"{'L' if i else 'M'}{across(p.coverage)} {up(p.risk)}" for i, p in enumerate(points)),
        )
        for run, (name, points) in enumerate(curves.items())
    ]


def reliability_dots(bins: Mapping[str, Sequence[Bin]]) -> list[Dot]:
    """How often answers are right against how sure they are, a dot a bin."""
    most = max((b.n for group in bins.values() for b in group), default=1)
    return [
        Dot(
            across(b.confidence),
            up(b.right),
            round(2.5 + 7 * (b.n / most) ** 0.5, 1),
            run,
            f"{name}: {b.n} answers, {b.confidence:.2f} sure, {b.right:.2f} right",
        )
        for run, (name, group) in enumerate(bins.items())
        for b in group
    ]


def latency_plot(stages: Mapping[str, Mapping[str, float]]) -> LatencyPlot:
    """Milliseconds at the median and the 95th percentile, a bar a stage."""
    most = max((times["p95"] for times in stages.values()), default=0) or 1.0
    scale = (WIDTH - BAR_LEFT - BAR_RIGHT) / most
    bars = tuple(
        Bar(
            stage,
            8 + row * BAR_ROW,
            f"{max(1, times['p50'] * scale):.1f}",
            f"{max(1, times['p95'] * scale):.1f}",
            round(BAR_LEFT + times["p95"] * scale + 6, 1),
            f"{_milliseconds(times['p50'])} / {_milliseconds(times['p95'])} ms",
        )
        for row, (stage, times) in enumerate(stages.items())
    )
    return LatencyPlot(bars, BAR_ROW * max(1, len(stages)) + 30)


def _milliseconds(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"
