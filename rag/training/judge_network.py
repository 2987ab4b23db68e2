"""The judge of pairs: whether two quotations about a question contradict each other, agree, or stand apart.

A small network of its own (MiniLM's six layers, trained further in ``rag.training.judge``), shown the
question and both quotations under their headers at once. Which tokens stand on one side only is told to it by
their types: what differs is what decides. The word embeddings are the stock model's. No weights are shipped:
the rules of ``rag.answering.disagreement`` do better than what was trained so far (the material's README).

Shapes: b pairs of a batch, t tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings import bert, weights
from embeddings.bert import BertShape, GraphBuilder, compile_graph, load_openvino, pad
from embeddings.spans import token_batches
from rag.reader.base import PAIR_LABELS, Candidate, Judgement
from rag.reader.shipped import checked_folder

QUESTION_TOKENS, HEADER_TOKENS, QUOTATION_TOKENS = 48, 32, 96  # tokens read, as in training
CLS, SEP = 101, 102  # of the BERT vocabulary
# What a token is: of the question, or between; of a header or a quotation, on both sides or on one.
PLAIN, HEADER_BOTH, HEADER_ONE, QUOTED_BOTH, QUOTED_ONE = range(5)
BATCH_TOKENS = 800  # of one batch, padding counted in

TokenIds = Callable[[str], list[int]]


class PairJudge:
    """Judges with layers from a folder (``layers.safetensors``, ``config.json``), checked against its sums.

    ``exact`` computes in float32 throughout; otherwise in bfloat16 where the CPU has it. Raises WeightsError
    where a file is missing or changed.
    """

    def __init__(self, path: Path, *, n_threads: int = 0, exact: bool = False) -> None:
        from tokenizers import Tokenizer

        path, stock = checked_folder(path), weights.stock_folder()
        tokenizer = Tokenizer.from_file(str(stock / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        trained = weights.Weights(stock, path / "layers.safetensors").load()
        self._graph = _compile(trained, BertShape.load(path), n_threads, exact)

    def judge(self, question: str, pairs: Sequence[tuple[Candidate, Candidate]]) -> list[Judgement]:
        """What the two quotations of each pair are to each other for this question, in the order given.

        Which of a pair comes first makes no difference.
        """
        rows = [pair_tokens(self._ids, question, *in_order(one, other)) for one, other in pairs]
        judged: dict[int, Judgement] = {}
        for batch in token_batches([len(ids) for ids, _ in rows], BATCH_TOKENS):
            ids, mask = pad([rows[i][0] for i in batch])
            types, _ = pad([rows[i][1] for i in batch], fill=PLAIN)
            (found,) = self._graph.create_infer_request().infer([ids, types, mask]).values()
            for i, shares in zip(batch, softmax(np.array(found)).tolist(), strict=True):
                judged[i] = Judgement(*shares)
        return [judged[i] for i in range(len(rows))]

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids


def in_order(one: Candidate, other: Candidate) -> tuple[Candidate, Candidate]:
    """The two in the order in which they are judged, whichever was given first."""
    return (one, other) if (one.header, one.text) <= (other.header, other.text) else (other, one)


def pair_tokens(
    ids_of: TokenIds, question: str, one: Candidate, other: Candidate
) -> tuple[list[int], list[int]]:
    """(token ids, types) of [CLS] question [SEP] header . quotation [SEP] header . quotation [SEP].

    >>> ids_of = lambda text: [200 + ord(word[0]) for word in text.split()]
    >>> ids, types = pair_tokens(ids_of, "q", Candidate("a b", "h"), Candidate("a c", "h"))
    >>> ids
    [101, 313, 102, 304, 246, 297, 298, 102, 304, 246, 297, 299, 102]
    >>> types
    [0, 0, 0, 1, 1, 3, 4, 0, 1, 1, 3, 4, 0]
    """
    asked = [CLS, *ids_of(question)[:QUESTION_TOKENS], SEP]
    tops = [ids_of(f"{side.header} . ")[:HEADER_TOKENS] if side.header else [] for side in (one, other)]
    words = [ids_of(side.text)[:QUOTATION_TOKENS] for side in (one, other)]
    ids, types = list(asked), [PLAIN] * len(asked)
    for here, there in ((0, 1), (1, 0)):
        ids += [*tops[here], *words[here], SEP]
        types += [HEADER_BOTH if token in tops[there] else HEADER_ONE for token in tops[here]]
        types += [QUOTED_BOTH if token in words[there] else QUOTED_ONE for token in words[here]]
        types.append(PLAIN)
    return ids, types


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits (b, l) as shares of 1.

    >>> softmax(np.zeros((1, 2), np.float32)).tolist()
    [[0.5, 0.5]]
    """
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: NDArray[np.float32] = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _compile(trained: bert.Weights, shape: BertShape, n_threads: int, exact: bool) -> Any:
    """The network: ids, types, mask, each (b, t) -> logits of PAIR_LABELS (b, 3)."""
    ops = load_openvino().opset13
    build = GraphBuilder(trained, shape)
    ids, types, mask = (build.tokens_input(name) for name in ("ids", "types", "mask"))
    absent = build.mask_bias(mask)  # (b, 1, 1, t)
    hidden = build.layers(build.embed(ids, types), absent, range(shape.num_hidden_layers))
    both = build.linear(hidden, "votes")  # (b, t, 6): of each label what a token's vote weighs, then the vote
    n, last = len(PAIR_LABELS), ops.constant(np.array([2], np.int64))
    weight, vote = (
        ops.slice(both, *(ops.constant(np.array([at], np.int64)) for at in (first, first + n, 1)), last)
        for first in (0, n)
    )
    padding = ops.squeeze(absent, ops.constant(np.array([1], np.int64)))  # (b, 1, t)
    turned = ops.transpose(padding, ops.constant(np.array([0, 2, 1], np.int64)))  # (b, t, 1)
    share = ops.softmax(ops.add(weight, turned), 1)
    logits = ops.reduce_sum(ops.multiply(share, vote), ops.constant(np.int64(1)))
    return compile_graph([logits], [ids, types, mask], "judge", n_threads=n_threads, exact=exact)
