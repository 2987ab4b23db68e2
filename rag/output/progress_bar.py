"""How far a long run is, on stderr when that is a terminal and nowhere else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rag.output.streams import coloured

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from rag.indexing import Progress


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
def progress() -> Iterator[Progress | None]:
    """A bar on stderr for the block; None where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield None
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
