"""Passages into vectors, each made once and kept as soon as it is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from embeddings.compact import pack, packed_width
from embeddings.encoder import Encoder
from embeddings.spans import Batch, encode_batches
from rag.indexing.progress import Progress
from rag.indexing.texts import PassageText
from rag.store.journal import Committed, Journal, Made, embedding_key
from rag.store.layout import Steps, writing

BATCH = 128  # passages between two savings: a few seconds of work are lost at most


@dataclass(frozen=True, slots=True)
class Embedded:
    """What was made of the passages, in their order, and how many texts were embedded and how many known."""

    made: Made
    n_made: int
    n_known: int


def embed(
    texts: Sequence[PassageText],
    encoder: Encoder,
    known: Sequence[Journal | Committed],
    journal: Journal,
    store: Path,
    *,
    progress: Progress,
    steps: Steps,
) -> Embedded:
    """The vectors of each passage and of its sentences: known ones, else from the encoder, and kept."""
    keys = [embedding_key(encoder.fingerprint, text.context, text.spans) for text in texts]
    made = Made.empty(keys, [len(text.spans) for text in texts], encoder.dim, packed_width(encoder.dim))
    first: dict[bytes, int] = {}
    missing = []
    for row, key in enumerate(keys):
        if first.setdefault(key, row) == row and not any(
            found is not None and made.put(row, *found) for found in (source.get(key) for source in known)
        ):
            missing.append(row)
    missing.sort(key=lambda row: (-len(texts[row].context), row))  # like lengths together: little padding
    progress.start("embedding", len(missing))
    batches = [missing[start : start + BATCH] for start in range(0, len(missing), BATCH)]
    work = [
        Batch([texts[row].context for row in batch], [texts[row].spans for row in batch]) for batch in batches
    ]
    for number, vectors, of_sentences in encode_batches(encoder, work, progress=progress.advance):
        batch = batches[number]
        made.vectors[batch] = vectors
        places = [np.arange(made.starts[row], made.starts[row + 1]) for row in batch]
        made.sentences[np.concatenate(places)] = pack(of_sentences)
        steps("keep embeddings")
        with writing(store):
            journal.put(made, batch)
    progress.finish()
    for row, key in enumerate(keys):
        if first[key] != row:
            made.put(row, *made.part(first[key]))
    return Embedded(made, len(missing), len(first) - len(missing))
