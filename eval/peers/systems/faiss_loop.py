"""The plain loop most people write first: sentence-transformers and a flat FAISS index."""

from __future__ import annotations

import time
from typing import Any

from eval.peers.task import Found, Task


class FaissLoop:
    """Cosine by inner product: the model normalises its vectors itself."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._faiss: Any = None
        self._model: Any = None
        self._index: Any = None

    def load(self) -> None:
        """The encoder."""
        import faiss
        from sentence_transformers import SentenceTransformer

        self._faiss = faiss
        self._model = SentenceTransformer(self._task.encoder, device="cpu")

    def index(self) -> None:
        """Every text encoded, unless vectors are given, and added."""
        if self._task.vectors:
            import numpy as np

            vectors = np.load(self._task.vectors, allow_pickle=False)  # (n, d)
        else:
            vectors = self._model.encode(self._task.texts)  # (n, d)
        self._index = self._faiss.IndexFlatIP(vectors.shape[1])
        self._index.add(vectors)

    def ask(self, question: str) -> Found:
        """The nearest rows."""
        began = time.perf_counter()
        _, rows = self._index.search(self._model.encode([question]), self._task.k)
        find_ms = (time.perf_counter() - began) * 1e3
        return Found(tuple(int(row) for row in rows[0] if row >= 0), find_ms)
