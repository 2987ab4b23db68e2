"""Pairs of quotations, labelled as contradicting each other, agreeing, or telling of different matters.

A row is [CLS] question [SEP] title | date . quotation [SEP] title | date . quotation [SEP].
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.reader.base import PAIR_LABELS
from rag.training import material
from rag.training.data import header, typed
from rag.training.features import CLS, MAX_HEADER, MAX_QUESTION, SEP, Encoded
from rag.training.sources import read_file

MAX_QUOTATION = 96  # tokens
WRITTEN_SHARE = 0.6  # of a batch is written for this; the rest is claims and their evidence
PUBLIC = ("fever_symmetric", "negation_nli")
_LABELS = {
    "SUPPORTS": "same",
    "entailment": "same",
    "REFUTES": "conflict",
    "contradiction": "conflict",
    "neutral": "apart",
}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two quotations, each under its header, for one question ("" where none is asked)."""

    question: str
    headers: tuple[str, str]
    quotations: tuple[str, str]
    label: str

    def turned(self) -> "Pair":
        """The same with the second quotation first."""
        return Pair(self.question, self.headers[::-1], self.quotations[::-1], self.label)


def written_pairs(
    folder: Path = material.FOLDER,
    name: str = "conflicts",
    kept_out: float = material.KEPT_OUT_FAMILIES,
) -> tuple[list[Pair], list[Pair]]:
    """(for training, kept out) of a file: whole families, the pairs about one question, leave together."""
    kept: list[Pair] = []
    out: list[Pair] = []
    for row in material.read(folder, name):
        a, b = row["a"], row["b"]
        pair = Pair(row["q"], (_top(a["t"]), _top(b["t"])), (a["s"], b["s"]), row["label"])
        (out if material.family_kept_out(row["q"], kept_out) else kept).append(pair)
    return kept, out


def _top(title: str) -> str:
    title, _, date = title.removesuffix(" |").partition(" | ")
    return header(title, date)


def public_pairs(data: Path) -> list[Pair]:
    """Claims and evidence of FEVER-symmetric, premises and hypotheses of negated NLI; of files that exist."""
    pairs = []
    for name in PUBLIC:
        path = data / "public" / f"{name}.jsonl.gz"
        for row in read_file(path)[0] if path.exists() else ():
            first, second = row.get("evidence", row.get("Text")), row.get("claim", row.get("Hypothesis"))
            label = _LABELS.get(row.get("gold_label") or row.get("label", ""))
            if label and first and second:
                pairs.append(Pair("", ("", ""), (first, second), label))
    return pairs


def encode_pairs(pairs: Sequence[Pair], tokenizer: Any) -> list[Encoded]:
    """One Encoded a pair; it has no passage, and its label is a number of PAIR_LABELS."""
    made = []
    for pair in pairs:

        def tokens(text: str, limit: int) -> list[int]:
            ids: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
            return ids[:limit]

        ids = [CLS, *tokens(pair.question, MAX_QUESTION), SEP]
        second = len(ids)
        for top, words in zip(pair.headers, pair.quotations, strict=True):
            ids += [*tokens(top, MAX_HEADER), *tokens(words, MAX_QUOTATION), SEP]
        made.append(Encoded(0, PAIR_LABELS.index(pair.label), ids, 0, second, [], [], []))
    return made


class PairCourse:
    """Batches of pairs without end, the n-th always the same: written ones and public ones, by share."""

    def __init__(
        self, written: Sequence[Pair], public: Sequence[Pair], tokenizer: Any, size: int, seed: int
    ) -> None:
        self._pairs = {"written": list(written), "public": list(public)}
        self._n_written = round(size * WRITTEN_SHARE) if public else size
        self._size, self._seed, self._tokenizer = size, seed, tokenizer

    def batch(self, n: int) -> list[Encoded]:
        """The n-th batch."""
        rng = random.Random(f"{self._seed} pairs {n}")
        chosen = self._some("written", n, self._n_written) + self._some(
            "public", n, self._size - self._n_written
        )
        pairs = [pair.turned() if rng.random() < 0.5 else pair for pair in chosen]
        asked = [
            Pair(typed(p.question, rng.random() < 0.2, True), p.headers, p.quotations, p.label) for p in pairs
        ]
        return encode_pairs(asked, self._tokenizer)

    def _some(self, kind: str, n: int, size: int) -> list[Pair]:
        """The n-th `size` of a kind, in an order drawn anew for every pass."""
        pairs = self._pairs[kind]
        found: list[Pair] = []
        for i in range(n * size, (n + 1) * size):
            turn, at = divmod(i, len(pairs))
            order = list(range(len(pairs)))
            random.Random(f"{self._seed} {kind} {turn}").shuffle(order)
            found.append(pairs[order[at]])
        return found
