"""How good the reader is on held-out questions, cheaply enough to ask every ten minutes."""

import random
import re
import string
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from rag.training.data import Pools, Row, build_group, header, typed
from rag.training.features import encode_rows, tensors
from rag.training.material import Paragraph
from rag.training.perturb import perturb
from rag.training.sources import Example
from rag.training.windows import some_text
from rag.training.written import flip_rows, spans

MAX_ANSWER_TOKENS = 30
N_CANDIDATES = 16
N_KEPT = 6  # of them, where the first opinion decides which are read to the end


def normal(text: str) -> str:
    """The official SQuAD normalisation: lower case, no punctuation, no articles, single spaces."""
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def f1(guess: str, gold: str) -> float:
    """Token F1 of two answers after normalisation.

    >>> round(f1("the red bridge", "red bridge in York"), 3)
    0.667
    """
    ours, theirs = normal(guess).split(), normal(gold).split()
    if not ours or not theirs:
        return float(ours == theirs)
    same = sum((Counter(ours) & Counter(theirs)).values())
    return 2 * same / (len(ours) + len(theirs))


def auroc(right: Sequence[float], wrong: Sequence[float]) -> float:
    """The chance that a right row scores above a wrong one, ties counting half (Mann-Whitney)."""
    import numpy as np

    above, below = np.asarray(right)[:, None], np.asarray(wrong)[None, :]
    return float(((above > below) + 0.5 * (above == below)).mean())


class DevSet:
    """Rows of small tests, fixed by the seed: ranking, reading, wrong facts, and flips that are kept out."""

    def __init__(
        self,
        held: Sequence[Example],
        pools: Pools,
        tokenizer: Any,
        seed: int,
        n_read: int = 300,
        n_rank: int = 60,
        flips: Sequence[Paragraph] = (),
    ) -> None:
        rng = random.Random(f"{seed} dev")
        held = list(held)
        rng.shuffle(held)
        self.read: list[Row] = []
        self.wrong: list[Row] = []
        self.rank: list[list[Row]] = []
        for example in held:
            if len(self.read) >= n_read and len(self.rank) >= n_rank:
                break
            group = build_group(0, example, pools, rng, terse_share=0)
            if len(self.read) < n_read and group:
                right = group[0]
                self.read.append(right)
                names = pools.names[example.source]
                wrong = perturb(
                    example.question, example.passage, rng, rng.sample(names, min(200, len(names)))
                )
                if wrong:
                    bare = right.question == right.question.lower()
                    asked = typed(wrong[0], bare, not right.question.endswith("?"))
                    self.wrong.append(
                        Row(0, right.source, wrong[1], 0, asked, right.header, right.passage, ())
                    )
            others = pools.candidates(example, (0, 40))[: N_CANDIDATES - 1]
            if len(self.rank) < n_rank and group and len(others) == N_CANDIDATES - 1:
                rows = [group[0]]
                title = bool(group[0].header) and group[0].header.startswith(example.title or "\0")
                for passage in others:
                    top = header(pools.title(example.source, passage) if title else "", "")
                    text = some_text(passage, True, rng, example.question)
                    rows.append(Row(0, example.source, "mined", 0, group[0].question, top, text, ()))
                self.rank.append(rows)
        self.flips = [row for paragraph in flips for row in flip_pair(paragraph)]
        self._tokenizer = tokenizer

    def scores(self, network: Any) -> dict[str, float]:
        """{name: score}: hit1, em, f1, auroc_wrong_fact; hit1_early and kept_early by the first opinion."""
        ranked = [row for rows in self.rank for row in rows]
        rows = [*self.read, *self.wrong, *ranked, *self.flips]
        relevance, answers, early = answer_rows(network, rows, self._tokenizer)
        n, m = len(self.read), len(self.read) + len(self.wrong)
        gold = [[row.passage[s:e] for s, e in row.answers] for row in self.read]
        pairs = list(zip(answers[:n], gold, strict=True))
        tops = [range(i, i + N_CANDIDATES) for i in range(m, m + len(ranked), N_CANDIDATES)]
        flips = relevance[m + len(ranked) :]
        told = {}
        if flips:
            told["flips_right"] = mean(a > b for a, b in zip(flips[::2], flips[1::2], strict=True))
            told["flips_auroc"] = auroc(flips[::2], flips[1::2])
        return {
            "hit1": mean(max(top, key=relevance.__getitem__) == top[0] for top in tops),
            "em": mean(any(normal(a) == normal(g) for g in gold) for a, gold in pairs),
            "f1": mean(max(f1(a, g) for g in gold) for a, gold in pairs),
            "auroc_wrong_fact": auroc(relevance[:n], relevance[n:m]),
            "hit1_early": mean(max(top, key=early.__getitem__) == top[0] for top in tops),
            "kept_early": mean(sum(early[i] > early[top[0]] for i in top) < N_KEPT for top in tops),
            **told,
        }


def flip_pair(paragraph: Paragraph) -> list[Row]:
    """For each question of the paragraph two rows: over the version that answers it, and over the other."""
    top = header(paragraph.title, "")
    rows = []
    for question, right, answers, wrong in flip_rows(paragraph):
        rows.append(Row(0, "flip", "right", 1, question, top, right, spans(answers)))
        rows.append(Row(0, "flip", "flip", 0, question, top, wrong, ()))
    return rows


def mean(values: Iterable[float]) -> float:
    """The mean; not a number for none."""
    listed = list(values)
    return sum(listed) / len(listed) if listed else float("nan")


def answer_rows(
    network: Any, rows: Sequence[Row], tokenizer: Any, max_tokens: int = 8192
) -> tuple[list[float], list[str], list[float]]:
    """(relevance, answer text, early relevance) lists, one entry a row, whatever the order of computation."""
    import torch

    encoded = encode_rows(rows, tokenizer)
    order = sorted(range(len(rows)), key=lambda i: len(encoded[i].ids))
    relevance, answers, early = [0.0] * len(rows), [""] * len(rows), [0.0] * len(rows)
    while order:
        n = max(1, max_tokens // len(encoded[order[-1]].ids))
        some, order = order[-n:], order[:-n]
        ids, segments, mask, passage = tensors([encoded[i] for i in some])
        with torch.no_grad():
            logits, span, first_opinion, _ = network(ids, segments, mask)
        span = span.float().masked_fill(~passage[..., None], -1e4)
        for k, i in enumerate(some):
            relevance[i], early[i] = float(logits[k]), float(first_opinion[k])
            first, offsets = encoded[i].first, encoded[i].offsets
            start, end = best_span(span[k, first : first + len(offsets)])
            answers[i] = rows[i].passage[offsets[start][0] : offsets[end][1]]
    return relevance, answers, early


def best_span(logits: Any) -> tuple[int, int]:
    """(first, last) token of the highest start + end of at most 30 tokens; logits (t, 2)."""
    import torch

    t = len(logits)
    both = logits[:, None, 0] + logits[None, :, 1]  # (t, t)
    allowed = torch.ones(t, t, dtype=torch.bool).triu().tril(MAX_ANSWER_TOKENS - 1)
    best = int(both.masked_fill(~allowed, -1e9).argmax())
    return best // t, best % t
