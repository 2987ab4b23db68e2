"""A lane: one thread with one opened store or assistant, and a bounded line of requests for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from rag.errors import RagError
from rag.store.manifest import read_current
from rag.store.tags import read_tag

R = TypeVar("R")


class Closable(Protocol):
    """What a lane opens: it can be closed."""

    def close(self) -> None:
        """Let go of the files."""


T = TypeVar("T", bound=Closable)


class LaneFullError(Exception):
    """As many requests wait as may wait."""


class Lane(Generic[T]):
    """Runs work on what ``open_it`` opens, one piece after another in a thread of its own.

    Before each piece it looks at which generation the store at ``path`` serves, or its tag ``at`` keeps, and
    opens a new one; one that cannot be opened is told in ``problem``, and the one before it still serves.
    ``n_places`` counts the request at work too.
    """

    def __init__(self, path: Path, open_it: Callable[[], T], *, n_places: int, at: str | None = None) -> None:
        self._path = path
        self._at = at
        self._open = open_it
        self._n_places = n_places
        self._n_taken = 0
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rag-serve")
        self._served: tuple[int, str] | None = None
        self._refused: tuple[int, str] | None = None
        self.opened: T | None = None
        self.problem: RagError | None = None

    def start(self) -> None:
        """Open what is served; raises what opening it raises."""
        self._thread.submit(self._newest).result()

    @property
    def n_waiting(self) -> int:
        """How many requests are in the lane, the one at work included."""
        return self._n_taken

    async def run(self, work: Callable[[T], R]) -> R:
        """The result of some work; raises LaneFullError at once where every place is taken.

        Whoever stops waiting gives up the place if the work has not begun, and else when it ends.
        """
        with self._lock:
            if self._n_taken >= self._n_places:
                raise LaneFullError
            self._n_taken += 1
        job = self._thread.submit(lambda: work(self._newest()))
        job.add_done_callback(self._leave)
        return await asyncio.wrap_future(job)

    def _leave(self, _: Future[R]) -> None:
        with self._lock:
            self._n_taken -= 1

    def _newest(self) -> T:
        """What is open, of the generation that the store serves now."""
        try:
            served = read_current(self._path) if self._at is None else read_tag(self._path, self._at)
        except (RagError, OSError):
            served = None  # what is open stays whole, whatever became of the folder
        if self.opened is None:
            self.opened, self._served = self._open(), served
        elif served is not None and served not in (self._served, self._refused):
            self._reopen(served)
        return self.opened

    def _reopen(self, served: tuple[int, str]) -> None:
        before = self.opened
        try:
            self.opened = self._open()
        except RagError as error:
            self._refused, self.problem = served, error
            return
        self._served, self.problem = served, None
        if before is not None:
            before.close()

    def close(self, wait_seconds: float) -> bool:
        """Close what is open once its work has ended; False when it has not by then."""
        last = self._thread.submit(self._close)
        self._thread.shutdown(wait=False)
        return not wait([last], wait_seconds).not_done

    def _close(self) -> None:
        if self.opened is not None:
            self.opened.close()
            self.opened = None
