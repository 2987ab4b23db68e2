"""bm25s, as the quickstart of its README has it."""

from __future__ import annotations

import time
from typing import Any

from eval.peers.task import Found, Task


class Lexical:
    """English stop words, the English Snowball stemmer, the default BM25."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._bm25s: Any = None
        self._stemmer: Any = None
        self._index: Any = None

    def load(self) -> None:
        """The stemmer; there is no model."""
        import bm25s
        import Stemmer

        self._bm25s = bm25s
        self._stemmer = Stemmer.Stemmer("english")

    def index(self) -> None:
        """Every text tokenized and weighed."""
        tokens = self._bm25s.tokenize(
            self._task.texts, stopwords="en", stemmer=self._stemmer, show_progress=False
        )
        self._index = self._bm25s.BM25()
        self._index.index(tokens, show_progress=False)

    def ask(self, question: str) -> Found:
        """The rows with the best scores; those that share no word with the question are no hits."""
        began = time.perf_counter()
        tokens = self._bm25s.tokenize(question, stemmer=self._stemmer, show_progress=False)
        k = min(self._task.k, len(self._task.passages))
        rows, scores = self._index.retrieve(tokens, k=k, show_progress=False)
        find_ms = (time.perf_counter() - began) * 1e3
        return Found(tuple(int(r) for r, score in zip(rows[0], scores[0], strict=True) if score > 0), find_ms)
