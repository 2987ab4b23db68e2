"""Readers: shown a question and passages, they say how well each answers and mark the words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rag.reader.base import Reader

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from embeddings.encoder import Encoder
    from rag.settings import ReaderSettings

__all__ = ["open_reader", "reader_fingerprint"]


def open_reader(settings: ReaderSettings, encoder: Callable[[], Encoder]) -> Reader:
    """The reader that the settings name; ``encoder`` is asked for only where the reader is made of it.

    Raises WeightsError where its weights are missing or changed.
    """
    if settings.model == "cross-encoder":
        from rag.reader.crossencoder import CrossEncoderReader
        from rag.reader.shipped import checked_folder

        return CrossEncoderReader(
            checked_folder(), n_threads=settings.threads, n_finished=settings.n_finished
        )

    from rag.reader.similarity import SimilarityReader

    known = encoder()

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        return known.encode(texts, kind="passage")

    return SimilarityReader(encode, known.fingerprint)


def reader_fingerprint(settings: ReaderSettings, encoder_fingerprint: str) -> str:
    """The fingerprint of the reader that the settings name, without opening it; empty where it is missing."""
    if settings.model != "cross-encoder":
        return encoder_fingerprint
    from rag.reader.shipped import expected_checksums

    return expected_checksums().get("model.safetensors", "")
