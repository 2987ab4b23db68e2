"""LlamaIndex: a VectorStoreIndex over nodes, and its retriever."""

from __future__ import annotations

import time
from typing import Any

from eval.peers.task import Found, Task


class LlamaIndex:
    """Retrieval alone: what it puts after it is a language model."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._node: Any = None
        self._index: Any = None
        self._model: Any = None
        self._retriever: Any = None

    def load(self) -> None:
        """The encoder."""
        from llama_index.core import VectorStoreIndex
        from llama_index.core.schema import TextNode
        from llama_index.embeddings.huggingface import HuggingFaceEmbedding

        self._node, self._index = TextNode, VectorStoreIndex
        self._model = HuggingFaceEmbedding(model_name=self._task.encoder, device="cpu")

    def index(self) -> None:
        """Every text as a node with its row for an id."""
        nodes = [self._node(id_=str(row), text=text) for row, text in enumerate(self._task.texts)]
        index = self._index(nodes, embed_model=self._model)
        self._retriever = index.as_retriever(similarity_top_k=self._task.k)

    def ask(self, question: str) -> Found:
        """The nearest nodes."""
        began = time.perf_counter()
        hits = self._retriever.retrieve(question)
        find_ms = (time.perf_counter() - began) * 1e3
        return Found(tuple(int(hit.node.node_id) for hit in hits), find_ms)
