"""The vectors of texts and of parts of them out of one forward pass (Günther et al. 2024, "Late Chunking").

A part's vector is the mean over the states of its own tokens, scaled to length 1. Those states have seen the
whole text, so a sentence that says "it" is found by what "it" is, and no sentence is encoded a second time:
about half the tokens of encoding text and sentences apart.

Shapes: n texts, s spans, t tokens, b texts of a batch, d dims.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Span = tuple[int, int]  # characters of a text, half-open
Progress = Callable[[int], None]

BATCH_TOKENS = 2048  # padding included; 1,024 to 4,096 took the same time, 8,192 about a quarter more


@runtime_checkable
class SpanEncoder(Protocol):
    """An encoder that makes the vectors of spans from the states of their text."""

    def encode_spans(
        self, texts: Sequence[str], spans: Sequence[Sequence[Span]], *, progress: Progress | None = None
    ) -> tuple[Vectors, Vectors]:
        """One unit vector a text (n, d), and one a span (s, d), the spans in the order of their texts."""


class TextEncoder(Protocol):
    """What is needed of an encoder that knows whole texts only."""

    def encode(
        self,
        texts: Sequence[str],
        *,
        kind: Literal["passage", "query"] = ...,
        progress: Progress | None = ...,
    ) -> Vectors:
        """One unit vector a text, (n, d)."""


def encode_spans(
    encoder: TextEncoder,
    texts: Sequence[str],
    spans: Sequence[Sequence[Span]],
    *,
    progress: Progress | None = None,
) -> tuple[Vectors, Vectors]:
    """One unit vector a text (n, d) and one a span (s, d), as good as this encoder can make them.

    ``spans[i]`` are ranges of characters of ``texts[i]``. An encoder without a way of its own encodes each
    span as a text by itself. ``progress`` is told how many texts are newly done.
    """
    if isinstance(encoder, SpanEncoder):
        return encoder.encode_spans(texts, spans, progress=progress)
    return spans_alone(encoder, texts, spans, progress=progress)


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts to be encoded together, with their spans: what a vector is to its last bit depends on both."""

    texts: list[str]
    spans: list[Sequence[Span]]


@runtime_checkable
class BatchEncoder(Protocol):
    """An encoder that works at several batches at once, on several machines perhaps."""

    def encode_batches(
        self, batches: Sequence[Batch], *, progress: Progress | None = None
    ) -> Iterator[tuple[int, Vectors, Vectors]]:
        """As `encode_batches`."""


def encode_batches(
    encoder: TextEncoder, batches: Sequence[Batch], *, progress: Progress | None = None
) -> Iterator[tuple[int, Vectors, Vectors]]:
    """Each batch's number with what `encode_spans` makes of it: once each, as they are done, in any order."""
    if isinstance(encoder, BatchEncoder):
        yield from encoder.encode_batches(batches, progress=progress)
        return
    for number, batch in enumerate(batches):
        yield number, *encode_spans(encoder, batch.texts, batch.spans, progress=progress)


def spans_alone(
    encoder: TextEncoder,
    texts: Sequence[str],
    spans: Sequence[Sequence[Span]],
    *,
    progress: Progress | None = None,
) -> tuple[Vectors, Vectors]:
    """As `encode_spans`, each span encoded as a text by itself; one without words gets its text's vector."""
    parts = [
        text[start:end] if text[start:end].strip() else text
        for text, some in zip(texts, spans, strict=True)
        for start, end in some
    ]
    place = {text: i for i, text in enumerate(dict.fromkeys([*texts, *parts]))}  # each once
    vectors = encoder.encode(list(place), kind="passage")
    if progress:
        progress(len(texts))
    return vectors[[place[text] for text in texts]], vectors[[place[part] for part in parts]]


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text as its encoder reads it, each token with the characters it stands for.

    ``own`` are the tokens of the text itself: neither marks set around it nor a prefix. ``is_cut`` says that
    the text was longer than the encoder reads.
    """

    ids: Sequence[int]
    starts: NDArray[np.int64]  # (t,)
    ends: NDArray[np.int64]  # (t,)
    own: NDArray[np.bool_]  # (t,)
    is_cut: bool

    @classmethod
    def of(cls, encoding: Any, n_prefix: int = 0) -> Tokens:
        """The tokens of an ``Encoding`` of the tokenizers library, ``n_prefix`` characters left out."""
        offsets = np.asarray(encoding.offsets, np.int64).reshape(-1, 2) - n_prefix
        own = (np.asarray(encoding.special_tokens_mask) == 0) & (offsets[:, 1] > 0)
        return cls(encoding.ids, offsets[:, 0], offsets[:, 1], own, bool(encoding.overflowing))

    def within(self, span: Span) -> NDArray[np.bool_] | None:
        """Which tokens stand in a span, (t,); None where it ends beyond what the encoder read.

        >>> from types import SimpleNamespace
        >>> offsets, marks = [(0, 0), (0, 2), (3, 8), (0, 0)], [1, 0, 0, 1]
        >>> read = SimpleNamespace(
        ...     ids=[2, 8, 9, 3], offsets=offsets, special_tokens_mask=marks, overflowing=[1]
        ... )
        >>> Tokens.of(read).within((3, 8)).tolist()
        [False, False, True, False]
        >>> Tokens.of(read).within((3, 12)) is None
        True
        """
        start, end = span
        if self.is_cut and end > self.ends[self.own].max(initial=0):
            return None
        within: NDArray[np.bool_] = self.own & (np.maximum(self.starts, start) < np.minimum(self.ends, end))
        return within


Run = Callable[[Sequence[Sequence[int]]], tuple[Vectors, Vectors]]  # ids -> vectors (b, d), states (b, t, d)


def spans_in_one_pass(
    tokens: Sequence[Tokens],
    spans: Sequence[Sequence[Span]],
    dim: int,
    run: Run,
    *,
    progress: Progress | None = None,
) -> tuple[Vectors, Vectors, list[int]]:
    """The vectors of texts and spans, and which spans have none yet because they end beyond what was read.

    A span that holds every token of its text has the text's own vector (which the marks around it are part
    of), and so has one that holds no token.
    """
    vectors = np.zeros((len(tokens), dim), np.float32)
    first = np.concatenate([[0], np.cumsum([len(some) for some in spans], dtype=np.int64)])
    of_spans = np.zeros((int(first[-1]), dim), np.float32)
    beyond: list[int] = []
    for batch in token_batches([len(text.ids) for text in tokens]):
        whole, states = run([tokens[i].ids for i in batch])
        vectors[batch] = whole
        for row, i in enumerate(batch):
            for place, span in enumerate(spans[i], start=int(first[i])):
                within = tokens[i].within(span)
                if within is None:
                    beyond.append(place)
                elif not within.any() or within.sum() == tokens[i].own.sum():
                    of_spans[place] = whole[row]
                else:
                    total = states[row, : len(within)][within].sum(axis=0)  # (d,); its length is lost anyway
                    of_spans[place] = total / max(float(np.linalg.norm(total)), 1e-12)
        if progress:
            progress(len(batch))
    return vectors, of_spans, beyond


def token_batches(lengths: Sequence[int], budget: int = BATCH_TOKENS) -> Iterator[list[int]]:
    """Positions of texts of like length, longest first, each batch within ``budget`` tokens of its rectangle.

    A text longer than the budget is a batch by itself.

    >>> list(token_batches([3, 9, 1, 4, 3], budget=8))
    [[1], [3, 0], [4, 2]]
    """
    batch: list[int] = []
    for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if batch and lengths[batch[0]] * (len(batch) + 1) > budget:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch
