"""What a system is given, what it gives back, and both as JSON between two processes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class SharedPassage:
    """A passage as every system gets it: ``text`` is header and words, the place that of the words alone."""

    document: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is put."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Task:
    """The job of one process. Row i is passage i; ``k`` hits are wanted; paths are absolute.

    ``corpus`` is for our own system alone, ``store`` a folder it may write its index to. ``reader`` is the
    folder of our reader's weights in the form of the transformers library. ``vectors`` is an .npy file of the
    passages' vectors (n, d) for systems that can take them finished; empty: each makes its own.
    """

    passages: tuple[SharedPassage, ...]
    questions: tuple[Asked, ...]
    corpus: str
    store: str
    encoder: str
    reader: str
    threads: int
    k: int
    vectors: str = ""

    @property
    def texts(self) -> list[str]:
        """The passages' texts, by row."""
        return [passage.text for passage in self.passages]


@dataclass(frozen=True, slots=True)
class Found:
    """What a system gives a question: rows best first, ``find_ms`` milliseconds until they were there.

    ``answer`` and ``status`` (answered, weak, abstained) are None for a system that does not read; ``source``
    is the row the answer is taken from, where the system says. ``failure`` is what went wrong while reading.
    """

    rows: tuple[int, ...]
    find_ms: float
    answer: str | None = None
    status: str | None = None
    source: int | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """A question's outcome; ``total_ms`` milliseconds for all of it."""

    id: str
    found: Found
    total_ms: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a process has to say. ``why`` is empty when it ran; memory is the peak of the whole process."""

    name: str
    why: str = ""
    load_seconds: float = 0.0
    index_seconds: float = 0.0
    memory_mb: float | None = None
    replies: tuple[Reply, ...] = field(default=())


class System(Protocol):
    """A system under comparison; made with its Task, before anything heavy is imported."""

    def load(self) -> None:
        """Import what is needed and bring models into memory: not counted as indexing."""

    def index(self) -> None:
        """Take in the task's passages."""

    def ask(self, question: str) -> Found:
        """The best rows, and the answer where the system reads."""


def write_json(path: Path, record: Task | Outcome) -> None:
    """A record as a JSON file; ``read_task`` and ``read_outcome`` take it back."""
    path.write_text(json.dumps(asdict(record), ensure_ascii=False), encoding="utf-8")


def read_task(path: Path) -> Task:
    """The task of a file that ``write_json`` wrote."""
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    passages = tuple(SharedPassage(**each) for each in record.pop("passages"))
    return Task(passages=passages, questions=tuple(Asked(**q) for q in record.pop("questions")), **record)


def read_outcome(path: Path) -> Outcome:
    """The outcome of a file that ``write_json`` wrote."""
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return Outcome(replies=tuple(_reply(each) for each in record.pop("replies")), **record)


def _reply(record: Mapping[str, Any]) -> Reply:
    found = {**record["found"], "rows": tuple(record["found"]["rows"])}
    return Reply(record["id"], Found(**found), record["total_ms"])
