"""Indexes and dies on the way.

Started by test_crash, told on stdin, a line a run:

    HOW<tab>N<tab>STORE<tab>CORPUS<tab>SHARED

HOW "step" dies before the Nth named step; "change" before the Nth call that writes, syncs, moves or deletes;
"bytes" when a file outgrows N bytes, in whatever library is writing it. SHARED "True" makes generations share
segments. Each run is a fork of this process, which has everything imported. Answers "killed" or "done" on
stdout.
"""

from __future__ import annotations

import importlib
import os
import resource
import signal
import sys
from pathlib import Path

import faiss  # noqa: F401
import filelock  # noqa: F401
from disk_calls import before_every_change
from support import run, sharing_segments

import rag.retrieval.lexical

rag.retrieval.lexical.LexicalIndex.build(["a word"])  # the stemmer


class _Countdown:
    def __init__(self, n: int) -> None:
        self._left = n

    def __call__(self, _: object = None) -> None:
        self._left -= 1
        if self._left < 0:
            os.kill(os.getpid(), signal.SIGKILL)


def _assign(name: str, value: object) -> None:
    module, _, attribute = name.rpartition(".")
    setattr(importlib.import_module(module), attribute, value)


def _child(how: str, n: int, store: str, corpus: str) -> None:
    countdown = _Countdown(n)
    if how == "change":
        with before_every_change(countdown):
            run([corpus], Path(store))
        return
    if how == "bytes":
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (n, n))
    steps = countdown if how == "step" else (lambda _: None)
    run([corpus], Path(store), steps=steps)


def main() -> None:
    """Fork for every line of stdin, and say how each child ended."""
    for line in sys.stdin:
        how, n, store, corpus, shared = line.rstrip("\n").split("\t")
        child = os.fork()
        if child == 0:
            try:
                if shared == "True":
                    sharing_segments(_assign)
                _child(how, int(n), store, corpus)
            except BaseException as error:
                print(repr(error), file=sys.stderr, flush=True)
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        ended = "done" if status == 0 else "killed" if os.WIFSIGNALED(status) else "failed"
        print(ended, flush=True)


if __name__ == "__main__":
    main()
