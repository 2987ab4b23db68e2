"""Our own system, as a user has it."""

from __future__ import annotations

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
        """Encoder, reader and calibration."""
        from rag.answering.calibration import load_calibrator
        from rag.assistant import Assistant
        from rag.indexing import index
        from rag.reader import open_reader
        from rag.retrieval.encoder import load_encoder
        from rag.settings import load_settings
        from rag.store import Store

        task = self._task
        settings = load_settings({"store": task.store, "reader.threads": task.threads}).settings
        encoder = load_encoder(settings.encoder, n_threads=task.threads)
        reader = open_reader(settings.reader, lambda: encoder)
        calibrator = load_calibrator(reader.name)

        def build() -> Assistant:
            index([task.corpus], task.store, settings, encoder=encoder)
            return Assistant(Store.open(task.store), encoder, reader, calibrator, settings)

        self._build = build
        # As many hits as are read for a user anyway: asking for more would have more read.
        self._k = min(task.k, max(settings.retrieval.k, settings.retrieval.n_candidates))

    def index(self) -> None:
        """Files in, a committed store out, and opened."""
        self._assistant = self._build()

    def ask(self, question: str) -> Found:
        """The assistant's hits and best words; found is what is neither reading nor citing."""
        assert self._assistant is not None
        answer = self._assistant.ask(question, k=self._k)
        timings = answer.timings_ms
        find_ms = timings["total"] - timings.get("read", 0.0) - timings.get("cite", 0.0)
        document = self._assistant.store.document

        def row(passage: Passage) -> int:
            return self._row[document(passage.document_id).path, passage.start, passage.end]

        return Found(
            rows=tuple(row(hit.passage) for hit in answer.hits),
            find_ms=find_ms,
            answer=answer.answer,
            status=str(answer.status),
            source=row(answer.spans[0].passage) if answer.spans else None,
        )
