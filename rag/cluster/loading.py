"""Files read on all nodes of a Ray cluster, each in a child process under the limits it has here."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from types import TracebackType
from typing import Any, Self

from rag.cluster import connect, n_cpus
from rag.errors import ClusterError, LoadError
from rag.loading import Loaded, LoadingPool
from rag.settings import PassageSettings

CHUNK = 16  # files a message: a child takes about as long to start as to read so many small ones
AHEAD = 2  # chunks that wait at each actor


class RayLoadingPool:
    """Loads on the nodes, which must see the files under the paths they have here.

    An actor that is lost is started again by Ray, elsewhere if need be, and reads its files again.
    """

    def __init__(self, address: str) -> None:
        self._address = address

    def start(self, settings: PassageSettings) -> None:
        """Join the cluster; a reader is started when there is something to read."""
        connect(self._address)

    def load_all(
        self, paths: Sequence[str], settings: PassageSettings, inside: Collection[str] | None
    ) -> Iterator[Loaded | LoadError]:
        """For each path in turn what it holds, or why that cannot be read."""
        if len(paths) <= CHUNK:
            with LoadingPool() as here:
                yield from here.load_all(paths, settings, inside)
            return
        connect(self._address)
        import ray

        chunks = [list(paths[start : start + CHUNK]) for start in range(0, len(paths), CHUNK)]
        actor = ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=-1)(Reading)
        actors = [actor.remote(settings, inside) for _ in range(min(n_cpus(), len(chunks)))]
        begun: deque[Any] = deque()
        try:
            for number, chunk in enumerate(chunks):
                begun.append(actors[number % len(actors)].load.remote(chunk))
                if len(begun) > AHEAD * len(actors):
                    yield from ray.get(begun.popleft())
            while begun:
                yield from ray.get(begun.popleft())
        except ray.exceptions.RayError as error:
            last = str(error).strip().splitlines()[-1]
            raise ClusterError(f"the cluster could not read files: {last}", "ray status") from error
        finally:
            for each in actors:
                ray.kill(each)  # its core is wanted for the encoder; its child ends with it

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


class Reading:
    """What an actor runs: one child process that loads and splits."""

    def __init__(self, settings: PassageSettings, inside: Collection[str] | None) -> None:
        self._settings, self._inside = settings, inside
        self._pool = LoadingPool(1)

    def load(self, paths: list[str]) -> list[Loaded | LoadError]:
        """What each file holds, or why it cannot be read."""
        return list(self._pool.load_all(paths, self._settings, self._inside))
