"""Asking, reindexing and verifying side by side for long, with faults: every answer is of one generation.

By default some seconds, with an encoder of words; RAG_SOAK_MINUTES says how long with the models as they ship
(``make soak``: 120). Faults: the writer is killed, its disk is full, its loader is killed, files vanish.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from support import write_corpus

from rag.store import Store

MINUTES = float(os.environ.get("RAG_SOAK_MINUTES", "0"))
MODELS = "real" if MINUTES else "small"
SECONDS = 60 * MINUTES or 6
N_READERS = int(os.environ.get("RAG_SOAK_READERS", "1" if MINUTES else "8"))
TESTS = Path(__file__).parents[1]
PLACES = ("Calder", "Ansley", "Thorne", "Mexborough", "Bentley", "Hatfield")
FAULTS = ("none", "killed", "disk full", "loader killed", "vanishing")
MOST_GROWTH = 1.05  # of memory, from the first third of the time to the last
WRITER = """
import importlib, sys
sys.path[:0] = {paths!r}
import rag.indexing
from support import WordEncoder, sharing_segments
if {small}:
    rag.indexing.load_encoder = lambda *_, **__: WordEncoder()
def assign(name, value):
    module, _, attribute = name.rpartition(".")
    setattr(importlib.import_module(module), attribute, value)
sharing_segments(assign)
from rag.cli import main
main()
"""
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory and children are read from /proc")


def reports(n: int) -> dict[str, str]:
    """The nth report of each place: all of them are written before the writer runs."""
    return {
        f"{place}.txt": f"Report {n}, {place}.\n\nIn report {n} the mill at {place} counted {n * k} boats."
        for k, place in enumerate(PLACES, start=3)
    }


class Writer:
    """Edits the documents and indexes them, each time with another fault."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.corpus, self.store = folder, folder / "corpus", folder / "store"
        self.chance = random.Random(3)
        self.ran: Counter[str] = Counter()
        self.n = 0
        code = WRITER.format(paths=[str(TESTS.parent), str(TESTS)], small=MODELS == "small")
        (folder / "writer.py").write_text(code)
        self.environment = {
            **os.environ,
            "HOME": str(folder),
            "RAG_STORE": str(self.store),
            "RAG_PASSAGES_MIN_WORDS": "1",
            "RAG_READER_MODEL": "similarity" if MODELS == "small" else "cross-encoder",
            "OMP_NUM_THREADS": "1",
        }

    def index(self, fault: str = "none") -> None:
        """Run the writer once, and do it harm on the way."""
        limit = f"ulimit -f {self.chance.randrange(1, 40)}; " if fault == "disk full" else ""
        command = f'{limit}exec "$0" -P "$1" index "$2"'
        with subprocess.Popen(
            ["bash", "-c", command, sys.executable, str(self.folder / "writer.py"), str(self.corpus)],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGXFSZ, signal.SIG_IGN) and None,
        ) as process:
            if fault == "killed":
                time.sleep(self.chance.uniform(0.2, 3))
                process.kill()
            elif fault == "loader killed":
                self._kill_a_child(process.pid)
            elif fault == "vanishing":
                time.sleep(self.chance.uniform(0.2, 1.5))
                (self.corpus / "base 2.txt").unlink()
            _, said = process.communicate(timeout=300)
        self.ran[fault] += 1
        assert "Traceback" not in said, said
        if fault in ("none", "vanishing", "loader killed"):
            assert process.returncode == 0, (fault, said)
        if fault == "vanishing":
            write_corpus(self.corpus, {"base 2.txt": "The library keeps the letters of 2014 and 2015."})

    def _kill_a_child(self, pid: int) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with suppress(OSError):
                if children := Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
                    time.sleep(self.chance.uniform(0, 0.3))
                    os.kill(int(children[0]), signal.SIGKILL)
                    return
            time.sleep(0.01)

    def cycle(self) -> None:
        """The next report, and the next fault."""
        fault = FAULTS[self.n % len(FAULTS)]
        self.n += 1
        if fault == "loader killed":  # a report that could not be read may stand beside the next ones
            write_corpus(self.corpus, {"base 1.txt": f"The trust was opened in June {1900 + self.n % 99}."})
        else:
            write_corpus(self.corpus, reports(self.n))
        self.index(fault)


def test_readers_and_a_writer_with_faults_and_every_answer_is_of_one_generation(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    write_corpus(writer.corpus, reports(0))
    base = {f"base {n}.txt": f"The trust was opened in June 201{n}. It had {n}0 staff." for n in range(5)}
    write_corpus(writer.corpus, base)
    writer.index()
    command = [sys.executable, str(Path(__file__).with_name("soak_reader.py")), str(writer.store), MODELS]
    readers = [
        subprocess.Popen(
            command,
            env={**writer.environment, "PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(N_READERS)
    ]
    try:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until or len(writer.ran) < len(FAULTS):
            writer.cycle()
        said = [json.loads(reader.communicate("end\n", timeout=300)[0]) for reader in readers]
    finally:
        for reader in readers:
            with reader:
                reader.kill()
    write_corpus(writer.corpus, reports(writer.n))
    writer.index()
    with Store.open(writer.store) as opened:
        assert sum(f"report {writer.n} " in one.text for one in opened.documents()) == len(PLACES)
        assert len(opened.manifest.segments) > 1
    totals = {key: sum(one[key] for one in said) for key in ("answers", "citations", "openings")}
    print(totals, dict(writer.ran))
    assert [one["wrong"] for one in said] == [[]] * N_READERS
    assert all(one["answers"] > 3 for one in said)
    assert totals["citations"] > totals["answers"] / 3
    if MINUTES:
        for one in said:
            third = len(one["samples"]) // 3
            first, last = one["samples"][third : 2 * third], one["samples"][-third:]
            memory = [sorted(mb for mb, _ in part)[len(part) // 2] for part in (first, last)]
            print(f"memory {memory[0]:.0f} to {memory[1]:.0f} MB, descriptors", {n for _, n in first + last})
            assert memory[1] < MOST_GROWTH * memory[0]
            assert max(n for _, n in last) <= max(n for _, n in first)
