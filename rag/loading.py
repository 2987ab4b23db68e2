"""Files loaded and split, each under limits in a child process, several at a time, in the order asked.

What a file does to the code that reads it stays in that process: a file that never ends, crashes a library or
unpacks to more than there is memory is a LoadError like any other, and the next file is read.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from rag.errors import LoadError
from rag.loaders import load
from rag.loaders.worker import Limits, Worker, WorkerError
from rag.passages import split
from rag.records import Block, BlockKind, Document, Passage, Place
from rag.settings import PassageSettings

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

_HANDLE = "rag.loading:answer"
_MOST_WORKERS = 4  # each may take a gigabyte
_FILES_EACH = 12  # another process costs about as much time as so many small files
_SECONDS_PER_MB = 2.0
_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Loaded:
    """A file's document, and its passages in order."""

    document: Document
    passages: tuple[Passage, ...]


class Loader(Protocol):
    """Loads files and splits them."""

    def load_all(
        self, paths: Sequence[str], settings: PassageSettings, inside: Collection[str] | None
    ) -> Iterator[Loaded | LoadError]:
        """For each path in turn what it holds, or why that cannot be read."""


def load_here(path: str, settings: PassageSettings, inside: Collection[str] | None) -> Loaded:
    """A file loaded and split in this very process, with no limit but its size. Raises LoadError."""
    document = load(Path(path), max_bytes=settings.max_file_mb * _MB, inside=inside)
    return Loaded(document, tuple(split(document, settings)))


class Here:
    """Loads in this process: for code that knows its files, and for tests."""

    def load_all(
        self, paths: Sequence[str], settings: PassageSettings, inside: Collection[str] | None
    ) -> Iterator[Loaded | LoadError]:
        """For each path in turn what it holds, or why that cannot be read."""
        for path in paths:
            try:
                yield load_here(path, settings, inside)
            except LoadError as error:
                yield error


class LoadingPool:
    """Loads in child processes. Use it as a context manager: they end with the block."""

    def __init__(self, n_workers: int = 0) -> None:
        """``n_workers`` 0: one for each core this process may use, four at most."""
        n = n_workers or min(_MOST_WORKERS, n_cores())
        self._workers = [Worker(_HANDLE) for _ in range(n)]

    def start(self, settings: PassageSettings) -> None:
        """Let the first child start, while its parent does something else."""
        self._workers[0].start(settings.max_memory_mb)

    def load_all(
        self, paths: Sequence[str], settings: PassageSettings, inside: Collection[str] | None
    ) -> Iterator[Loaded | LoadError]:
        """For each path in turn what it holds, or why that cannot be read."""
        n = max(1, min(len(self._workers), len(paths) // _FILES_EACH))
        free: SimpleQueue[Worker] = SimpleQueue()
        for worker in self._workers[:n]:
            free.put(worker)

        def one(path: str) -> Loaded | LoadError:
            worker = free.get()
            try:
                return _ask(worker, path, settings, inside)
            finally:
                free.put(worker)

        if n == 1:
            yield from map(one, paths)
            return
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(n, thread_name_prefix="loading") as threads:
            try:
                yield from _in_order(threads, one, paths, ahead=4 * n)
            except BaseException:
                for worker in self._workers:
                    worker.abort()
                raise

    def close(self) -> None:
        """End the children."""
        for worker in self._workers:
            worker.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def n_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _in_order(threads: ThreadPoolExecutor, one: Any, paths: Iterable[str], ahead: int) -> Iterator[Any]:
    """Results in the order of the paths, at most ``ahead`` of them begun before they are wanted."""
    begun: deque[Future[Any]] = deque()
    for path in paths:
        begun.append(threads.submit(one, path))
        if len(begun) > ahead:
            yield begun.popleft().result()
    while begun:
        yield begun.popleft().result()


def _ask(
    worker: Worker, path: str, settings: PassageSettings, inside: Collection[str] | None
) -> Loaded | LoadError:
    try:
        megabytes = os.stat(path).st_size / _MB
    except (OSError, ValueError):
        megabytes = 0.0  # the child says what is wrong with it
    limits = Limits(
        seconds=settings.max_seconds + _SECONDS_PER_MB * min(megabytes, settings.max_file_mb),
        memory_mb=settings.max_memory_mb,
        text_mb=settings.max_file_mb,
    )
    request = {
        "path": path,
        "inside": None if inside is None else sorted(inside),
        "settings": asdict(settings),
    }
    try:
        header, text = worker.ask(request, limits)
    except WorkerError as error:
        return LoadError(path, error.reason)
    try:
        return _unpack(header, text, path)
    except (KeyError, TypeError, ValueError) as error:  # no answer of ours: the file has got at the child
        worker.stop()
        return LoadError(path, f"the reader of this format gave nonsense ({type(error).__name__})")


def answer(request: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """In the child: what a file holds, as a header and a text."""
    try:
        loaded = load_here(request["path"], PassageSettings(**request["settings"]), request["inside"])
    except LoadError as error:
        return {"problem": [error.path, error.reason, error.hint]}, ""
    except (MemoryError, RecursionError):
        raise
    except Exception as error:  # the splitter's: no text ends a run
        return {"problem": [request["path"], f"it cannot be split ({type(error).__name__})", ""]}, ""
    document = loaded.document
    header = {
        "document": [
            document.id,
            document.path,
            document.sha256,
            document.media_type,
            document.title,
            document.date,
            document.encoding,
        ],
        "places": [[place.start, place.page, place.line] for place in document.places],
        "blocks": [
            [str(b.kind), b.start, b.end, b.level, b.notice, list(b.lead) if b.lead else None]
            for b in document.blocks
        ],
        "notes": document.notes,
        "passages": [[p.start, p.end, p.heading, p.boilerplate] for p in loaded.passages],
    }
    return header, document.text


def _unpack(header: dict[str, Any], text: str, path: str) -> Loaded | LoadError:
    """What a child's answer says. Raises KeyError, TypeError or ValueError where it is none."""
    if "problem" in header:
        name, reason, hint = (_text(part) for part in header["problem"])
        return LoadError(name, reason, hint)
    own, name, sha256, media_type, title, date, encoding = header["document"]
    document = Document(
        id=_text(own),
        path=_text(name),
        sha256=_text(sha256),
        media_type=_text(media_type),
        text=text,
        title=_text_or_none(title),
        date=_text_or_none(date),
        encoding=_text_or_none(encoding),
        places=tuple(
            Place(_number(s), _number_or_none(p), _number_or_none(line)) for s, p, line in header["places"]
        ),
        blocks=tuple(_block(*block) for block in header["blocks"]),
        notes=tuple(_text(note) for note in header["notes"]),
    )
    if document.path != os.path.abspath(path):
        raise ValueError("the answer is for another file")
    passages = tuple(
        Passage(
            document.id,
            _number(start),
            _number(end),
            text[start:end],
            _text_or_none(heading),
            _text_or_none(why),
        )
        for start, end, heading, why in header["passages"]
    )
    return Loaded(document, passages)


def _block(kind: object, start: object, end: object, level: object, notice: object, lead: Any) -> Block:
    from_to = None if lead is None else (_number(lead[0]), _number(lead[1]))
    return Block(
        BlockKind(_text(kind)), _number(start), _number(end), _number(level), _text_or_none(notice), from_to
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("expected text")
    return value


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)


def _number(value: object) -> int:
    if type(value) is not int:
        raise TypeError("expected a whole number")
    return value


def _number_or_none(value: object) -> int | None:
    return None if value is None else _number(value)
