"""Our own system, as a user has it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from eval.peers.task import Found, Task

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.records import Passage


class Own:
    """Indexes the files themselves into a store of its own, and asks the assistant."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._row = {(p.document, p.start, p.end): row for row, p in enumerate(task.passages)}
        self._assistant: Assistant | None = None

    def load(self) -> None:
        """Encoder and reader."""
        from rag.encoders import load_encoder
        from rag.reader import open_reader
        from rag.settings import load_settings

        task = self._task
        self._settings = load_settings({"store": task.store, "reader.threads": task.threads}).settings
        self._encoder = load_encoder(self._settings.encoder, n_threads=task.threads)
        self._reader = open_reader(self._settings.reader, self._encoder)

    def index(self) -> None:
        """Files in, a committed store out."""
        from rag.assistant import Assistant
        from rag.calibration import load_calibrator
        from rag.indexing import index
        from rag.store import Store

        index([self._task.corpus], self._task.store, self._settings, encoder=self._encoder)
        calibrator = load_calibrator(self._reader.name)
        store = Store.open(Path(self._task.store))
        self._assistant = Assistant(store, self._encoder, self._reader, calibrator, self._settings)

    def ask(self, question: str) -> Found:
        """The assistant's hits and best words; as many hits as are read for a user anyway."""
        assert self._assistant is not None
        retrieval = self._settings.retrieval
        k = min(self._task.k, max(retrieval.k, retrieval.n_candidates))
        began = time.perf_counter()
        answer = self._assistant.ask(question, k=k)
        whole_ms = (time.perf_counter() - began) * 1e3
        timings = answer.timings_ms
        find_ms = sum(timings.get(stage, 0.0) for stage in ("encode", "dense", "lexical", "fuse"))
        document = self._assistant.store.document

        def row(passage: Passage) -> int:
            return self._row[document(passage.document_id).path, passage.start, passage.end]

        return Found(
            rows=tuple(row(hit.passage) for hit in answer.hits),
            find_ms=min(find_ms, whole_ms),
            answer=answer.answer,
            status=str(answer.status),
            source=row(answer.spans[0].passage) if answer.spans else None,
        )
