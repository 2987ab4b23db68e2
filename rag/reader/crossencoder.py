"""The trained reader: one transformer pass over question and passage gives relevance and answer span.

Runs through OpenVINO. The lower half of the layers sees every candidate and an early relevance head drops
those that cannot win; the upper half reads the rest. Training is in ``rag.reader.training``.

Shapes: b rows of a batch, t tokens, h hidden units.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.bert import BertShape, GraphBuilder, Weights, compile_graph, file_sha256, load_weights, pad
from rag.reader.decoding import marks_of, merge, windows
from rag.reading import Candidate, Mark, Reading

Floats = NDArray[np.float32]

# As in training: tokens of a question and of a header that are read, and of a passage at once.
QUESTION_TOKENS, HEADER_TOKENS, WINDOW_TOKENS = 48, 32, 256
OVERLAP_TOKENS = 64  # shared by neighbouring windows, longer than any span
BATCH_TOKENS = 2048  # of one batch: enough to fill two cores, small enough to stay in cache


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

    ``n_full`` is how many candidates at least go through all layers. ``exact`` computes in float32.
    """

    name = "cross-encoder"

    def __init__(self, folder: Path, *, n_threads: int = 0, n_full: int = 8, exact: bool = False) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._cls = self._tokenizer.token_to_id("[CLS]")
        self._sep = self._tokenizer.token_to_id("[SEP]")
        weights_path = folder / "model.safetensors"
        self.fingerprint = file_sha256(weights_path)
        self._n_full = n_full
        shape = BertShape.load(folder)
        early = int(json.loads((folder / "config.json").read_text("utf-8"))["early_layer"])
        self._lower, self._upper = _compile(load_weights(weights_path), shape, early, n_threads, exact)

    def read(self, question: str, candidates: Sequence[Candidate]) -> list[Reading]:
        """One reading a candidate, in the order given."""
        rows = [row for i, c in enumerate(candidates) for row in self._windows(question, i, c)]
        early = np.full(len(candidates), -np.inf, np.float32)
        lower: dict[int, Floats] = {}
        for batch in _batches(rows):
            ids, mask = pad([rows[i].ids for i in batch])
            types = np.zeros_like(ids)
            for line, i in enumerate(batch):
                types[line, rows[i].n_before : len(rows[i].ids)] = 1
            hidden, logits = _run(self._lower, ids, types, mask)
            for line, i in enumerate(batch):
                lower[i] = hidden[line, : len(rows[i].ids)]
                early[rows[i].candidate] = max(early[rows[i].candidate], logits[line])
        kept = set(np.argsort(-early, kind="stable")[: self._n_full].tolist())
        full = [i for i, row in enumerate(rows) if row.candidate in kept]
        return self._finish(candidates, rows, lower, full, early)

    def _finish(
        self,
        candidates: Sequence[Candidate],
        rows: Sequence[_Window],
        lower: dict[int, Floats],
        full: Sequence[int],
        early: Floats,
    ) -> list[Reading]:
        relevance: dict[int, float] = {}
        marks: dict[int, list[Mark]] = {}
        for batch in _batches(rows, full):
            hidden, mask = _stack([lower[i] for i in batch])
            logits, start, end = _run(self._upper, hidden, mask)
            for line, i in enumerate(batch):
                row, number = rows[i], rows[i].candidate
                relevance[number] = max(relevance.get(number, -np.inf), float(logits[line]))
                within = slice(row.text_from, row.text_from + len(row.offsets))
                text = candidates[number].text
                found = marks_of(text, row.offsets, start[line, within], end[line, within])
                marks.setdefault(number, []).extend(found)
        floor = min(relevance.values(), default=0.0)  # whoever was dropped ranks below whoever was read
        return [
            Reading(relevance[i], merge(marks[i]))
            if i in relevance
            else Reading(floor - 1.0 - float(early.max() - early[i]), read_fully=False)
            for i in range(len(candidates))
        ]

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


def _batches(rows: Sequence[_Window], chosen: Sequence[int] | None = None) -> Iterator[list[int]]:
    """Rows of like length together, longest first, at most BATCH_TOKENS a batch with its padding."""
    order = sorted(range(len(rows)) if chosen is None else chosen, key=lambda i: -len(rows[i].ids))
    batch: list[int] = []
    for i in order:
        if batch and (len(batch) + 1) * len(rows[batch[0]].ids) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def _stack(rows: Sequence[Floats]) -> tuple[Floats, NDArray[np.int32]]:
    """Hidden states of several lengths as one (b, t, h) block and its mask (b, t)."""
    width = max(len(row) for row in rows)
    block = np.zeros((len(rows), width, rows[0].shape[1]), np.float32)
    mask = np.zeros((len(rows), width), np.int32)
    for line, row in enumerate(rows):
        block[line, : len(row)] = row
        mask[line, : len(row)] = 1
    return block, mask


def _run(graph: Any, *inputs: NDArray[Any]) -> tuple[Floats, ...]:
    """A graph's outputs; a request of its own a call, since requests may not be shared by threads."""
    result = graph.create_infer_request().infer(list(inputs))
    return tuple(np.array(result[i]) for i in range(len(graph.outputs)))


def _compile(weights: Weights, shape: BertShape, early: int, n_threads: int, exact: bool) -> tuple[Any, Any]:
    """Two graphs: ids, types, mask -> hidden, early; and hidden, mask -> relevance, start, end."""
    import openvino.opset13 as ops

    build = GraphBuilder(weights, shape)

    def squeeze(node: Any) -> Any:
        return ops.squeeze(node, ops.constant(np.array([-1], np.int64)))

    ids, types, mask = (build.tokens_input(name) for name in ("ids", "types", "mask"))
    middle = build.layers(build.embed(ids, types), build.mask_bias(mask), range(early))
    early_logit = squeeze(build.linear(build.first_token(middle), "early"))
    lower = compile_graph(
        [middle, early_logit], [ids, types, mask], "lower", n_threads=n_threads, exact=exact
    )

    hidden, upper_mask = build.hidden_input("hidden"), build.tokens_input("mask")
    numbers = range(early, shape.num_hidden_layers)
    top = build.layers(hidden, build.mask_bias(upper_mask), numbers)
    relevance = squeeze(build.linear(build.first_token(top), "relevance"))
    spans = build.linear(top, "span")  # (b, t, 2)
    axis = ops.constant(np.int64(2))
    start, end = (ops.gather(spans, ops.constant(np.int64(i)), axis) for i in (0, 1))
    upper = compile_graph(
        [relevance, start, end], [hidden, upper_mask], "upper", n_threads=n_threads, exact=exact
    )
    return lower, upper
