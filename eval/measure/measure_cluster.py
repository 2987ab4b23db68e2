"""What a Ray cluster costs a question and gives an indexing run, on local nodes beside one process.

    python -m eval.measure.measure_cluster STORE --nodes 3

The nodes share this machine: read the ratios. Every answer of the shards is compared with the store's.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from embeddings.spans import Batch, encode_spans
from eval.questions import load_questions, question_files
from rag.assistant import Assistant
from rag.cluster.embedding import RayEncoder
from rag.indexing.embed import BATCH
from rag.retrieval.encoder import load_encoder
from rag.settings import RaySettings, Settings
from rag.store import Store

QUESTIONS = Path(__file__).resolve().parents[1] / "data" / "questions"
NODE = {"num_cpus": 1, "object_store_memory": 100_000_000}


def search_ms(store: Path, address: str, queries: list[str]) -> dict[str, Any]:
    """Milliseconds of a search, in one process and over one shard a node; raises where a list differs."""
    settings = Settings(store=store)
    with (
        Assistant.open(settings=settings) as one,
        Assistant.open(settings=replace(settings, ray=RaySettings(address))) as many,
    ):
        took: dict[str, list[float]] = {"one": [], "shards": []}
        for query in queries:
            lists = []
            for name, assistant in (("one", one), ("shards", many)):
                began = time.perf_counter()
                lists.append(assistant.search(query, k=16))
                took[name].append((time.perf_counter() - began) * 1000)
            if lists[0] != lists[1]:
                raise AssertionError(f"the shards find something else: {query}")
        medians = {name: round(statistics.median(values), 1) for name, values in took.items()}
        return {**medians, "ratio": round(medians["shards"] / medians["one"], 1), "answered": many.shards}


def rate(batches: list[Batch], encode: Callable[[], Iterable[Any]]) -> dict[str, float]:
    """Passages a second over all, and from the first batch on, when every encoder is loaded."""
    began = time.perf_counter()
    done = [time.perf_counter() - began for _ in encode()]
    n, n_first = sum(len(batch.texts) for batch in batches), BATCH
    return {
        "first_batch_s": round(done[0], 1),
        "passages_s": round(n / done[-1], 1),
        "passages_s_after": round((n - n_first) / (done[-1] - done[0]), 1),
    }


def many_batches(store: Path, n_batches: int) -> list[Batch]:
    """The passages of a store, each several times with another number before it."""
    with Store.open(store) as opened:
        texts = [passage.text for passage in opened.passages(opened.rows.tolist())]
    numbered = [f"{i} {texts[i % len(texts)]}" for i in range(n_batches * BATCH)]
    numbered.sort(key=len, reverse=True)
    spans = [(0, 40), (40, 90), (90, 150)]
    chunks = [numbered[start : start + BATCH] for start in range(0, len(numbered), BATCH)]
    return [Batch(chunk, [spans] * len(chunk)) for chunk in chunks]


def main() -> None:
    """Print one JSON object a measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("store", type=Path)
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--batches", type=int, default=14, help=f"of {BATCH} passages to embed")
    parser.add_argument("--questions", type=int, default=150)
    given = parser.parse_args()
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")  # the loopback address alone
    import ray
    from ray.cluster_utils import Cluster

    batches = many_batches(given.store, given.batches)
    settings = Settings(store=given.store)
    here = load_encoder(settings.encoder, n_threads=1)
    alone = rate(batches, lambda: (encode_spans(here, batch.texts, batch.spans) for batch in batches))
    print(json.dumps({"embed": "this process, one thread", **alone}), flush=True)
    cluster = Cluster(
        initialize_head=True, head_node_args={**NODE, "num_cpus": 0, "include_dashboard": False}
    )
    try:
        for n_nodes in range(1, given.nodes + 1):
            cluster.add_node(**NODE)
            encoder = RayEncoder(settings.encoder, cluster.address)
            embedded = rate(batches, partial(encoder.encode_batches, batches))
            print(json.dumps({"embed": f"{n_nodes} actors of one thread", **embedded}), flush=True)
        queries = [each.question for each in load_questions(question_files([QUESTIONS]))][: given.questions]
        print(json.dumps({"search_ms": search_ms(given.store, cluster.address, queries)}), flush=True)
    finally:
        ray.shutdown()
        cluster.shutdown()


if __name__ == "__main__":
    main()
