"""The vectors of a generation: of every passage in its context, and of every sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from embeddings.encoder import Encoder
from rag.context import passage_context
from rag.indexing.progress import Progress
from rag.sentences import sentences
from rag.store.cache import EmbeddingCache, embedding_key
from rag.store.content import Content
from rag.store.layout import Steps, writing
from rag.store.proofs import Rows, Vectors

BATCH = 128  # texts between two savings: a few seconds of work are lost at most


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors by text (n, d), the keys they are kept under, and how many were made and how many known."""

    vectors: Vectors
    keys: frozenset[bytes]
    n_made: int
    n_known: int


def contexts(content: Content) -> list[str]:
    """For each row, the text its passage is found by."""
    documents = {entry.document.id: entry.document for entry in content.entries}
    return [passage_context(documents[p.document_id], p) for p in content.passages]


def sentence_texts(content: Content) -> tuple[list[str], Rows]:
    """Every sentence of every passage, its white space evened out, and the row of its passage."""
    texts: list[str] = []
    rows: list[int] = []
    for row, passage in enumerate(content.passages):
        for start, end in sentences(passage.text):
            texts.append(" ".join(passage.text[start:end].split()))
            rows.append(row)
    return texts, np.asarray(rows, np.int64)


def embed(
    texts: Sequence[str],
    encoder: Encoder,
    cache: EmbeddingCache,
    store: Path,
    generation: int,
    *,
    progress: Progress,
    steps: Steps,
) -> Embedded:
    """A vector for each text: from the cache, else from the encoder, and kept as soon as made."""
    keys = [embedding_key(encoder.fingerprint, text) for text in texts]
    place = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    text_of = dict(zip(keys, texts, strict=True))
    unique = list(place)
    vectors = np.zeros((len(unique), encoder.dim), np.float32)
    with writing(store):
        missing = cache.fill(unique, vectors)
    missing.sort(key=lambda i: (-len(text_of[unique[i]]), i))  # batches of like length hold little padding
    progress.start("embedding", len(missing))
    for start in range(0, len(missing), BATCH):
        batch = missing[start : start + BATCH]
        made = encoder.encode([text_of[unique[i]] for i in batch], kind="passage", progress=progress.advance)
        vectors[batch] = made
        steps("keep embeddings")
        with writing(store):
            cache.put([unique[i] for i in batch], made, generation)
    progress.finish()
    return Embedded(
        vectors[[place[key] for key in keys]],
        frozenset(unique),
        len(missing),
        len(unique) - len(missing),
    )
