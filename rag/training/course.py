"""What a run learns from, in which order: the rows of `data`, encoded, batched, and a dev set beside them."""

import argparse
import itertools
import random
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rag.training import data, dev, features, material, pairs, sources, written

# How readily a group is replayed beside the written material, against one of another kind: people's own
# unanswerable questions are few and the best, reviews, chat and single sentences many.
IMPOSSIBLE_WEIGHT, CLEAN_WEIGHT, OTHER_WEIGHT = 4.0, 1.5, 0.6
PAIR_ROWS = 32  # of a batch of pairs


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


def replayed(groups: Sequence[list[data.Row]], n: int, rng: random.Random) -> list[list[data.Row]]:
    """`n` of the public sets' groups, drawn by weight and not put back (Efraimidis & Spirakis 2006)."""
    clean = {source.name for source in sources.SOURCES if source.clean}

    def weight(group: Sequence[data.Row]) -> float:
        if any(row.kind == "impossible" for row in group):
            return IMPOSSIBLE_WEIGHT
        return CLEAN_WEIGHT if group[0].source in clean else OTHER_WEIGHT

    return sorted(groups, key=lambda group: -(rng.random() ** (1 / weight(group))))[:n]


def with_written(
    groups: Sequence[list[data.Row]],
    folder: Path,
    data_folder: Path,
    held: Sequence[sources.Example],
    pools: data.Pools,
    n_replay: int,
    seed: int,
) -> list[list[data.Row]]:
    """The written groups, people's own flips, and `n_replay` groups of the public sets, numbered from 0."""
    rng = random.Random(f"{seed} written")
    paragraphs = material.paragraphs(folder)
    out = {paragraph.original for paragraph in written.kept_out(paragraphs, held)}
    made = written.flip_groups([p for p in paragraphs if p.original not in out], pools, rng, 0)
    shelved = [collection for collection in material.collections(folder) if not collection.kept_out]
    made += written.collection_groups(shelved, rng, 0)
    condaqa = data_folder / "public" / "condaqa.jsonl.gz"
    if condaqa.exists():
        made += written.condaqa_groups(sources.read_file(condaqa)[0], rng, 0)
    made += replayed(groups, n_replay, rng)
    return [[replace(row, group=number) for row in group] for number, group in enumerate(made)]


def prepare(
    options: argparse.Namespace,
) -> tuple[Course, pairs.PairCourse | None, dev.DevSet, dict[str, Any]]:
    """(course, pairs, dev set, data record) for the options; the same for the same files and seed."""
    train, held, hashes = sources.load_all(options.data, options.seed, options.rows)
    tokenizer = features.load_tokenizer(options.tokenizer)
    folder = Path(options.material) if options.material else None
    flips: list[material.Paragraph] = []
    if folder:
        flips = written.kept_out(material.paragraphs(folder), held)
        hashes |= {f"material/{name}": sha256 for name, sha256 in material.hashes(folder).items()}
        out = {paragraph.original for paragraph in flips}
        train = [example for example in train if example.passage not in out]
    pools = data.Pools(train)
    drawn = options.seed + options.drawing
    first = data.build_groups(train, pools, drawn)
    again = data.build_groups(train, pools, drawn + 1)
    pair_course = None
    if folder:
        beside = folder, Path(options.data), held, pools, options.replay
        first, again = (with_written(groups, *beside, drawn + i) for i, groups in enumerate((first, again)))
        kept, _ = pairs.written_pairs(folder)
        public = pairs.public_pairs(Path(options.data))
        pair_course = pairs.PairCourse(kept, public, tokenizer, PAIR_ROWS, drawn)
    counts: dict[str, int] = {}
    for right, *wrong in first:
        for key in (right.source, *("negative " + row.kind for row in wrong)):
            counts[key] = counts.get(key, 0) + 1
    clean = {source.name for source in sources.SOURCES if source.clean} | {"flip", "collection", "condaqa"}
    n = len(first)
    again = [[replace_group(row, n) for row in group] for group in again]
    clean_groups = {right.group for right, *_ in first + again if right.source in clean}
    rows = features.encode_rows([row for group in first + again for row in group], tokenizer)
    groups = [list(group) for _, group in itertools.groupby(rows, key=lambda row: row.group)]
    course = Course(groups[:n], groups[n:], clean_groups, options.batch_tokens, options.batch_rows, drawn)
    dev_set = dev.DevSet(held, data.Pools(train + held, asked=held), tokenizer, options.seed, flips=flips)
    record = {
        "files": hashes,
        "groups": n,
        "counts": dict(sorted(counts.items())),
        "held_out_questions": len(held),
        "kept_out_paragraphs": len(flips),
        "rows_sha256": data.digest(first),
    }
    return course, pair_course, dev_set, record


def replace_group(row: data.Row, add: int) -> data.Row:
    """The row in the group so many further on."""
    return replace(row, group=row.group + add)
