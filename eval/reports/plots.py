"""Small plots as inline SVG, drawn in the page's own colours so that they follow light and dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from eval.scoring.confidence import Bin, CoveragePoint

WIDTH, HEIGHT = 340, 240
LEFT, TOP, RIGHT, BOTTOM = 46, 12, 14, 40


def _x(share: float) -> float:
    return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)


def _y(share: float) -> float:
    return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def _text(x: float, y: float, words: str, anchor: str = "middle", extra: str = "") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}"{extra}>{escape(words)}</text>'


def _frame(title: str, across: str, up: str, body: str, top: float = 1.0) -> str:
    """A square frame with quarter lines; ``top`` is the value of the upper edge."""
    parts = []
    for step in (0, 0.25, 0.5, 0.75, 1):
        parts.append(f'<path class="grid" d="M{_x(0)} {_y(step)}H{_x(1)}M{_x(step)} {_y(0)}V{_y(1)}"/>')
        parts.append(_text(_x(0) - 6, _y(step) + 4, f"{100 * step * top:g}", "end"))
        parts.append(_text(_x(step), _y(0) + 15, f"{100 * step:g}"))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(_text(_x(0.5), HEIGHT - 6, across))
    parts.append(_text(12, middle, up, extra=f' transform="rotate(-90 12 {middle})"'))
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{''.join(parts)}{body}</svg>"
    )


def risk_coverage_plot(curves: Mapping[str, Sequence[CoveragePoint]]) -> str:
    """Share of wrong answers against share of questions answered, a line a run."""
    lines = []
    for number, (name, points) in enumerate(curves.items()):
        path = "".join(f"{'L' if i else 'M'}{_x(p.coverage)} {_y(p.risk)}" for i, p in enumerate(points))
        lines.append(f'<path class="line run{number}" d="{path}"><title>{escape(name)}</title></path>')
    return _frame("Risk and coverage", "questions answered, %", "of them wrong, %", "".join(lines))


def reliability_plot(bins: Mapping[str, Sequence[Bin]]) -> str:
    """How often answers are right against how sure they are, a dot a bin; the diagonal is ideal."""
    parts = [f'<path class="ideal" d="M{_x(0)} {_y(0)}L{_x(1)} {_y(1)}"/>']
    most = max((b.n for group in bins.values() for b in group), default=1)
    for number, (name, group) in enumerate(bins.items()):
        for b in group:
            radius = round(2.5 + 7 * (b.n / most) ** 0.5, 1)
            told = f"{name}: {b.n} answers, {b.confidence:.2f} sure, {b.right:.2f} right"
            parts.append(
                f'<circle class="dot run{number}" cx="{_x(b.confidence)}" cy="{_y(b.right)}" r="{radius}">'
                f"<title>{escape(told)}</title></circle>"
            )
    return _frame("Reliability", "confidence, %", "right, %", "".join(parts))


def latency_plot(stages: Mapping[str, Mapping[str, float]]) -> str:
    """Milliseconds at the median (solid) and the 95th percentile (pale), a bar a stage."""
    row, left = 26, 76
    height = row * max(1, len(stages)) + 30
    most = max((values["p95"] for values in stages.values()), default=0) or 1.0
    scale = (WIDTH - left - 96) / most
    parts = []
    for number, (stage, values) in enumerate(stages.items()):
        y = 8 + number * row
        for share, style in (("p95", "pale"), ("p50", "solid")):
            width = max(1, values[share] * scale)
            parts.append(f'<rect class="{style}" x="{left}" y="{y}" height="16" width="{width:.1f}"/>')
        parts.append(_text(left - 6, y + 12, stage, "end"))
        told = f"{_short(values['p50'])} / {_short(values['p95'])} ms"
        parts.append(_text(round(left + values["p95"] * scale + 6, 1), y + 12, told, "start"))
    parts.append(_text(WIDTH / 2, height - 6, "median / 95th percentile"))
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="Latency by stage">'
        f"<title>Latency by stage</title>{''.join(parts)}</svg>"
    )


def _short(milliseconds: float) -> str:
    return f"{milliseconds:.0f}" if milliseconds >= 10 else f"{milliseconds:.1f}"
