"""Rows as token ids, and groups as batches.

A row becomes [CLS] question [SEP] title | date . passage [SEP]; only passage tokens may hold an
answer. Lengths are in tokens.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.training.data import Row

MAX_QUESTION = 48
MAX_HEADER = 32
MAX_PASSAGE = 256
MAX_TOKENS = MAX_QUESTION + MAX_HEADER + MAX_PASSAGE + 3
CLS, SEP, PAD = 101, 102, 0  # of the BERT vocabulary


@dataclass(frozen=True)
class Encoded:
    """A row in tokens: the passage is ids[first:first + len(offsets)], offsets in its characters.

    `evidence` are tokens to be shown, () where nobody said. A pair of quotations has no passage, and a number
    of `material.PAIR_LABELS` for its label.
    """

    group: int
    label: int
    ids: list[int]
    first: int
    second_segment: int
    offsets: list[tuple[int, int]]
    starts: list[int]
    ends: list[int]
    evidence: Sequence[int] = ()


Group = list[Encoded]


def load_tokenizer(path: str | Path) -> Any:
    """The trunk's tokenizer, without its own padding and truncation."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def token_span(offsets: Sequence[tuple[int, int]], start: int, end: int) -> tuple[int, int] | None:
    """(first token, last token) that cover characters start..end, or None when some are cut off.

    >>> token_span([(0, 3), (4, 7), (7, 8)], 4, 7)
    (1, 1)
    """
    first = next((i for i, (lo, hi) in enumerate(offsets) if lo <= start < hi), None)
    last = next((i for i, (lo, hi) in enumerate(offsets) if lo < end <= hi), None)
    return None if first is None or last is None or last < first else (first, last)


def encode_rows(rows: Sequence[Row], tokenizer: Any) -> list[Encoded]:
    """One Encoded a row, in order."""

    def tokens(texts: list[str]) -> Any:
        return tokenizer.encode_batch(texts, add_special_tokens=False)

    encoded: list[Encoded] = []
    for at in range(0, len(rows), 4096):
        part = rows[at : at + 4096]
        questions, headers = tokens([row.question for row in part]), tokens([row.header for row in part])
        passages = tokens([row.passage for row in part])
        for row, question, header, passage in zip(part, questions, headers, passages, strict=True):
            left = [CLS, *question.ids[:MAX_QUESTION], SEP]
            head = header.ids[:MAX_HEADER]
            offsets = passage.offsets[:MAX_PASSAGE]
            first = len(left) + len(head)
            spans = [span for answer in row.answers if (span := token_span(offsets, *answer))]
            encoded.append(
                Encoded(
                    row.group,
                    row.label,
                    [*left, *head, *passage.ids[:MAX_PASSAGE], SEP],
                    first,
                    len(left),
                    offsets,
                    sorted({first + start for start, _ in spans}),
                    sorted({first + end for _, end in spans}),
                    [
                        first + i
                        for i, (lo, hi) in enumerate(offsets)
                        if any(start <= lo and hi <= end for start, end in row.evidence)
                    ],
                )
            )
    return encoded


def batches(groups: Sequence[Group], max_tokens: int, max_rows: int, rng: random.Random) -> list[list[Group]]:
    """Lists of groups of like length: rows times the longest row stays within `max_tokens`.

    `groups` are lists of Encoded, taken in their order 512 at a time, sorted by length, cut, and
    the cuts shuffled: the order of the data survives roughly, padding nearly vanishes. A group is
    never split; one too long for the budget is a batch by itself.
    """
    made: list[list[Group]] = []
    for at in range(0, len(groups), 512):
        block = sorted(groups[at : at + 512], key=lambda group: max(len(row.ids) for row in group))
        cuts: list[list[Group]] = []
        current: list[Group] = []
        n_rows = 0
        for group in block:
            longest = max(len(row.ids) for row in group)  # of the batch too: the block is sorted
            if current and (longest * (n_rows + len(group)) > max_tokens or n_rows + len(group) > max_rows):
                cuts.append(current)
                current, n_rows = [], 0
            current.append(group)
            n_rows += len(group)
        if current:
            cuts.append(current)
        rng.shuffle(cuts)
        made.extend(cuts)
    return made


def tensors(rows: Sequence[Encoded]) -> tuple[Any, Any, Any, Any]:
    """(ids, segments, mask, passage) of shape (n, t) for Encoded rows; `passage` marks answer tokens."""
    import torch

    shape = (len(rows), max(len(row.ids) for row in rows))
    ids, segments, mask, passage = (torch.zeros(shape, dtype=torch.long) for _ in range(4))
    for i, row in enumerate(rows):
        ids[i, : len(row.ids)] = torch.tensor(row.ids)
        mask[i, : len(row.ids)] = 1
        segments[i, row.second_segment : len(row.ids)] = 1
        passage[i, row.first : row.first + len(row.offsets)] = 1
    return ids, segments, mask, passage.bool()
