"""Haystack: BM25 and embedding retriever, joined by reciprocal rank fusion, and its extractive reader."""

from __future__ import annotations

import time
from typing import Any

from eval.peers.task import Found, Task


class Haystack:
    """Both retrievers give ten documents each, all of which the reader reads.

    The list is the joiner's, which is the last to rank documents; the answer is the reader's first.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._document: Any = None
        self._store: Any = None
        self._embedder: Any = None
        self._retrieval: Any = None
        self._reader: Any = None

    def load(self) -> None:
        """Document store, both embedders, the reader, and the pipeline between them."""
        from haystack import Document, Pipeline
        from haystack.components.joiners import DocumentJoiner
        from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
        from haystack.document_stores.in_memory import InMemoryDocumentStore
        from haystack.utils import ComponentDevice
        from haystack_integrations.components.embedders.sentence_transformers import (
            SentenceTransformersDocumentEmbedder,
            SentenceTransformersTextEmbedder,
        )
        from haystack_integrations.components.readers.transformers import TransformersExtractiveReader

        self._document = Document
        cpu = ComponentDevice.from_str("cpu")
        model = self._task.encoder
        self._store = InMemoryDocumentStore()
        self._embedder = SentenceTransformersDocumentEmbedder(model=model, device=cpu, progress_bar=False)
        question = SentenceTransformersTextEmbedder(model=model, device=cpu, progress_bar=False)
        self._reader = TransformersExtractiveReader(model=self._task.reader, device=cpu)
        for part in (self._embedder, question, self._reader):
            part.warm_up()
        self._retrieval = Pipeline()
        self._retrieval.add_component("embedder", question)
        self._retrieval.add_component("words", InMemoryBM25Retriever(self._store))
        self._retrieval.add_component("vectors", InMemoryEmbeddingRetriever(self._store))
        self._retrieval.add_component("joiner", DocumentJoiner(join_mode="reciprocal_rank_fusion"))
        self._retrieval.connect("embedder.embedding", "vectors.query_embedding")
        self._retrieval.connect("words", "joiner")
        self._retrieval.connect("vectors", "joiner")

    def index(self) -> None:
        """Every text as a document with its row for an id, and its vector where vectors are given."""
        texts = enumerate(self._task.texts)
        if self._task.vectors:
            import numpy as np

            vectors = np.load(self._task.vectors, mmap_mode="r", allow_pickle=False)  # (n, d)
            documents = [
                self._document(id=str(row), content=text, embedding=vectors[row].tolist())
                for row, text in texts
            ]
        else:
            documents = [self._document(id=str(row), content=text) for row, text in texts]
            documents = self._embedder.run(documents)["documents"]
        self._store.write_documents(documents)

    def ask(self, question: str) -> Found:
        """The joined documents, and the answer with the best score; without words it is "no answer"."""
        began = time.perf_counter()
        asked = {"embedder": {"text": question}, "words": {"query": question}}
        documents = self._retrieval.run(asked)["joiner"]["documents"]
        find_ms = (time.perf_counter() - began) * 1e3
        rows = tuple(int(document.id) for document in documents[: self._task.k])
        answers = self._reader.run(query=question, documents=documents)["answers"]
        best = answers[0] if answers and answers[0].data else None
        if best is None:
            return Found(rows, find_ms, "", "abstained")
        return Found(rows, find_ms, best.data, "answered", int(best.document.id))


class HaystackWithSegments(Haystack):
    """The same with the segments that the reader leaves out: 0 to the first separator, 1 from there on.

    A BERT is trained with them; without, it reads question and passage as one.
    """

    def load(self) -> None:
        """As shipped, then the hook."""
        super().load()
        separator = self._reader.tokenizer.sep_token_id

        def add_segments(module: Any, positional: Any, named: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
            is_separator = (named["input_ids"] == separator).long()  # (b, t)
            segments = ((is_separator.cumsum(1) - is_separator) > 0).long()
            return positional, {"token_type_ids": segments, **named}

        self._reader.model.register_forward_pre_hook(add_segments, with_kwargs=True)
