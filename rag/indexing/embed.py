"""Texts into vectors, each made once and kept as soon as it is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from embeddings.encoder import Encoder
from rag.indexing.progress import Progress
from rag.store.cache import EmbeddingCache, embedding_key
from rag.store.layout import Steps, writing
from rag.store.proofs import Vectors

BATCH = 128  # texts between two savings: a few seconds of work are lost at most


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors by text (n, d), the keys they are kept under, and how many were made and how many known."""

    vectors: Vectors
    keys: frozenset[bytes]
    n_made: int
    n_known: int


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
