"""The trained reader: one transformer pass over question and passage gives relevance and answer span.

Runs through OpenVINO, candidates batched by length. A passage longer than the model reads at once is read in
overlapping windows, all of it. Training is in ``rag.reader.training``.

Shapes: b rows of a batch, t tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.bert import (
    BertShape,
    GraphBuilder,
    Weights,
    compile_graph,
    file_sha256,
    load_openvino,
    load_weights,
    pad,
)
from rag.reader.decoding import marks_of, merge, windows
from rag.reading import Candidate, Mark, Reading

Floats = NDArray[np.float32]

# As in training: tokens of a question and of a header that are read, and of a passage at once.
QUESTION_TOKENS, HEADER_TOKENS, WINDOW_TOKENS = 48, 32, 256
OVERLAP_TOKENS = 64  # shared by neighbouring windows, longer than any span
BATCH_TOKENS = 800  # of one batch: short passages took 1.3 times as long at 2048, long ones the same


@dataclass(frozen=True, slots=True)
class _Window:
    """One row of a batch: a stretch of one candidate."""

    candidate: int
    ids: list[int]
    n_before: int  # tokens before the header
    text_from: int  # first token of the passage's own words, counted in ids
    offsets: list[tuple[int, int]]  # characters in the passage, for tokens from text_from on


class CrossEncoderReader:
    """Reads with weights from a folder: ``model.safetensors``, ``config.json``, ``tokenizer.json``.

    ``exact`` computes in float32 throughout; otherwise in bfloat16 where the CPU has it.
    """

    name = "cross-encoder"

    def __init__(self, folder: Path, *, n_threads: int = 0, exact: bool = False) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._cls = self._tokenizer.token_to_id("[CLS]")
        self._sep = self._tokenizer.token_to_id("[SEP]")
        weights_path = folder / "model.safetensors"
        self.fingerprint = file_sha256(weights_path)
        self._graph = _compile(load_weights(weights_path), BertShape.load(folder), n_threads, exact)

    def read(self, question: str, candidates: Sequence[Candidate]) -> list[Reading]:
        """One reading a candidate, in the order given."""
        rows = [row for i, c in enumerate(candidates) for row in self._windows(question, i, c)]
        relevance = [-np.inf] * len(candidates)
        marks: list[list[Mark]] = [[] for _ in candidates]
        for batch in _batches(rows):
            ids, mask = pad([rows[i].ids for i in batch])
            types = np.zeros_like(ids)
            for line, i in enumerate(batch):
                types[line, rows[i].n_before : len(rows[i].ids)] = 1
            logits, start, end = self._run(ids, types, mask)
            for line, i in enumerate(batch):
                row = rows[i]
                relevance[row.candidate] = max(relevance[row.candidate], float(logits[line]))
                within = slice(row.text_from, row.text_from + len(row.offsets))
                text = candidates[row.candidate].text
                marks[row.candidate] += marks_of(text, row.offsets, start[line, within], end[line, within])
        return [Reading(score, merge(found)) for score, found in zip(relevance, marks, strict=True)]

    def _run(self, *inputs: NDArray[np.int32]) -> tuple[Floats, Floats, Floats]:
        # A request of its own a call: compiled graphs may be shared by threads, requests may not.
        result = self._graph.create_infer_request().infer(list(inputs))
        relevance, start, end = (np.array(result[i]) for i in range(3))
        return relevance, start, end

    def _windows(self, question: str, number: int, candidate: Candidate) -> Iterator[_Window]:
        """The candidate as [CLS] question [SEP] header . words [SEP], in as many windows as it needs."""

        def tokens(text: str) -> Any:
            return self._tokenizer.encode(text, add_special_tokens=False)

        before = [self._cls, *tokens(question).ids[:QUESTION_TOKENS], self._sep]
        header = tokens(f"{candidate.header} . ").ids[:HEADER_TOKENS] if candidate.header else []
        words = tokens(candidate.text)
        ids, offsets = words.ids, words.offsets
        for start, end in windows(len(ids), WINDOW_TOKENS, OVERLAP_TOKENS):
            row = [*before, *header, *ids[start:end], self._sep]
            yield _Window(number, row, len(before), len(before) + len(header), offsets[start:end])


def _batches(rows: Sequence[_Window]) -> Iterator[list[int]]:
    """Rows of like length together, longest first, at most BATCH_TOKENS a batch with its padding."""
    order = sorted(range(len(rows)), key=lambda i: -len(rows[i].ids))
    batch: list[int] = []
    for i in order:
        if batch and (len(batch) + 1) * len(rows[batch[0]].ids) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def _compile(weights: Weights, shape: BertShape, n_threads: int, exact: bool) -> Any:
    """The graph: ids, types, mask, each (b, t) -> relevance (b,), start (b, t), end (b, t)."""
    ops = load_openvino().opset13
    build = GraphBuilder(weights, shape)
    ids, types, mask = (build.tokens_input(name) for name in ("ids", "types", "mask"))
    hidden = build.layers(build.embed(ids, types), build.mask_bias(mask), range(shape.num_hidden_layers))
    last = ops.constant(np.array([-1], np.int64))
    relevance = ops.squeeze(build.linear(build.first_token(hidden), "relevance"), last)
    spans = build.linear(hidden, "span")  # (b, t, 2)
    start, end = (ops.gather(spans, ops.constant(np.int64(i)), ops.constant(np.int64(2))) for i in (0, 1))
    return compile_graph(
        [relevance, start, end], [ids, types, mask], "reader", n_threads=n_threads, exact=exact
    )
