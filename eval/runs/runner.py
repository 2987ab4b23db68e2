"""Asks every question of a set and writes down all that is needed to judge the answers later.

An interrupted run goes on where it stopped: a question with a row is never asked again, and one without a
whole row is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from eval.files import appending, cut_torn_line, dump, read_lines, write_whole
from eval.questions import Question, question_to_json, questions_sha256
from eval.runs import AS_TYPED, FORMAT
from eval.runs.record import Recorder
from rag.errors import RagError, UsageError
from rag.records import Answer, Hit

K = 10  # hits kept in a row: the ranking metrics look no further


class Assistant(Protocol):
    """What a run needs of an assistant: answers, rankings and the store they come from."""

    store: Any

    def ask(self, question: str, *, k: int | None = None) -> Answer:
        """The answer with its k best hits."""

    def search(self, query: str, *, k: int | None = None) -> list[Hit]:
        """The k best passages before any is read."""


@dataclass(frozen=True, slots=True)
class Asking:
    """One question as it will be put: follow-ups in their standalone words, or a second time as typed."""

    id: str
    text: str
    question: Question


def askings(questions: Sequence[Question], *, raw_follow_ups: bool = False) -> list[Asking]:
    """What is asked, in order. A follow-up is asked standalone; with ``raw_follow_ups`` as typed as well.

    >>> one = Question("q1", "and why?", standalone="why did he leave?", answers=("ill",))
    >>> [(a.id, a.text) for a in askings([one], raw_follow_ups=True)]
    [('q1', 'why did he leave?'), ('q1~typed', 'and why?')]
    """
    wanted = []
    for question in questions:
        wanted.append(Asking(question.id, question.standalone or question.question, question))
        if raw_follow_ups and question.standalone:
            wanted.append(Asking(question.id + AS_TYPED, question.question, question))
    return wanted


def run(
    assistant: Assistant,
    questions: Sequence[Question],
    folder: Path,
    *,
    info: Mapping[str, Any],
    depth: int = K,
    raw_follow_ups: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Ask what has no row yet; the number of questions asked now.

    ``info`` is what ``run.json`` will say; an existing run with other words there is refused. ``depth`` is
    how many hits are asked for, so that evidence ranked below the ten kept is still traced. A question the
    assistant refuses (a RagError) is a row without an answer. ``progress`` is told (done, all).
    """
    from filelock import FileLock, Timeout

    folder.mkdir(parents=True, exist_ok=True)
    wanted = askings(questions, raw_follow_ups=raw_follow_ups)
    try:
        with FileLock(folder / ".lock", timeout=0):
            done = _begin(
                folder, questions, {**info, "raw_follow_ups": raw_follow_ups, "k": K, "depth": depth}
            )
            todo = [asking for asking in wanted if asking.id not in done]
            _ask(
                assistant,
                todo,
                folder,
                depth,
                lambda n: progress and progress(len(wanted) - len(todo) + n, len(wanted)),
            )
            return len(todo)
    except Timeout as error:
        raise UsageError(
            f"another process is writing to {folder}", "wait for it, or choose another --out"
        ) from error


def _begin(folder: Path, questions: Sequence[Question], info: Mapping[str, Any]) -> set[str]:
    """Make the folder ready, or check that it is this same run; the ids of rows already there."""
    import json

    info_now = json.loads(dump({"format": FORMAT, "questions_sha256": questions_sha256(questions), **info}))
    path = folder / "run.json"
    if path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        changed = sorted(
            key for key in info_now.keys() | before.keys() if info_now.get(key) != before.get(key)
        )
        if changed:
            raise UsageError(
                f"{folder} holds another run: {', '.join(changed)} differ",
                "choose another --out, or begin again with --fresh",
            )
    else:
        lines = "".join(dump(question_to_json(question)) + "\n" for question in questions)
        write_whole(folder / "questions.jsonl", lines)
        write_whole(path, json.dumps(info_now, indent=1, ensure_ascii=False) + "\n")
    for name in ("rows.jsonl", "passages.jsonl", "timings.jsonl"):
        cut_torn_line(folder / name)
    return {row["id"] for row in read_lines(folder / "rows.jsonl")}


def _ask(
    assistant: Assistant, todo: Sequence[Asking], folder: Path, depth: int, told: Callable[[int], object]
) -> None:
    if not todo:
        return
    written = {(p["document"], p["start"], p["end"]) for p in read_lines(folder / "passages.jsonl")}
    recorder = Recorder(assistant.store, assistant.search, k=K)
    with (
        appending(folder / "passages.jsonl") as passages,
        appending(folder / "timings.jsonl") as timings,
        appending(folder / "rows.jsonl") as rows,
    ):
        timings.write(
            dump({"began": datetime.now(UTC).isoformat(timespec="seconds"), "left": len(todo)}) + "\n"
        )
        _warm_up(assistant, todo[0].text, depth)
        for number, asking in enumerate(todo, 1):
            began = time.perf_counter()
            try:
                answer: Answer | RagError = assistant.ask(asking.text, k=depth)
            except RagError as error:
                answer = error
            total = (time.perf_counter() - began) * 1e3
            row, texts = recorder.row(asking.id, asking.text, asking.question, answer)
            for place, text in texts.items():
                if place not in written:
                    written.add(place)
                    document, start, end = place
                    passages.write(
                        dump({"document": document, "start": start, "end": end, "text": text}) + "\n"
                    )
            stages = {} if isinstance(answer, RagError) else dict(answer.timings_ms)
            timings.write(dump({"id": asking.id, "ms": {**stages, "total": total}}) + "\n")
            for file in (passages, timings):
                file.flush()
            rows.write(dump(row) + "\n")
            rows.flush()
            told(number)


def _warm_up(assistant: Assistant, question: str, depth: int) -> None:
    """Ask once unseen, so that no question pays for loading models."""
    import contextlib

    with contextlib.suppress(RagError):
        assistant.ask(question, k=depth)
