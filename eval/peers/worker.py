"""One system in a process of its own: ``python -m eval.peers.worker NAME TASK.json OUTCOME.json``."""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from eval.peers.registry import PEERS
from eval.peers.task import Found, Outcome, Reply, System, Task, read_task, write_json

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "ANONYMIZED_TELEMETRY": "False",
    "DO_NOT_TRACK": "1",
}


def environment(threads: int) -> dict[str, str]:
    """The variables a process starts with: so many threads, no network, nothing reported to anyone.

    >>> environment(2)["OMP_NUM_THREADS"]
    '2'
    """
    return {**dict.fromkeys(THREADS, str(threads)), **OFFLINE}


def confine(threads: int) -> None:
    """Hold this process to so many cores, where the system can: not every library reads the variables."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def peak_memory_mb() -> float:
    """The most memory this process has held at once, in MB of 1,000,000 bytes.

    On Linux this is the program's own peak; elsewhere it may include the moment it was started from another.

    >>> peak_memory_mb() > 1
    True
    """
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        import resource

        unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def run(name: str, system: System, task: Task) -> Outcome:
    """Load, index, warm up with the first question, ask all."""
    began = time.perf_counter()
    system.load()
    loaded = time.perf_counter()
    system.index()
    indexed = time.perf_counter()
    _ask(system, task.questions[0].text)
    replies = []
    for question in task.questions:
        asked = time.perf_counter()
        found = _ask(system, question.text)
        replies.append(Reply(question.id, found, (time.perf_counter() - asked) * 1e3))
    return Outcome(
        name,
        load_seconds=loaded - began,
        index_seconds=indexed - loaded,
        memory_mb=peak_memory_mb(),
        replies=tuple(replies),
    )


def _ask(system: System, question: str) -> Found:
    """What the system finds; a question it fails at is one it found nothing for."""
    try:
        return system.ask(question)
    except Exception as error:  # another's code: whatever it raises is its answer
        traceback.print_exc()
        return Found((), 0.0, "", "abstained", failure=f"{type(error).__name__}: {error}")


def main(arguments: Sequence[str]) -> None:
    """Run the system named, and write what became of it."""
    name, task_path, out = arguments
    task = read_task(Path(task_path))
    confine(task.threads)
    try:
        peer = next(peer for peer in PEERS if peer.name == name)
        outcome = run(name, peer.make(task), task)
        if all(reply.found.failure and not reply.found.rows for reply in outcome.replies):
            outcome = Outcome(name, why=f"it failed at every question: {outcome.replies[0].found.failure}")
    except Exception as error:  # a system that cannot run is a row of the table
        traceback.print_exc()
        outcome = Outcome(name, why=f"{type(error).__name__}: {error}")
    write_json(Path(out), outcome)


if __name__ == "__main__":
    main(sys.argv[1:])
