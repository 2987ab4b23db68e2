"""How far a long run is, on stderr: a bar on a terminal, a line every half minute where it is a pipe."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from rag.output.streams import coloured

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from rag.indexing import Progress


EVERY_SECONDS = 30.0  # between two lines: a log says that the run lives, and does not fill up


class Lines:
    """Says how far a stage is, at most every half minute; a short one says nothing."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._stage, self._total, self._done = "", 0, 0
        self._began = self._spoke = clock()

    def start(self, stage: str, total: int) -> None:
        """A stage begins that consists of ``total`` things."""
        self._stage, self._total, self._done = stage, total, 0
        self._began = self._spoke = self._clock()

    def advance(self, n: int = 1) -> None:
        """So many more of them are done."""
        self._done += n
        now = self._clock()
        if now - self._spoke < EVERY_SECONDS:
            return
        self._spoke = now
        rate = self._done / (now - self._began)
        left = (self._total - self._done) / rate if rate else 0.0
        print(
            f"{self._stage}: {self._done:,} of {self._total:,}, {rate:.0f}/s, about {_duration(left)} left",
            file=self._stream,
            flush=True,
        )

    def finish(self) -> None:
        """The stage has ended."""


def _duration(seconds: float) -> str:
    """A time as people say it.

    >>> _duration(41.4), _duration(600), _duration(9000)
    ('41 s', '10 min', '2 h 30 min')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


class Bar:
    """One bar at a time, with its rate and the time left; a stage that ends leaves no trace."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._task: TaskID | None = None

    def start(self, stage: str, total: int) -> None:
        """A stage begins that consists of ``total`` things."""
        self._task = self._bars.add_task(stage, total=total)

    def advance(self, n: int = 1) -> None:
        """So many more of them are done."""
        if self._task is not None:
            self._bars.advance(self._task, n)

    def finish(self) -> None:
        """The stage has ended."""
        if self._task is not None:
            self._bars.remove_task(self._task)
            self._task = None


@contextmanager
def progress() -> Iterator[Progress]:
    """What tells of a run on stderr, for the block."""
    if not sys.stderr.isatty():
        yield Lines(sys.stderr)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bars
    from rich.text import Text

    class Rate(ProgressColumn):
        """Things a second."""

        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:.0f}/s" if task.speed else "")

    plain = not coloured(sys.stderr)
    console = Console(file=sys.stderr, no_color=plain, highlight=False, markup=False, emoji=False)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=console, transient=True) as bars:
        yield Bar(bars)
