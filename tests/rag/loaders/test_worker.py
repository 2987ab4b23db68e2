"""The child process: what breaks a limit or crashes is an answer, and the next request finds another."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rag.loaders.worker import Limits, Worker, WorkerError

LIMITS = Limits(seconds=20, memory_mb=200, text_mb=1)


def misbehave(request: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """In the child: what a hostile file might make a library do."""
    what = request["what"]
    if what == "spin":
        while True:
            pass
    if what == "wait":
        time.sleep(600)
    if what == "eat":
        return {}, "x" * len(bytearray(400_000_000))
    if what == "eat slowly":
        kept = []
        while True:
            kept.append(bytearray(1_000_000))
    if what == "starve":  # as a library in C++ does where it gets no more memory
        kept = []
        try:
            while True:
                kept.append(bytearray(1_000_000))
        except MemoryError:
            os.abort()
    if what == "crash":
        ctypes.string_at(0)
    if what == "abort":
        os.abort()
    if what == "exit":
        os._exit(0)
    if what == "talk":
        return {}, "x" * 2_000_000
    if what == "recurse":
        return misbehave(request)
    if what == "print":
        print("no answer of mine")
        os.write(1, b"nor this")
    return {"pid": os.getpid(), "path": sys.path}, "done"


@pytest.fixture
def worker() -> Iterator[Worker]:
    sys.path.append(str(Path(__file__).parent))
    made = Worker("test_worker:misbehave")
    yield made
    made.stop()
    sys.path.remove(str(Path(__file__).parent))


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("spin", "took more than 1 s"),
        ("wait", "took more than 1 s"),
        ("eat", "needed more than 200 MB of memory"),
        ("eat slowly", "needed more than 200 MB of memory"),
        ("starve", "needed more than 200 MB of memory"),
        ("crash", "the reader of this format crashed"),
        ("abort", "the reader of this format crashed"),
        ("exit", "the reader of this format crashed"),
        ("talk", "holds more than 1 MB of text"),
        ("recurse", "nested too deeply"),
    ],
)
def test_a_broken_limit_or_a_crash_is_named_and_the_next_request_is_answered(
    what: str, reason: str, worker: Worker
) -> None:
    seconds = 1 if what in ("spin", "wait") else 20
    began = time.monotonic()
    with pytest.raises(WorkerError) as caught:
        worker.ask({"what": what}, Limits(seconds, LIMITS.memory_mb, LIMITS.text_mb))
    assert caught.value.reason == reason
    assert time.monotonic() - began < seconds + 15
    assert worker.ask({"what": "nothing"}, LIMITS)[1] == "done"


def test_however_much_its_parent_holds_a_crash_is_told_from_want_of_memory(worker: Worker) -> None:
    held = bytearray(300_000_000)
    held[::4096] = b"x" * len(held[::4096])
    with pytest.raises(WorkerError, match="crashed"):
        worker.ask({"what": "crash"}, LIMITS)
    with pytest.raises(WorkerError, match="memory"):
        worker.ask({"what": "starve"}, LIMITS)


def test_a_child_killed_while_it_starts_is_started_again(worker: Worker) -> None:
    worker.start(LIMITS.memory_mb)
    process = worker._process
    assert process is not None
    process.kill()
    header, _ = worker.ask({"what": "nothing"}, LIMITS)
    assert header["pid"] != process.pid


def test_a_child_that_crashes_leaves_no_descriptor_behind(worker: Worker) -> None:
    worker.ask({"what": "nothing"}, LIMITS)
    before = len(list(Path("/dev/fd").iterdir()))
    for what in ("abort", "exit", "starve"):
        with pytest.raises(WorkerError):
            worker.ask({"what": what}, LIMITS)
        worker.ask({"what": "nothing"}, LIMITS)
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_a_child_that_behaves_is_kept_and_what_it_prints_is_no_answer(worker: Worker) -> None:
    first, _ = worker.ask({"what": "print"}, LIMITS)
    second, text = worker.ask({"what": "nothing"}, LIMITS)
    assert (first["pid"], text) == (second["pid"], "done")


def test_the_child_imports_nothing_from_the_folder_somebody_stands_in(
    worker: Worker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    header, _ = worker.ask({"what": "nothing"}, LIMITS)
    assert str(tmp_path) not in header["path"]


def test_a_child_that_cannot_start_is_an_error_that_says_so() -> None:
    from rag.errors import RagError

    with pytest.raises(RagError, match="does not start"):
        Worker("rag.no_such_module:answer").ask({}, LIMITS)


def test_the_child_ends_with_its_parent(tmp_path: Path) -> None:
    code = (
        "import sys, time; sys.path[:0] = json_path\n"
        "from rag.loaders.worker import Limits, Worker\n"
        "worker = Worker('test_worker:misbehave')\n"
        "print(worker.ask({'what': 'nothing'}, Limits(20, 200, 1))[0]['pid'], flush=True)\n"
        "time.sleep(600)\n"
    ).replace("json_path", json.dumps([str(Path(__file__).parent), *filter(None, sys.path)]))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{child}").exists()
