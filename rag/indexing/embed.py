"""Passages into vectors, each made once and kept as soon as it is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from embeddings.compact import pack, width
from embeddings.encoder import Encoder
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
    made = Made.empty(keys, [len(text.spans) for text in texts], encoder.dim, width(encoder.dim))
    first: dict[bytes, int] = {}
    missing = []
    for row, key in enumerate(keys):
        if first.setdefault(key, row) == row and not any(
            found is not None and made.put(row, *found) for found in (source.get(key) for source in known)
        ):
            missing.append(row)
    missing.sort(key=lambda row: (-len(texts[row].context), row))  # like lengths together: little padding
    progress.start("embedding", len(missing))
    for start in range(0, len(missing), BATCH):
        batch = missing[start : start + BATCH]
        _embed_batch([texts[row] for row in batch], encoder, made, batch, progress)
        steps("keep embeddings")
        with writing(store):
            journal.put(made, batch)
    progress.finish()
    for row, key in enumerate(keys):
        if first[key] != row:
            made.put(row, *made.part(first[key]))
    return Embedded(made, len(missing), len(first) - len(missing))


def _embed_batch(
    texts: Sequence[PassageText], encoder: Encoder, made: Made, rows: Sequence[int], progress: Progress
) -> None:
    """Fill these rows of what is made."""
    whole = [text.context for text in texts]
    single = [text.context[start:end] for text in texts for start, end in text.spans]
    number = {text: i for i, text in enumerate(dict.fromkeys([*whole, *single]))}
    vectors = encoder.encode(list(number), kind="passage")
    made.vectors[rows] = vectors[[number[text] for text in whole]]
    if single:
        places = np.concatenate([np.arange(made.starts[row], made.starts[row + 1]) for row in rows])
        made.sentences[places] = pack(vectors[[number[text] for text in single]])
    progress.advance(len(rows))
