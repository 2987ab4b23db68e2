"""txtai: an Embeddings index, and its RAG pipeline over an extractive model."""

from __future__ import annotations

import time
from typing import Any

from eval.peers.task import Found, Task


class Txtai:
    """The pipeline joins the three best passages and takes the best start and the best end in them.

    So an answer has no passage it is known to come from. One search serves both list and answer.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._embeddings: Any = None
        self._answers: Any = None
        self._hits: list[dict[str, Any]] = []
        self._find_ms = 0.0

    def load(self) -> None:
        """Encoder and extractive model."""
        from txtai import Embeddings
        from txtai.pipeline import RAG

        self._embeddings = Embeddings(path=self._task.encoder, content=True)
        self._answers = RAG(self._search, self._task.reader, output="flatten")

    def index(self) -> None:
        """Every text, by its row."""
        self._embeddings.index(enumerate(self._task.texts))

    def _search(self, queries: list[str], limit: int) -> list[list[dict[str, Any]]]:
        """The search the pipeline calls; it keeps to its own limit of what it is given."""
        began = time.perf_counter()
        results: list[list[dict[str, Any]]] = self._embeddings.batchsearch(queries, max(limit, self._task.k))
        self._find_ms = (time.perf_counter() - began) * 1e3
        self._hits = results[0]
        return results

    def ask(self, question: str) -> Found:
        """The nearest rows and the answer, which is None when the model is under five per cent sure."""
        self._hits = []
        answer, failure = None, None
        try:
            answer = self._answers(question)
        except (
            TypeError
        ) as error:  # it asks where a word of the passage starts, and is told of the question's
            failure = f"its reader took an answer from outside the passages ({error})"
        rows = tuple(int(hit["id"]) for hit in self._hits)
        status = "answered" if answer else "abstained"
        return Found(rows, self._find_ms, answer or "", status, failure=failure)
