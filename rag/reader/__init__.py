"""Readers: shown a question and passages, they say how well each answers and mark the words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag.reader.base import Candidate, Mark, Reader, Reading

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from embeddings.encoder import Encoder
    from rag.settings import ReaderSettings

__all__ = ["Candidate", "Mark", "Reader", "Reading", "open_reader"]


def open_reader(settings: ReaderSettings, encoder: Encoder) -> Reader:
    """The reader that the settings name."""
    from rag.reader.similarity import SimilarityReader

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        return encoder.encode(texts, kind="passage")

    return SimilarityReader(encode, encoder.fingerprint)
