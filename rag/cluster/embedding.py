"""Embedding on all nodes of a Ray cluster: every batch exactly once, whatever is lost on the way."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Encoder, Kind, Progress
from embeddings.spans import Batch, Span, Vectors, encode_spans
from rag.cluster import connect, n_cpus
from rag.errors import ClusterError
from rag.retrieval.encoder import load_encoder
from rag.settings import EncoderSettings

JOB_BATCHES = 512  # handed to Ray at a time: 65,000 passages, 100 MB; the encoders start anew with each job
Columns = dict[str, NDArray[Any]]


class RayEncoder:
    """The encoder of the settings, here for a question and on every node for many batches.

    A node gives the vectors that this machine would, to the last bit where both have one kind of CPU: a
    batch is encoded as it would be here, and a node with other weights is refused.
    """

    def __init__(self, settings: EncoderSettings, address: str) -> None:
        connect(address)
        self._settings = settings
        self._encoder: Encoder = load_encoder(settings)
        self.name = self._encoder.name
        self.fingerprint = self._encoder.fingerprint
        self.dim = self._encoder.dim

    def encode(
        self, texts: Sequence[str], *, kind: Kind = "passage", progress: Progress | None = None
    ) -> Vectors:
        """One unit vector a text, (n, d), made here."""
        return self._encoder.encode(texts, kind=kind, progress=progress)

    def encode_spans(
        self, texts: Sequence[str], spans: Sequence[Sequence[Span]], *, progress: Progress | None = None
    ) -> tuple[Vectors, Vectors]:
        """One unit vector a text (n, d) and one a span (s, d), made here."""
        return encode_spans(self._encoder, texts, spans, progress=progress)

    def encode_batches(
        self, batches: Sequence[Batch], *, progress: Progress | None = None
    ) -> Iterator[tuple[int, Vectors, Vectors]]:
        """Each batch's number and its vectors, as the nodes deliver them; one batch is made here.

        Raises ClusterError where no node can encode any more.
        """
        if len(batches) == 1:
            yield 0, *self.encode_spans(batches[0].texts, batches[0].spans, progress=progress)
            return
        for start in range(0, len(batches), JOB_BATCHES):
            for number, vectors, of_spans in self._job(batches[start : start + JOB_BATCHES]):
                if progress:
                    progress(len(batches[start + number].texts))
                yield start + number, vectors, of_spans

    def _job(self, batches: Sequence[Batch]) -> Iterator[tuple[int, Vectors, Vectors]]:
        """One run of Ray Data. A block that a lost node held or was making is made again by Ray."""
        import ray.data

        logging.getLogger("ray.data").setLevel(logging.ERROR)  # importing it has set another
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        items = [
            {"number": number, "work": pickle.dumps((batch.texts, batch.spans))}
            for number, batch in enumerate(batches)
        ]
        made = ray.data.from_items(items, override_num_blocks=len(items)).map_batches(
            BatchEncoding,
            batch_size=1,
            fn_constructor_args=(self._settings, self.fingerprint),
            compute=ray.data.ActorPoolStrategy(size=min(n_cpus(), len(items))),
            num_cpus=1,
        )
        waiting = set(range(len(items)))
        try:
            for row in made.iter_rows():
                number = int(row["number"])
                waiting.remove(number)  # a KeyError would be Ray's giving a row twice
                yield number, self._vectors(row["vectors"]), self._vectors(row["of_spans"])
        except ray.exceptions.RayError as error:
            last = str(error).strip().splitlines()[-1]
            raise ClusterError(
                f"the cluster could not embed: {last}", "ray status  # what is kept is not embedded again"
            ) from error
        if waiting:
            raise ClusterError(f"the cluster lost {len(waiting)} batches", "run the command again")

    def _vectors(self, data: bytes) -> Vectors:
        vectors: Vectors = np.frombuffer(data, np.float32).reshape(-1, self.dim)
        return vectors


class BatchEncoding:
    """What an actor of Ray Data runs: an encoder, loaded once, on one core."""

    def __init__(self, settings: EncoderSettings, fingerprint: str) -> None:
        self._encoder = load_encoder(settings, n_threads=1)
        if self._encoder.fingerprint != fingerprint:
            raise ClusterError("a node has other weights than the machine that asks", "install one version")

    def __call__(self, columns: Columns) -> Columns:
        """The vectors of one batch, as bytes: Arrow has no type for text with half a surrogate pair."""
        texts, spans = pickle.loads(columns["work"][0])
        vectors, of_spans = encode_spans(self._encoder, texts, spans)
        return {
            "number": columns["number"],
            "vectors": np.array([vectors.tobytes()], object),
            "of_spans": np.array([of_spans.tobytes()], object),
        }
