"""Indexes and dies on the way. Started by test_crash, told on stdin, a line a run:

    HOW<tab>N<tab>STORE<tab>CORPUS

HOW "step" dies before the Nth named step; "file" before the Nth operation on a file of the store that Python
makes; "bytes" when a file outgrows N bytes, in whatever library is writing it. Each run is a fork of this
process, which has everything imported. Answers "killed" or "done" on stdout.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from pathlib import Path

import faiss  # noqa: F401
import filelock  # noqa: F401
from support import run

import rag.lexical

rag.lexical.LexicalIndex.build(["a word"])  # bm25s and the stemmer


class _Countdown:
    def __init__(self, n: int) -> None:
        self._left = n

    def __call__(self, _: object = None) -> None:
        self._left -= 1
        if self._left < 0:
            os.kill(os.getpid(), signal.SIGKILL)


CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "sqlite3.connect"}


def _die_on_files(store: str, countdown: _Countdown) -> None:
    def hook(event: str, arguments: tuple[object, ...]) -> None:
        changes = event in CHANGES or (event == "open" and isinstance(arguments[2], int) and arguments[2] & 3)
        # Paths below an open folder (as rmtree removes them) are relative: they count as well.
        if changes and (event != "open" or store in str(arguments[0])):
            countdown()

    sys.addaudithook(hook)


def _child(how: str, n: int, store: str, corpus: str) -> None:
    countdown = _Countdown(n)
    if how == "file":
        _die_on_files(store, countdown)
    elif how == "bytes":
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (n, n))
    steps = countdown if how == "step" else (lambda _: None)
    run([corpus], Path(store), steps=steps)


for line in sys.stdin:
    how, n, store, corpus = line.rstrip("\n").split("\t")
    child = os.fork()
    if child == 0:
        try:
            _child(how, int(n), store, corpus)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    ended = "done" if status == 0 else "killed" if os.WIFSIGNALED(status) else "failed"
    print(ended, flush=True)
