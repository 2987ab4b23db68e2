"""A long run says in a log that it lives, and a short one says nothing."""

from __future__ import annotations

import io

from rag.output.progress_bar import Lines


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_line_every_half_minute_says_how_far_how_fast_and_how_long() -> None:
    clock, stream = Clock(), io.StringIO()
    lines = Lines(stream, clock)
    lines.start("embedding", 12_000)
    for _ in range(70):
        clock.now += 1
        lines.advance(40)
    assert stream.getvalue().splitlines() == [
        "embedding: 1,200 of 12,000, 40/s, about 4 min left",
        "embedding: 2,400 of 12,000, 40/s, about 4 min left",
    ]


def test_a_short_stage_says_nothing() -> None:
    clock, stream = Clock(), io.StringIO()
    lines = Lines(stream, clock)
    for _ in range(5):
        lines.start("reading", 10)
        clock.now += 20
        lines.advance(10)
        lines.finish()
    assert stream.getvalue() == ""
