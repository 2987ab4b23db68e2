"""What each kind of vector index costs and finds, in one run: exact at three sizes, lists at a million.

    python -m eval.measure.measure_vectors DATA --folder FOLDER

DATA holds gzipped JSON lines with texts and questions. They are encoded once, at about forty a second on one
core, and kept in FOLDER. A larger corpus is made from the real vectors (``enlarge``); questions stay real.
The output is the tables of docs/engine.md. Times are processor time of one core, so that other work on the
machine does not count; read ratios all the same.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from embeddings.index import Plan, Rows, VectorIndex, Vectors

K = 10
SEED = 14
MIN_CHARACTERS = 60  # shorter texts are titles and remnants
NOISE_COSINE = 0.8  # of a made vector to its mixture: made corpora are then as hard for lists as real ones
NEIGHBOURS = 8  # a mixture's second vector is one of so many nearest
SELECTIVITIES = (0.001, 0.01, 0.1)
RESIDENT = """
import resource, sys
from pathlib import Path
import numpy as np
from embeddings.index import VectorIndex
def resident():
    status = dict(line.split(":", 1) for line in open("/proc/self/status") if line.startswith("Rss"))
    return sum(int(value.split()[0]) for name, value in status.items()) / 1024
np.random.default_rng(0); import faiss
before = resident()
if sys.argv[2] == "flat":
    index = faiss.read_index(sys.argv[1])
else:
    index = VectorIndex.open(Path(sys.argv[1]))
for query in np.load(sys.argv[3])[:200]:
    index.search(query[None], 10)
print(resident() - before)
"""


def texts_in(folder: Path) -> tuple[list[str], list[str]]:
    """The distinct passages and the distinct questions of all files, each in one random, repeatable order."""
    passages: dict[str, None] = {}
    questions: dict[str, None] = {}
    for path in sorted(folder.rglob("*.jsonl.gz")):
        if "flips" in path.name or "queries" in path.name:  # rewritten passages would be near duplicates
            continue
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for row in map(json.loads, file):
                for text in (row.get("context"), row.get("text"), row.get("sentence")):
                    if isinstance(text, str) and len(text) > MIN_CHARACTERS:
                        passages[text] = None
                if isinstance(row.get("question"), str):
                    questions[row["question"]] = None
    rng = random.Random(SEED)
    ordered = sorted(passages), sorted(questions)
    for texts in ordered:
        rng.shuffle(texts)
    return ordered


def encoded(data: Path, folder: Path, n: int) -> tuple[Vectors, Vectors]:
    """The vectors of n passages and of 2,000 questions, from ``folder`` where they were encoded before."""
    from embeddings.encoder import open_encoder

    at = folder / "passages.npy", folder / "questions.npy"
    if not all(path.exists() for path in at):
        passages, questions = texts_in(data)
        encoder = open_encoder(n_threads=1)
        np.save(at[0], encoder.encode(passages[:n]))
        np.save(at[1], encoder.encode(questions[:2000], kind="query"))
    return np.load(at[0])[:n], np.load(at[1])


def unit(vectors: Vectors) -> Vectors:
    """The vectors at length 1."""
    scaled: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled


def enlarge(real: Vectors, n: int, cosine: float = NOISE_COSINE) -> Vectors:
    """As many unit vectors: the real ones, then mixtures of near neighbours with noise of the real spectrum.

    A made vector is a random point between a real one and one of its NEIGHBOURS, moved along the difference
    of two random real vectors until it has ``cosine`` to where it was.
    """
    rng = np.random.default_rng(SEED)
    _, near = VectorIndex.build(real).search(real, NEIGHBOURS + 1)
    made = np.empty((n, real.shape[1]), np.float32)
    made[: len(real)] = real[:n]
    for start in range(len(real), n, 65_536):
        size = min(65_536, n - start)
        first = rng.integers(len(real), size=size)
        second = near[first, rng.integers(1, NEIGHBOURS + 1, size)]
        share = rng.uniform(0, 1, (size, 1)).astype(np.float32)
        mixed = unit(share * real[first] + (1 - share) * real[second])
        aside = real[rng.integers(len(real), size=size)] - real[rng.integers(len(real), size=size)]
        aside -= mixed * (aside * mixed).sum(axis=1, keepdims=True)
        aside /= np.maximum(np.linalg.norm(aside, axis=1, keepdims=True), 1e-6)
        made[start : start + size] = unit(cosine * mixed + float(np.sqrt(1 - cosine**2)) * aside)
    return made


def lists_needed(vectors: Vectors, questions: Vectors, n_lists: int) -> tuple[int, int]:
    """How many lists hold .9 and .99 of the questions' true first K."""
    index = VectorIndex.build(vectors, Plan(exact_rows=0, lists=n_lists))
    _, true = VectorIndex.build(vectors).search(questions, K)
    assert index.lists is not None
    neighbours = vectors[true.ravel()].reshape(len(questions), K, -1)
    ranks = index.lists.list_ranks(questions, neighbours)
    return int(np.quantile(ranks, 0.9)) + 1, int(np.quantile(ranks, 0.99)) + 1


def milliseconds(search: Callable[[Vectors], Any], queries: Vectors) -> tuple[float, float]:
    """p50 and p95 of one query at a time in processor time, after five to warm up."""
    for query in queries[:5]:
        search(query[None])
    taken = []
    for query in queries:
        began = time.thread_time()
        search(query[None])
        taken.append((time.thread_time() - began) * 1e3)
    return float(np.quantile(taken, 0.5)), float(np.quantile(taken, 0.95))


def recall(true: Rows, returned: Rows) -> float:
    """The share of the true rows among those returned, the mean over queries.

    >>> recall(np.array([[1, 2]]), np.array([[2, 3]]))
    0.5
    """
    return float(np.mean([np.isin(t, r).mean() for t, r in zip(true, returned, strict=True)]))


def resident(path: Path, kind: str, questions: Path) -> float:
    """Megabytes that opening and 200 searches add to a new process."""
    command = [sys.executable, "-c", RESIDENT, str(path), kind, str(questions)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def opening(open_index: Callable[[], Any]) -> float:
    """Milliseconds to open, the median of nine."""
    taken = []
    for _ in range(9):
        began = time.thread_time()
        open_index()
        taken.append((time.thread_time() - began) * 1e3)
    return float(np.median(taken))


def exact_rows(vectors: Vectors, questions: Vectors, folder: Path) -> Iterator[str]:
    """The table of exact search: fp32 against half floats, turn and turn about."""
    import faiss

    yield "| vectors | kind | recall@10 | p50 ms | p95 ms | of fp32 | opening ms | resident MB | bytes each |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for n in (10_000, 100_000, 300_000):
        part = vectors[:n]
        flat = faiss.IndexFlatIP(part.shape[1])
        flat.add(part)
        flat_path, path = folder / "flat.faiss", folder / "halves.faiss"
        faiss.write_index(flat, str(flat_path))
        VectorIndex.build(part).save(path)
        halves = VectorIndex.open(path)
        searches: dict[str, Callable[[Vectors], Any]] = {
            "fp32": partial(flat.search, k=K),
            "fp16": partial(halves.search, k=K),
        }
        times: dict[str, list[tuple[float, float]]] = {kind: [] for kind in searches}
        for _ in range(5):
            for kind, search in searches.items():
                times[kind].append(milliseconds(search, questions[:60]))
        medians = {kind: np.median(taken, axis=0) for kind, taken in times.items()}
        _, true = flat.search(questions[:500], K)
        facts: dict[str, tuple[float, float, float, float]] = {
            "fp32": (
                1.0,
                opening(partial(faiss.read_index, str(flat_path))),
                resident(flat_path, "flat", folder / "questions.npy"),
                flat_path.stat().st_size / n,
            ),
            "fp16": (
                recall(true, halves.search(questions[:500], K)[1]),
                opening(partial(VectorIndex.open, path)),
                resident(path, "halves", folder / "questions.npy"),
                path.stat().st_size / n,
            ),
        }
        for kind, (share, open_ms, megabytes, size) in facts.items():
            p50, p95 = medians[kind]
            yield (
                f"| {n:,} | {kind} | {share:.4f} | {p50:.2f} | {p95:.2f} | {p50 / medians['fp32'][0]:.2f} "
                f"| {open_ms:.2f} | {megabytes:.0f} | {size:.0f} |"
            )


def lists_rows(vectors: Vectors, questions: Vectors, folder: Path) -> Iterator[str]:
    """The table of lists over all the vectors, beside exact search of them."""
    n = len(vectors)
    questions = questions[:200]
    exact = VectorIndex.build(vectors, Plan(exact_rows=n))
    true = exact.search(questions, 100)[1]
    rng = np.random.default_rng(SEED)
    allowed = {s: np.sort(rng.choice(n, int(n * s), replace=False)) for s in SELECTIVITIES}
    true_within = {s: exact.search(questions[:50], K, rows)[1] for s, rows in allowed.items()}
    heads = [f"within {s:.1%}: recall@10, p50 ms" for s in SELECTIVITIES]
    yield (
        "| kind | recall@10 | recall@100 | p50 ms | p95 ms | of exact | at k=100 | lists for 10, 1000 "
        f"| candidates a hit | bytes beside the halves | build s | opening ms | {' | '.join(heads)} |"
    )
    yield "|---" * (12 + len(heads)) + "|"
    plans = {
        "exact fp16": Plan(exact_rows=n),
        "SQ8": Plan(exact_rows=0, byte_rows=n),
        "RaBitQ": Plan(exact_rows=0, byte_rows=0),
    }
    path = folder / "lists.faiss"
    of_exact = 0.0
    for name, plan in plans.items():
        began = time.thread_time()
        VectorIndex.build(vectors, plan).save(path)
        seconds = time.thread_time() - began
        index = VectorIndex.open(path, plan)
        p50, p95 = milliseconds(partial(index.search, k=K), questions)
        of_exact = of_exact or p50
        deep, _ = milliseconds(partial(index.search, k=100), questions[:100])
        shares = [recall(true[:, :k], index.search(questions, k)[1]) for k in (K, 100)]
        within = []
        for s, rows in allowed.items():
            got = np.vstack([index.search(query[None], K, rows)[1] for query in questions[:50]])
            took, _ = milliseconds(partial(index.search, k=K, allowed=rows), questions[:50])
            within.append(f"{recall(true_within[s], got):.3f}, {took:.1f}")
        beside = sum(file.stat().st_size for file in VectorIndex.files(path)[1:]) / n
        probing = None if index.lists is None else index.lists.probing
        lists = "" if probing is None else f"{probing.lists_at_k}, {probing.lists_at_deep}"
        candidates = "" if probing is None else str(probing.candidates)
        open_ms = opening(partial(VectorIndex.open, path, plan))
        yield (
            f"| {name} | {shares[0]:.4f} | {shares[1]:.4f} | {p50:.2f} | {p95:.2f} | {p50 / of_exact:.3f} "
            f"| {deep:.2f} | {lists} | {candidates} | {beside:.0f} | {seconds:.0f} | {open_ms:.1f} "
            f"| {' | '.join(within)} |"
        )


def main() -> None:
    """Print the tables, and before them whether lists find the made vectors as hard to find as real ones."""
    options = argparse.ArgumentParser(
        prog="python -m eval.measure.measure_vectors",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("data", type=Path, help="folder of gzipped JSON lines with texts and questions")
    options.add_argument("--folder", type=Path, required=True, help="where vectors and indexes are kept")
    options.add_argument("--passages", type=int, default=24_000, help="real passages encoded")
    options.add_argument("--vectors", type=int, default=1_000_000, help="vectors of the large corpus")
    options.add_argument("--only", choices=("made", "exact", "lists"), help="one of the three parts")
    given = options.parse_args()
    import faiss

    faiss.omp_set_num_threads(1)
    given.folder.mkdir(parents=True, exist_ok=True)
    real, questions = encoded(given.data, given.folder, given.passages)
    vectors = enlarge(real, given.vectors)
    print(
        f"{len(real):,} real vectors, {len(questions):,} questions, {len(vectors):,} vectors in all",
        flush=True,
    )
    if given.only in (None, "made"):
        drawn = np.random.default_rng(SEED).choice(
            np.arange(len(real), len(vectors)), len(real), replace=False
        )
        for name, some in (("real", real), ("made", vectors[drawn])):
            needed = lists_needed(some, questions[:500], 128)
            print(
                f"{name}: {needed[0]} and {needed[1]} of 128 lists hold .9 and .99 of the first 10",
                flush=True,
            )
    if given.only in (None, "exact"):
        for line in exact_rows(vectors, questions, given.folder):
            print(line, flush=True)
    if given.only in (None, "lists"):
        for line in lists_rows(vectors, questions, given.folder):
            print(line, flush=True)


if __name__ == "__main__":
    main()
