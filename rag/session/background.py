"""Work behind the prompt: models load while a question is typed, and an answer can be left to itself."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from typing import TypeVar

from rag.assistant import Assistant
from rag.errors import RagError
from rag.session.screen import Screen

T = TypeVar("T")
TICK_SECONDS = 0.1  # between two looks at the work, while a spinner turns
_WARMING = "what is this about?"  # any question: the first run of a model is the slowest


class Background:
    """One assistant, opened and asked in a thread of its own, one job after another.

    ``open_assistant`` makes it; ``prepare`` is called with it once it is warm. Whoever waits may stop waiting
    (Ctrl-C): the job then ends by itself and nobody hears of it.
    """

    def __init__(
        self, open_assistant: Callable[[], Assistant], prepare: Callable[[Assistant], object] | None = None
    ) -> None:
        self._open = open_assistant
        self._prepare = prepare
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._assistant: Assistant | None = None
        self._failed: RagError | None = None
        self._thread = threading.Thread(target=self._work, name="rag-session", daemon=True)

    def start(self, *, warm: bool = True) -> None:
        """Begin to open the assistant; returns at once. Begun before, it goes on."""
        if self._thread.is_alive():
            return
        self._thread.start()
        self._submit(self._opened)
        if warm:
            self._submit(self._warmed)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()

    def _submit(self, work: Callable[[], T]) -> Future[T]:
        future: Future[T] = Future()

        def job() -> None:
            try:
                future.set_result(work())
            except BaseException as error:  # it is raised again where the result is wanted
                future.set_exception(error)

        self._jobs.put(job)
        return future

    def _opened(self) -> Assistant:
        """The assistant; one that could not be opened is tried again."""
        if self._assistant is None:
            self._failed = None
            try:
                self._assistant = self._open()
            except RagError as error:
                self._failed = error
                raise
        return self._assistant

    def _warmed(self) -> None:
        if self._assistant is not None:
            self._assistant.ask(_WARMING)
            if self._prepare is not None:
                self._prepare(self._assistant)

    def _reopened(self) -> Assistant:
        before, self._assistant = self._assistant, None
        try:
            return self._opened()
        except RagError:
            self._assistant, before = before, None  # the generation that was open still serves
            raise
        finally:
            if before is not None:
                before.close()

    @property
    def state(self) -> str:
        """What a prompt may say: "loading", "failed", or nothing when all is well."""
        if self._failed is not None:
            return "failed"
        return "" if self._assistant is not None else "loading"

    @property
    def ready(self) -> Assistant | None:
        """The assistant if it is open already."""
        return self._assistant

    def run(self, work: Callable[[Assistant], T], screen: Screen, stage: str) -> T:
        """The result of some work with the assistant; KeyboardInterrupt leaves the work to itself."""
        return self._wait(self._submit(lambda: work(self._opened())), screen, stage)

    def reopen(self, screen: Screen) -> Assistant:
        """The assistant over the generation that the store serves now."""
        return self._wait(self._submit(self._reopened), screen, "opening the new generation")

    def _wait(self, future: Future[T], screen: Screen, stage: str) -> T:
        spinner = screen.spinner()
        try:
            while True:
                try:
                    return future.result(TICK_SECONDS)
                except NotYet:
                    if future.done():  # the work itself timed out: that is its own error
                        raise
                    spinner.turn(stage if self._assistant is not None else "loading the models")
        finally:
            spinner.clear()

    def close(self, wait_seconds: float = 2.0) -> bool:
        """Let the assistant go once its work has ended; False when it has not by then."""
        if self._thread.is_alive():
            self._jobs.put(None)
            self._thread.join(wait_seconds)
            if self._thread.is_alive():
                return False
        if self._assistant is not None:
            self._assistant.close()
            self._assistant = None
        return True
