"""Encoders: texts in, unit vectors out.

Two run the weights that come with the package: one through sentence-transformers, one through OpenVINO,
which starts in a fraction of a second because it imports no torch. A test holds them equal to a cosine of
.9999. Any other model that sentence-transformers can load goes through the first.

Shapes: n texts, d dims.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from embeddings.bert import BertShape, GraphBuilder, compile_graph, file_sha256, has_bfloat16, pad
from embeddings.spans import Run, Span, Tokens, spans_alone, spans_in_one_pass
from embeddings.weights import BUILT_IN, STOCK, Weights, WeightsNotFoundError, shipped

Vectors = NDArray[np.float32]
Kind = Literal["passage", "query"]
Progress = Callable[[int], None]

BATCH = 32  # texts at a time: large enough to fill the cores, small enough to report progress
BULK_TEXTS = 64  # from so many on a second graph, compiled in .2 s, is won back
N_COMPARED, LEAST_COSINE = 16, 0.9999  # texts encoded both ways before the fast way is trusted
MAX_TOKENS = 256  # what the built-in encoder was trained to read; callers keep passages under it


class Encoder(Protocol):
    """Anything that turns texts into unit vectors.

    ``fingerprint`` changes whenever the vectors would: it covers weights and prefixes.
    """

    @property
    def name(self) -> str:
        """What the user calls it."""

    @property
    def fingerprint(self) -> str:
        """A SHA-256 over all that decides the vectors."""

    @property
    def dim(self) -> int:
        """The length of each vector."""

    def encode(
        self, texts: Sequence[str], *, kind: Kind = "passage", progress: Progress | None = None
    ) -> Vectors:
        """One unit vector a text, (n, d) float32; ``progress`` is told how many are newly done."""


def by_length(texts: Sequence[str], size: int) -> Iterator[list[int]]:
    """Positions of the texts in batches of like length, longest first, so that little is padding.

    >>> list(by_length(["aaa", "a", "aaaa", "aa"], 2))
    [[2, 0], [3, 1]]
    """
    order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
    for start in range(0, len(order), size):
        yield order[start : start + size]


def fingerprint(weights_sha256: str, query_prefix: str, passage_prefix: str) -> str:
    """One hash over the weights and both prefixes."""
    parts = "\0".join((weights_sha256, query_prefix, passage_prefix))
    return hashlib.sha256(parts.encode()).hexdigest()


def _encode_batches(
    texts: Sequence[str], dim: int, run: Callable[[list[str]], Vectors], progress: Progress | None
) -> Vectors:
    vectors = np.zeros((len(texts), dim), np.float32)
    for batch in by_length(texts, BATCH):
        vectors[batch] = run([texts[i] for i in batch])
        if progress:
            progress(len(batch))
    return vectors


def _spans_with_rest_alone(
    encoder: Encoder,
    texts: Sequence[str],
    tokens: Sequence[Tokens],
    spans: Sequence[Sequence[Span]],
    run: Run,
    progress: Progress | None,
) -> tuple[Vectors, Vectors]:
    """Vectors of texts and spans from one pass; spans beyond what it reads are encoded by themselves."""
    vectors, of_spans, beyond = spans_in_one_pass(tokens, spans, encoder.dim, run, progress=progress)
    if beyond:
        parts = [text[start:end] for text, some in zip(texts, spans, strict=True) for start, end in some]
        of_spans[beyond] = encoder.encode([parts[i] for i in beyond])
    return vectors, of_spans


def _dimension(model: Any) -> int | None:
    """The vector length; sentence-transformers 5.3 gave the method a shorter name."""
    method = getattr(model, "get_embedding_dimension", None) or model.get_sentence_embedding_dimension
    dim: int | None = method()
    return dim


class SentenceTransformerEncoder:
    """Any model that sentence-transformers can load from a folder or the local cache; nothing is fetched."""

    def __init__(
        self,
        name: str,
        folder: str,
        query_prefix: str = "",
        passage_prefix: str = "",
        *,
        weights: Weights | None = None,
    ) -> None:
        """``weights`` are those that come with the package, where ``folder`` is theirs."""
        # The hub library would otherwise ask the network whether a cached model is still current.
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()  # loading takes a second; the caller shows progress of its own
        try:
            self._model = SentenceTransformer(folder, device="cpu", trust_remote_code=False)
        except (OSError, ValueError) as error:
            raise WeightsNotFoundError(f"no model could be loaded from {folder}: {error}") from error
        if weights is not None:
            self._replace(weights)
        self._prefixes = {"query": query_prefix, "passage": passage_prefix}
        self.name = name
        self.dim = int(_dimension(self._model) or 0)
        sha256 = self._weights_sha256(folder) if weights is None else weights.sha256()
        self.fingerprint = fingerprint(sha256, query_prefix, passage_prefix)

    def _replace(self, weights: Weights) -> None:
        import torch

        layers = {name: torch.from_numpy(tensor).float() for name, tensor in weights.load_layers().items()}
        network = self._model[0].auto_model
        if network.load_state_dict(layers, strict=False).unexpected_keys:
            raise WeightsNotFoundError(f"{weights.layers} does not fit the model in {weights.folder}")

    def _weights_sha256(self, folder: str) -> str:
        single = Path(folder) / "model.safetensors"
        if single.is_file():
            return file_sha256(single)
        digest = hashlib.sha256()
        for key, tensor in sorted(self._model.state_dict().items()):
            digest.update(key.encode())
            digest.update(tensor.float().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def encode(
        self, texts: Sequence[str], *, kind: Kind = "passage", progress: Progress | None = None
    ) -> Vectors:
        """One unit vector a text, (n, d)."""
        prefix = self._prefixes[kind]

        def run(batch: list[str]) -> Vectors:
            vectors: Vectors = self._model.encode(
                batch, batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False
            )
            return vectors

        return _encode_batches([prefix + text for text in texts], self.dim, run, progress)

    def encode_spans(
        self, texts: Sequence[str], spans: Sequence[Sequence[Span]], *, progress: Progress | None = None
    ) -> tuple[Vectors, Vectors]:
        """One unit vector a text (n, d) and one a span (s, d), the spans in the order of their texts.

        From one pass where the text's vector is the mean over its tokens' states. Where it is anything else
        ([CLS], a projection behind it) the mean of a few states means nothing: each span is then encoded by
        itself, as is a span that ends beyond what the model reads.
        """
        if not texts or not self._pools_plain_means():
            return spans_alone(self, texts, spans, progress=progress)
        import torch

        prefix = self._prefixes["passage"]
        tokenizer = self._model.tokenizer
        longest = self._model.max_seq_length
        read = tokenizer([prefix + text for text in texts], truncation=True, max_length=longest)
        tokens = [Tokens.of(encoding, len(prefix)) for encoding in read.encodings]

        def run(rows: Sequence[Sequence[int]]) -> tuple[Vectors, Vectors]:
            ids, mask = pad(rows, tokenizer.pad_token_id or 0)
            features = {
                "input_ids": torch.from_numpy(ids).long(),
                "attention_mask": torch.from_numpy(mask).long(),
            }
            with torch.inference_mode():
                made = self._model(features)
            vectors = torch.nn.functional.normalize(made["sentence_embedding"], dim=1)
            return vectors.float().numpy(), made["token_embeddings"].float().numpy()

        return _spans_with_rest_alone(self, texts, tokens, spans, run, progress)

    def _pools_plain_means(self) -> bool:
        """Whether a text's vector is the mean of its tokens' states and those can be placed in the text."""
        from sentence_transformers.models import Normalize, Pooling

        transformer, *behind = list(self._model)
        pooling = behind[0] if behind else None
        return (
            isinstance(pooling, Pooling)
            and _pooling_mode(pooling) == "mean"
            and all(isinstance(module, Normalize) for module in behind[1:])
            and getattr(self._model.tokenizer, "is_fast", False)
            and not getattr(transformer, "do_lower_case", False)
            and self._model.default_prompt_name is None
        )


def _pooling_mode(pooling: Any) -> str:
    """How tokens become one vector; sentence-transformers 5.3 made the method an attribute."""
    mode = getattr(pooling, "pooling_mode", None)
    return str(pooling.get_pooling_mode_str() if mode is None else mode)


class OpenVinoEncoder:
    """The shipped encoders without torch: mean-pooled BERT, compiled for this CPU."""

    def __init__(
        self,
        name: str,
        weights: Weights,
        query_prefix: str = "",
        passage_prefix: str = "",
        n_threads: int = 0,
    ) -> None:
        from tokenizers import Tokenizer

        folder = weights.folder
        shape = BertShape.load(folder)
        self._prefixes = {"query": query_prefix, "passage": passage_prefix}
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.no_padding()
        self.name = name
        self.dim = shape.hidden_size
        self.fingerprint = fingerprint(weights.sha256(), query_prefix, passage_prefix)
        self._weights, self._shape, self._n_threads = weights, shape, n_threads
        self._graph = self._compile(exact=True)
        self._bulk: Any = None

    def _compile(self, *, exact: bool) -> Any:
        shape = self._shape
        build = GraphBuilder(self._weights.load(), shape)
        ids, types, mask = (build.tokens_input(name) for name in ("ids", "types", "mask"))
        hidden = build.layers(build.embed(ids, types), build.mask_bias(mask), range(shape.num_hidden_layers))
        pooled = build.mean_pool(hidden, mask)
        outputs = [pooled, hidden]  # vectors (b, d) and the tokens' states (b, t, d)
        return compile_graph(outputs, [ids, types, mask], "encoder", n_threads=self._n_threads, exact=exact)

    def _run(self, rows: Sequence[Sequence[int]], graph: Any = None) -> Any:
        """The outputs of a graph, by default the exact one, for token rows."""
        ids, mask = pad(rows)
        # A request of its own a call: compiled graphs may be shared by threads, requests may not.
        request = (self._graph if graph is None else graph).create_infer_request()
        return request.infer([ids, np.zeros_like(ids), mask])

    def _bulk_graph(self, tokens: Sequence[Tokens]) -> Any:
        """The graph for many texts: in bfloat16 where the CPU has it and its vectors are the exact one's.

        That is looked at once, on some of the texts that are to be encoded: bfloat16 changes a cosine by
        some .00002, less than what half floats do to a vector, and takes a third of the time.
        """
        if self._bulk is None:
            self._bulk = self._graph
            if has_bfloat16():
                fast = self._compile(exact=False)
                step = max(1, len(tokens) // N_COMPARED)
                rows = [text.ids for text in tokens[::step]]
                cosines = (self._run(rows)[0] * self._run(rows, fast)[0]).sum(axis=1)
                if float(cosines.min()) >= LEAST_COSINE:
                    self._bulk = fast
        return self._bulk

    def encode(
        self, texts: Sequence[str], *, kind: Kind = "passage", progress: Progress | None = None
    ) -> Vectors:
        """One unit vector a text, (n, d)."""
        prefix = self._prefixes[kind]

        def run(batch: list[str]) -> Vectors:
            result = self._run([encoding.ids for encoding in self._tokenizer.encode_batch(batch)])
            vectors: Vectors = np.array(result[0])
            return vectors

        return _encode_batches([prefix + text for text in texts], self.dim, run, progress)

    def encode_spans(
        self, texts: Sequence[str], spans: Sequence[Sequence[Span]], *, progress: Progress | None = None
    ) -> tuple[Vectors, Vectors]:
        """One unit vector a text (n, d) and one a span (s, d), the spans in the order of their texts.

        ``spans[i]`` are ranges of characters of ``texts[i]``. A span that ends beyond the MAX_TOKENS that are
        read is encoded by itself; one without a token of its own has its text's vector.
        """
        prefix = self._prefixes["passage"]
        encodings = self._tokenizer.encode_batch([prefix + text for text in texts])
        tokens = [Tokens.of(encoding, len(prefix)) for encoding in encodings]
        graph = self._bulk_graph(tokens) if len(tokens) >= BULK_TEXTS else self._graph

        def run(rows: Sequence[Sequence[int]]) -> tuple[Vectors, Vectors]:
            result = self._run(rows, graph)
            return np.array(result[0]), np.array(result[1])

        return _spans_with_rest_alone(self, texts, tokens, spans, run, progress)


def open_encoder(
    model: str = BUILT_IN,
    *,
    query_prefix: str = "",
    passage_prefix: str = "",
    runtime: str = "auto",
    n_threads: int = 0,
) -> Encoder:
    """The encoder called ``model``: BUILT_IN, the STOCK it grew from, a folder, or a name in the hub's cache.

    ``runtime`` "auto" runs the first two through OpenVINO, indexing or asking: the same vectors (cosine above
    .9999) without the seconds that importing torch takes. Everything else goes through sentence-transformers;
    either name forces one. Raises WeightsNotFoundError or WeightsChangedError.
    """
    if model not in (BUILT_IN, STOCK):
        if runtime == "openvino":
            raise WeightsNotFoundError(f"only {BUILT_IN} and {STOCK} run through openvino, not {model}")
        return SentenceTransformerEncoder(model, model, query_prefix, passage_prefix)
    weights = shipped(model)
    if runtime == "sentence-transformers":
        folder = str(weights.folder)
        return SentenceTransformerEncoder(model, folder, query_prefix, passage_prefix, weights=weights)
    return OpenVinoEncoder(model, weights, query_prefix, passage_prefix, n_threads)
