"""The trained reader: one transformer pass over question and passage gives relevance and answer span.

Runs through OpenVINO, candidates batched by length. A passage longer than the model reads at once is read in
overlapping windows, all of it. After a third of the layers a first opinion is asked; of many candidates only
those it puts first are read to the end (a cascade, as in Xin et al. 2020, "Early Exiting BERT for Efficient
Document Ranking"), and none after a few where one of those leads clearly. Training is in ``rag.training``.

Shapes: b rows of a batch, t tokens, h hidden units.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
    whole_steps,
)
from rag.reader.base import Candidate, Judgement, Mark, Reading
from rag.reader.decoding import join_tokens, marks_of, merge, windows
from rag.settings import RANKING

Floats = NDArray[np.float32]

# As in training: tokens of a question and of a header that are read, and of a passage at once.
QUESTION_TOKENS, HEADER_TOKENS, WINDOW_TOKENS = 48, 32, 256
QUOTATION_TOKENS = 96  # of each of two quotations that are judged together
EARLY_LAYERS = 4  # after which the first opinion is asked
OVERLAP_TOKENS = 64  # shared by neighbouring windows, longer than any span
BATCH_TOKENS = 800  # of one batch: short passages took 1.3 times as long at 2048, long ones the same
WIDTH_STEP = 8  # the runtime prepares every new shape: 12 % of the time and half of the memory without it
PADDING_TOKENS = 32  # of one row, what beginning another batch costs: .89 of the time without this limit


@dataclass(frozen=True, slots=True)
class _Window:
    """One row of a batch: a stretch of one candidate."""

    candidate: int
    ids: list[int]
    n_before: int  # tokens before the header
    text_from: int  # first token of the passage's own words, counted in ids
    offsets: list[tuple[int, int]]  # characters in the passage, for tokens from text_from on


@dataclass(slots=True)
class _State:
    """A row on its way through the layers: its first opinion, and its (t, h) hidden states."""

    opinion: float
    hidden: Floats


class CrossEncoderReader:
    """Reads with weights from a folder: ``model.safetensors``, ``config.json``, ``tokenizer.json``.

    ``exact`` computes in float32 throughout; otherwise in bfloat16 where the CPU has it. At most
    ``n_finished`` candidates are read to the end, fewer where one leads clearly; 0 reads all to the end.
    """

    name = "cross-encoder"

    def __init__(self, folder: Path, *, n_threads: int = 0, exact: bool = False, n_finished: int = 0) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._cls = self._tokenizer.token_to_id("[CLS]")
        self._sep = self._tokenizer.token_to_id("[SEP]")
        weights_path = folder / "model.safetensors"
        self.fingerprint = file_sha256(weights_path)
        self._n_finished = n_finished
        weights, shape = load_weights(weights_path), BertShape.load(folder)
        self.judges_pairs = "pair.weight" in weights
        self._begin = _compile_beginning(weights, shape, n_threads, exact)
        self._finish, self._says = _compile_end(weights, shape, n_threads, exact)

    def read(
        self, question: str, candidates: Sequence[Candidate], *, thorough: bool = False
    ) -> list[Reading]:
        """One reading a candidate, in the order given; ``thorough`` stops at no clear lead."""
        promise = {i: c.prior for i, c in enumerate(candidates)}  # not begun: as an opinion of even odds
        begun: dict[int, list[tuple[_Window, _State]]] = {}  # by the candidate's number, as the others
        finished: dict[int, Reading] = {}

        def begin(numbers: Sequence[int]) -> None:
            rows = [row for i in numbers for row in self._windows(question, i, candidates[i])]
            for row, state in zip(rows, self._begun(rows), strict=True):
                begun.setdefault(row.candidate, []).append((row, state))
            for i in numbers:
                promise[i] = max(state.opinion for _, state in begun[i]) + candidates[i].prior

        def finish(numbers: Sequence[int]) -> None:
            pairs = [pair for i in numbers if i not in finished for pair in begun[i]]
            finished.update(self._finished(candidates, pairs))

        everything = range(len(candidates))
        if self._n_finished > RANKING.finished_first and not thorough:
            begin(everything[: RANKING.begun_first])
            finish(_first({i: promise[i] for i in begun}, RANKING.finished_first))
        if not finished or _open(promise, finished, candidates):
            begin(everything[len(begun) :])
            most = _first(promise, self._n_finished or len(candidates))
            finish([i for i in _open(promise, finished, candidates) if i in most])
        # What was not begun counts like the least promising of what was; its prior still orders it.
        least = min((promise[i] for i in begun), default=0.0)
        return [
            finished.get(i) or Reading(promise[i] if i in begun else least, finished=False)
            for i in everything
        ]

    def judge(self, question: str, pairs: Sequence[tuple[Candidate, Candidate]]) -> list[Judgement]:
        """What the two quotations of each pair are to each other, in the order given, for this question.

        Each quotation stands under its header, and is cut after QUOTATION_TOKENS. Needs weights with a head
        for pairs (``judges_pairs``); a pair costs about as much as a passage of the same length.
        """
        rows = [self._pair(question, *pair) for pair in pairs]
        states = self._begun(rows)
        judged: dict[int, Judgement] = {}
        for batch in _batches([len(row.ids) for row in rows]):
            hidden, mask = _stack([states[i].hidden for i in batch])
            logits = self._end(hidden, mask)["pair"]
            powers = np.exp(logits - logits.max(axis=1, keepdims=True))
            for i, shares in zip(batch, (powers / powers.sum(axis=1, keepdims=True)).tolist(), strict=True):
                judged[i] = Judgement(*shares)
        return [judged[i] for i in range(len(rows))]

    def _pair(self, question: str, one: Candidate, other: Candidate) -> _Window:
        """[CLS] question [SEP] header . quotation [SEP] header . quotation [SEP], as in training."""
        before: list[Any] = [self._cls, *self._ids(question, QUESTION_TOKENS), self._sep]
        ids = list(before)
        for quoted in (one, other):
            header = self._ids(f"{quoted.header} . ", HEADER_TOKENS) if quoted.header else []
            ids += [*header, *self._ids(quoted.text, QUOTATION_TOKENS), self._sep]
        return _Window(0, ids, len(before), len(ids), [])

    def _ids(self, text: str, limit: int) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids[:limit]

    def _end(self, hidden: Floats, mask: NDArray[np.int32]) -> dict[str, Floats]:
        """What the last layers say of hidden states, by the names of _compile_end."""
        return dict(zip(self._says, _run(self._finish, hidden, mask), strict=True))

    def _begun(self, rows: Sequence[_Window]) -> list[_State]:
        """The rows after the first layers."""
        states: dict[int, _State] = {}
        for batch in _batches([len(row.ids) for row in rows]):
            ids, mask = pad([rows[i].ids for i in batch], step=WIDTH_STEP)
            types = np.zeros_like(ids)
            for line, i in enumerate(batch):
                types[line, rows[i].n_before : len(rows[i].ids)] = 1
            hidden, opinion = _run(self._begin, ids, types, mask)
            for line, i in enumerate(batch):
                states[i] = _State(float(opinion[line]), hidden[line, : len(rows[i].ids)])
        return [states[i] for i in range(len(rows))]

    def _finished(
        self, candidates: Sequence[Candidate], begun: Sequence[tuple[_Window, _State]]
    ) -> dict[int, Reading]:
        """The readings of the candidates whose windows these are."""
        relevance: dict[int, float] = {}
        marks: dict[int, list[Mark]] = {}
        tokens: dict[int, list[list[tuple[int, int, float]]]] = {}  # one list a window
        for batch in _batches([len(row.ids) for row, _ in begun]):
            hidden, mask = _stack([begun[i][1].hidden for i in batch])
            found_at = self._end(hidden, mask)
            logits, start, end = found_at["relevance"], found_at["start"], found_at["end"]
            for line, i in enumerate(batch):
                row = begun[i][0]
                number, score = row.candidate, float(logits[line])
                relevance[number] = max(relevance.get(number, score), score)
                within = slice(row.text_from, row.text_from + len(row.offsets))
                found = marks_of(candidates[number].text, row.offsets, start[line, within], end[line, within])
                marks.setdefault(number, []).extend(found)
                if "evidence" in found_at:
                    shown = zip(row.offsets, found_at["evidence"][line, within].tolist(), strict=True)
                    tokens.setdefault(number, []).append([(a, b, value) for (a, b), value in shown])
        return {
            number: Reading(score, merge(marks[number]), evidence=join_tokens(tokens.get(number, [[]])))
            for number, score in relevance.items()
        }

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


def _first(scores: Mapping[int, float], n: int) -> list[int]:
    """The n numbers of the highest scores; of equals the lower.

    >>> _first({0: 1.0, 1: 3.0, 2: 3.0}, 2)
    [1, 2]
    """
    return sorted(scores, key=lambda i: (-scores[i], i))[:n]


def _open(
    promise: Mapping[int, float], finished: Mapping[int, Reading], candidates: Sequence[Candidate]
) -> list[int]:
    """The numbers of those not finished that may still prove better than the best that was.

    Where nothing finished seems to answer, all are: a lead over what promises even less says little.

    >>> candidates, promise = [Candidate("a"), Candidate("b"), Candidate("c")], {0: 1.0, 1: 0.5, 2: -3.0}
    >>> [_open(promise, {0: Reading(relevance)}, candidates) for relevance in (-0.5, 2.0, 3.0)]
    [[1, 2], [1], []]
    """
    if max((reading.relevance for reading in finished.values()), default=-np.inf) < 0:
        return [i for i in promise if i not in finished]
    best = max((reading.relevance + candidates[i].prior for i, reading in finished.items()), default=-np.inf)
    return [i for i in promise if i not in finished and best - promise[i] < RANKING.clear_lead]


def _run(graph: Any, *inputs: NDArray[Any]) -> list[Floats]:
    # A request of its own a call: compiled graphs may be shared by threads, requests may not.
    result = graph.create_infer_request().infer(list(inputs))
    return [np.array(output) for output in result.values()]


def _stack(states: Sequence[Floats]) -> tuple[Floats, NDArray[np.int32]]:
    """Hidden states (t, h) of several rows as one (b, t, h), and the mask of what is not padding (b, t)."""
    width = whole_steps(max(len(state) for state in states), WIDTH_STEP)
    hidden = np.zeros((len(states), width, states[0].shape[1]), np.float32)
    mask = np.zeros((len(states), width), np.int32)
    for line, state in enumerate(states):
        hidden[line, : len(state)] = state
        mask[line, : len(state)] = 1
    return hidden, mask


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Rows of like length together, longest first: BATCH_TOKENS a batch and PADDING_TOKENS a row at most.

    >>> list(_batches([100, 60, 90, 50])), list(_batches([400, 390, 400]))
    ([[0, 2], [1, 3]], [[0, 2], [1]])
    """
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    batch: list[int] = []
    for i in order:
        longest = lengths[batch[0]] if batch else 0
        if batch and ((len(batch) + 1) * longest > BATCH_TOKENS or longest - lengths[i] > PADDING_TOKENS):
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def _compile_beginning(weights: Weights, shape: BertShape, n_threads: int, exact: bool) -> Any:
    """The first layers: ids, types, mask, each (b, t) -> hidden (b, t, h), opinion (b,)."""
    ops = load_openvino().opset13
    build = GraphBuilder(weights, shape)
    ids, types, mask = (build.tokens_input(name) for name in ("ids", "types", "mask"))
    absent = build.mask_bias(mask)  # (b, 1, 1, t)
    hidden = build.layers(build.embed(ids, types), absent, range(EARLY_LAYERS))
    weight, vote = _columns(build.linear(hidden, "early"))  # (b, t) each
    # the tokens' votes, weighed by their softmax; padding weighs nothing
    share = ops.softmax(ops.add(weight, ops.squeeze(absent, ops.constant(np.array([1, 2], np.int64)))), 1)
    opinion = ops.reduce_sum(ops.multiply(share, vote), ops.constant(np.int64(1)))
    return compile_graph(
        [hidden, opinion], [ids, types, mask], "reader's beginning", n_threads=n_threads, exact=exact
    )


def _compile_end(
    weights: Weights, shape: BertShape, n_threads: int, exact: bool
) -> tuple[Any, tuple[str, ...]]:
    """The other layers, hidden (b, t, h) and mask (b, t) -> relevance (b,), start and end (b, t), and names.

    Weights that have the heads for it add evidence (b, t) and pair (b, 3).
    """
    ops = load_openvino().opset13
    build = GraphBuilder(weights, shape)
    begun, mask = build.hidden_input("hidden"), build.tokens_input("mask")
    hidden = build.layers(begun, build.mask_bias(mask), range(EARLY_LAYERS, shape.num_hidden_layers))
    last = ops.constant(np.array([-1], np.int64))
    relevance = ops.squeeze(build.linear(build.first_token(hidden), "relevance"), last)
    start, end = _columns(build.linear(hidden, "span"))
    outputs = {"relevance": relevance, "start": start, "end": end}
    if "evidence.weight" in weights:
        outputs["evidence"] = ops.squeeze(build.linear(hidden, "evidence"), last)
    if "pair.weight" in weights:
        outputs["pair"] = build.linear(build.first_token(hidden), "pair")
    graph = compile_graph(
        list(outputs.values()), [begun, mask], "reader's end", n_threads=n_threads, exact=exact
    )
    return graph, tuple(outputs)


def _columns(pairs: Any) -> tuple[Any, Any]:
    """(b, t, 2) as two (b, t)."""
    ops = load_openvino().opset13
    first, second = (ops.gather(pairs, ops.constant(np.int64(i)), ops.constant(np.int64(2))) for i in (0, 1))
    return first, second
