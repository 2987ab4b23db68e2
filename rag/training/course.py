"""What a run learns from, in which order: the rows of `data`, encoded, batched, and a dev set beside them."""

import argparse
import itertools
import random
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from rag.training import data, dev, features, sources


class Course:
    """The batches of a run in order: all sources first, clean sources alone at the end.

    `first` and `again` are two drawings of the groups (other windows, other wrong rows). The main
    part runs through `first`, then `again`; the last part takes the clean groups that the main part
    has not reached, then `again`'s clean ones. The position is two counters, so a run resumes.
    """

    def __init__(
        self,
        first: Sequence[features.Group],
        again: Sequence[features.Group],
        clean_groups: Collection[int],
        max_tokens: int,
        max_rows: int,
        seed: int,
    ) -> None:
        self._seed = seed
        self._limits = max_tokens, max_rows
        self._clean = clean_groups
        order = list(first)
        self._rng("order").shuffle(order)
        rest = list(again)
        self._rng("rest").shuffle(rest)
        self._main = features.batches(order, *self._limits, self._rng("main")) + features.batches(
            rest, *self._limits, self._rng("more")
        )
        self._last: list[list[features.Group]] = []
        self.n_main = self.n_last = 0

    def _rng(self, what: str) -> random.Random:
        return random.Random(f"{self._seed} {what}")

    def next_batch(self, last_part: bool) -> list[features.Group]:
        """The next list of groups, from the clean part when `last_part`."""
        if not last_part:
            self.n_main += 1
            return self._main[(self.n_main - 1) % len(self._main)]
        if not self._last:
            ahead = [group for batch in self._main[self.n_main :] for group in batch]
            unseen = [group for group in ahead if group[0].group in self._clean]
            self._last = features.batches(unseen, *self._limits, self._rng("last"))
        self.n_last += 1
        return self._last[(self.n_last - 1) % len(self._last)]


def prepare(options: argparse.Namespace) -> tuple[Course, dev.DevSet, dict[str, Any]]:
    """(course, dev set, data record) for the options; the same for the same files and seed."""
    train, held, hashes = sources.load_all(options.data, options.seed, options.rows)
    tokenizer = features.load_tokenizer(options.tokenizer)
    pools = data.Pools(train)
    drawn = options.seed + options.drawing
    first = data.build_groups(train, pools, drawn)
    again = data.build_groups(train, pools, drawn + 1)
    counts: dict[str, int] = {}
    for right, *wrong in first:
        for key in (right.source, *("negative " + row.kind for row in wrong)):
            counts[key] = counts.get(key, 0) + 1
    clean = {source.name for source in sources.SOURCES if source.clean}
    n = len(first)
    again = [[replace_group(row, n) for row in group] for group in again]
    clean_groups = {right.group for right, *_ in first + again if right.source in clean}
    rows = features.encode_rows([row for group in first + again for row in group], tokenizer)
    groups = [list(group) for _, group in itertools.groupby(rows, key=lambda row: row.group)]
    course = Course(groups[:n], groups[n:], clean_groups, options.batch_tokens, options.batch_rows, drawn)
    dev_set = dev.DevSet(held, data.Pools(train + held, asked=held), tokenizer, options.seed)
    record = {
        "files": hashes,
        "groups": n,
        "counts": dict(sorted(counts.items())),
        "held_out_questions": len(held),
        "rows_sha256": data.digest(first),
    }
    return course, dev_set, record


def replace_group(row: data.Row, add: int) -> data.Row:
    return replace(row, group=row.group + add)
