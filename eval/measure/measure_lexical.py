"""The lexical index beside bm25s and tantivy, on the same texts and terms, each in processes of its own.

    pip install tantivy
    python -m eval.measure.measure_lexical TEXTS QUESTIONS --n 100000 --folder SCRATCH

TEXTS holds a text a line, QUESTIONS a question a line. An index that stands in the scratch folder is not
built again. bm25s is used as the store did until November 2026: memory-mapped, every text scored, then
filtered.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from rag.retrieval.lexical import LexicalIndex, LexicalSearch, Rows
from rag.text.terms import terms

K = 100  # as many as the retriever takes of each ranking
SHARES = (0.001, 0.01, 0.1)  # of the rows that a filter allows
N_MORE = 1000  # texts of an update
Ranking = tuple[list[float], list[int]]


class Engine(Protocol):
    """One way to keep and search words. ``folder`` is its own."""

    def build(self, folder: Path, texts: Iterator[str]) -> None:
        """Write an index of ``texts``."""

    def open(self, folder: Path) -> None:
        """Be ready to search."""

    def search(self, query: str, allowed: Rows | None) -> Ranking:
        """Scores and rows of the K best."""

    def update(self, folder: Path, texts: Sequence[str]) -> bool:
        """Add ``texts`` and open what came of it; False where only a full build could."""


class Ours:
    """`rag.retrieval.lexical`; an update is a second segment."""

    def build(self, folder: Path, texts: Iterator[str]) -> None:  # noqa: D102
        LexicalIndex.build(texts).save(folder)

    def open(self, folder: Path) -> None:  # noqa: D102
        self._search = LexicalSearch([LexicalIndex.open(folder)])

    def search(self, query: str, allowed: Rows | None) -> Ranking:  # noqa: D102
        scores, rows = self._search.search(query, K, allowed)
        return scores.tolist(), rows.tolist()

    def update(self, folder: Path, texts: Sequence[str]) -> bool:  # noqa: D102
        delta = folder.with_name(folder.name + ".delta")
        LexicalIndex.build(texts).save(delta)
        self._search = LexicalSearch([LexicalIndex.open(folder), LexicalIndex.open(delta)])
        return True


class Bm25s:
    """bm25s, memory-mapped."""

    def build(self, folder: Path, texts: Iterator[str]) -> None:  # noqa: D102
        import bm25s

        index = bm25s.BM25(k1=1.2, b=0.75, method="lucene")
        index.index([terms(text) for text in texts], show_progress=False)
        index.save(str(folder), show_progress=False)

    def open(self, folder: Path) -> None:  # noqa: D102
        import bm25s

        self._index = bm25s.BM25.load(str(folder), mmap=True, show_progress=False)

    def search(self, query: str, allowed: Rows | None) -> Ranking:  # noqa: D102
        known = [term for term in terms(query) if term in self._index.vocab_dict]
        scores = np.asarray(self._index.get_scores(known), np.float32) if known else np.zeros(0, np.float32)
        rows = np.arange(len(scores)) if allowed is None else allowed
        rows = rows[scores[rows] > 0]
        rows = rows[np.lexsort((rows, -scores[rows]))[:K]]
        return scores[rows].tolist(), rows.tolist()

    def update(self, folder: Path, texts: Sequence[str]) -> bool:  # noqa: D102
        return False


class Tantivy:
    """tantivy over our terms; a filter is a set of terms of the field that holds the row."""

    def __init__(self) -> None:
        self._tantivy: Any = importlib.import_module("tantivy")
        fields = self._tantivy.SchemaBuilder()
        fields.add_text_field("terms", stored=False, tokenizer_name="spaces", index_option="freq")
        fields.add_unsigned_field("row", stored=False, indexed=True, fast=True)
        self._schema = fields.build()

    def build(self, folder: Path, texts: Iterator[str]) -> None:  # noqa: D102
        folder.mkdir(parents=True, exist_ok=True)
        index = self._index(folder, reuse=False)
        self._add(index, texts, 0)

    def open(self, folder: Path) -> None:  # noqa: D102
        self._searcher = self._index(folder).searcher()

    def search(self, query: str, allowed: Rows | None) -> Ranking:  # noqa: D102
        kind, occur = self._tantivy.Query, self._tantivy.Occur
        wanted = [
            (occur.Should, kind.term_query(self._schema, "terms", term, "freq")) for term in terms(query)
        ]
        whole = kind.boolean_query(wanted)
        if allowed is not None:
            rows = kind.term_set_query(self._schema, "row", allowed.tolist())
            whole = kind.boolean_query([(occur.Must, whole), (occur.Must, kind.const_score_query(rows, 0.0))])
        hits = self._searcher.search(whole, K, count=False).hits
        scores = [score for score, _ in hits]
        return scores, self._searcher.fast_field_values("row", [address for _, address in hits])

    def update(self, folder: Path, texts: Sequence[str]) -> bool:  # noqa: D102
        changed = folder.with_name(folder.name + ".changed")
        shutil.rmtree(changed, ignore_errors=True)
        # Its files never change, but for those that list them: links are enough for a second generation.
        shutil.copytree(
            folder, changed, copy_function=lambda a, b: (shutil.copy if ".json" in a else os.link)(a, b)
        )
        index = self._index(changed)
        self._add(index, iter(texts), self._searcher.num_docs)
        index.reload()
        self._searcher = index.searcher()
        return True

    def _index(self, folder: Path, reuse: bool = True) -> Any:
        index = self._tantivy.Index(self._schema, path=str(folder), reuse=reuse)
        spaces = self._tantivy.TextAnalyzerBuilder(self._tantivy.Tokenizer.whitespace()).build()
        index.register_tokenizer("spaces", spaces)
        return index

    def _add(self, index: Any, texts: Iterator[str], first: int) -> None:
        writer = index.writer(256_000_000, 1)
        for row, text in enumerate(texts, start=first):
            document = self._tantivy.Document()
            document.add_text("terms", " ".join(terms(text)))
            document.add_unsigned("row", row)
            writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()


ENGINES: dict[str, Callable[[], Engine]] = {"ours": Ours, "bm25s": Bm25s, "tantivy": Tantivy}


def timed(run: Callable[[], Any]) -> float:
    """Milliseconds of processor time that one call takes: other work may share the machine."""
    began = time.process_time()
    run()
    return (time.process_time() - began) * 1e3


def memory_mb(field: str) -> float:
    """A figure of this process in Linux's /proc/self/status."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))


def build(engine: Engine, folder: Path, texts: Path, n: int) -> dict[str, float]:
    """What building costs, taking the terms included."""
    with texts.open(encoding="utf-8") as lines:
        took = timed(lambda: engine.build(folder, islice(lines, n)))
    size = sum(path.stat().st_size for path in folder.rglob("*"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"build s": took / 1e3, "build peak MB": peak, "bytes/text": size / n}


def search(engine: Engine, folder: Path, texts: Path, questions: list[str], n: int) -> dict[str, Any]:
    """What opening, searching and updating cost; ``rankings`` are those of the questions."""
    warm = terms("warm")  # the stemmer is not part of it
    before = memory_mb("VmRSS")
    figures: dict[str, Any] = {"open ms": timed(lambda: engine.open(folder))}
    figures["first query ms"] = timed(lambda: engine.search(questions[0] + " ".join(warm), None))
    figures["rankings"] = [engine.search(question, None) for question in questions]
    figures["resident MB"] = memory_mb("VmRSS") - before
    figures["of it not mapped MB"] = memory_mb("RssAnon")
    rng = np.random.default_rng(1)
    for share in (None, *SHARES):
        rows = None if share is None else np.sort(rng.choice(n, int(n * share), replace=False))
        took = [timed(lambda q=question, r=rows: engine.search(q, r)) for question in questions]  # type: ignore[misc]
        name = "query" if share is None else f"{share:.1%} allowed"
        figures[f"{name} p50 ms"], figures[f"{name} p95 ms"] = np.percentile(took, [50, 95]).tolist()
    with texts.open(encoding="utf-8") as lines:
        more = list(islice(lines, N_MORE))
    figures["update s"] = timed(lambda: figures.update(updates=engine.update(folder, more))) / 1e3
    return figures


def main() -> None:
    """Print the median of every figure over the rounds, and how far the rankings are those of bm25s."""
    options = argparse.ArgumentParser(
        prog="python -m eval.measure.measure_lexical",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("texts", type=Path, help="a text a line")
    options.add_argument("questions", type=Path, help="a question a line")
    options.add_argument("--n", type=int, default=100_000, help="texts taken")
    options.add_argument("--folder", type=Path, required=True, help="where the indexes are written")
    options.add_argument("--rounds", type=int, default=3, help="times that each is opened and searched")
    options.add_argument("--engine", choices=[*ENGINES], help=argparse.SUPPRESS)  # the two are for children
    options.add_argument("--stage", choices=["build", "search"], help=argparse.SUPPRESS)
    given = options.parse_args()
    questions = given.questions.read_text("utf-8").splitlines()
    if given.engine:
        engine, folder = ENGINES[given.engine](), given.folder / f"{given.engine}-{given.n}"
        if given.stage == "build":
            print(json.dumps(build(engine, folder, given.texts, given.n)))
        else:
            print(json.dumps(search(engine, folder, given.texts, questions, given.n)))
        return

    def child(name: str, stage: str) -> dict[str, Any]:
        command = [sys.executable, "-m", "eval.measure.measure_lexical", *sys.argv[1:]]
        ran = subprocess.run(
            [*command, "--engine", name, "--stage", stage], check=True, stdout=subprocess.PIPE
        )
        figures: dict[str, Any] = json.loads(ran.stdout)
        return figures

    built = {
        name: child(name, "build") for name in ENGINES if not (given.folder / f"{name}-{given.n}").exists()
    }
    rounds = [{name: child(name, "search") for name in ENGINES} for _ in range(given.rounds)]
    rankings = {name: rounds[0][name].pop("rankings") for name in ENGINES}
    for name in ENGINES:
        alike, apart = compare(rankings[name], rankings["bm25s"])
        print(f"\n{name}: {given.n} texts")
        for figure, value in built.get(name, {}).items():
            print(f"  {figure:<24} {value:10.2f}")
        for figure in rounds[0][name]:
            print(f"  {figure:<24} {statistics.median(ran[name][figure] for ran in rounds):10.2f}")
        print(f"  rankings as bm25s's      {alike:10.1%}, scores apart by up to {apart:.1e}")


def compare(rankings: list[Ranking], expected: list[Ranking]) -> tuple[float, float]:
    """The share of rankings with the expected first ten, and the largest relative step between scores."""
    same = [rows[:10] == others[:10] for (_, rows), (_, others) in zip(rankings, expected, strict=True)]
    steps = [
        abs(score - other) / other
        for (scores, _), (others, _) in zip(rankings, expected, strict=True)
        for score, other in zip(scores, others, strict=False)
    ]
    return statistics.mean(same), max(steps, default=0.0)


if __name__ == "__main__":
    main()
