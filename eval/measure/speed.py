"""How long a person waits, in a real terminal (a pty): to the prompt, for the first answer, for later ones.

    python -m eval.measure.speed STORE --runs 5

Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import os
import pty
import re
import select
import statistics
import sys
import time
from pathlib import Path

QUESTIONS = (
    "why was the trust decommissioned?",
    "who chaired the peer review panel?",
    "how many children were looked after in March 2017?",
    "when did the trust take over?",
    "what did young people say about their plans?",
    "who is the chief executive of the trust?",
)
PATIENCE_SECONDS = 60.0


class Child:
    """``rag chat`` in a pty."""

    def __init__(self, store: str) -> None:
        self.began = time.perf_counter()
        pid, self._fd = pty.fork()
        if pid == 0:
            os.environ |= {"PROMPT_TOOLKIT_NO_CPR": "1", "TERM": "xterm-256color", "COLUMNS": "80"}
            os.execv(sys.executable, [sys.executable, "-m", "rag", "chat", "--store", store])
        self._pid = pid
        self._seen = ""

    def until(self, pattern: str) -> float:
        """The moment at which something new matches."""
        until = time.perf_counter() + PATIENCE_SECONDS
        while time.perf_counter() < until:
            if select.select([self._fd], [], [], 0.01)[0]:
                self._seen += os.read(self._fd, 65536).decode("utf-8", "replace")
                if re.search(pattern, self._seen):
                    self._seen = ""
                    return time.perf_counter()
        raise TimeoutError(f"{pattern!r} not in {self._seen!r}")

    def ask(self, question: str) -> float:
        """Milliseconds from Enter to the end of the answer, which the next prompt is."""
        os.write(self._fd, question.encode())
        self.until(re.escape(question[-3:]))
        began = time.perf_counter()
        os.write(self._fd, b"\r")
        return (self.until("(?s)confidence.*›") - began) * 1e3

    def leave(self) -> None:
        """End the session as Ctrl-D does, and wait for it."""
        os.write(self._fd, b"\x04")
        os.waitpid(self._pid, 0)


def main() -> None:
    """Print the median of every figure over the runs in milliseconds, and its range."""
    options = argparse.ArgumentParser(
        prog="python -m eval.measure.speed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("store", type=Path, help="a store over eval/data/corpus/doncaster")
    options.add_argument("--runs", type=int, default=5, help="sessions started")
    given = options.parse_args()
    figures: dict[str, list[float]] = {
        "start to prompt": [],
        "first answer, asked at once": [],
        "warm answer": [],
    }
    for _ in range(given.runs):
        child = Child(str(given.store))
        figures["start to prompt"].append((child.until("›") - child.began) * 1e3)
        figures["first answer, asked at once"].append(child.ask(QUESTIONS[0]))
        figures["warm answer"] += [child.ask(question) for question in QUESTIONS[1:]]
        child.leave()
    for name, values in figures.items():
        print(f"{name:<28} {statistics.median(values):7.0f} ms  ({min(values):.0f} to {max(values):.0f})")


if __name__ == "__main__":
    main()
