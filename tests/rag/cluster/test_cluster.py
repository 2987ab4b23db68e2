"""A cluster of three local nodes: what one machine would give, and what becomes of it when a node is lost."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from rag.assistant import Assistant
from rag.cluster.embedding import RayEncoder
from rag.cluster.loading import RayLoadingPool
from rag.cluster.shards import ANSWER_SECONDS
from rag.errors import ClusterError
from rag.indexing import Progress, index
from rag.output.json_lines import schema, to_json
from rag.records import Answer
from rag.settings import RaySettings, Settings
from rag.store.layout import MANIFEST, PASSAGES

ray = pytest.importorskip("ray", reason="the extra `ray` is not installed")
pytest.importorskip("ray.data", reason="the extra `ray` is not installed")

pytestmark = pytest.mark.filterwarnings("default")  # those of Ray are not ours to mend

NODE = {"num_cpus": 1, "object_store_memory": 80_000_000}
# A node is taken for dead within two seconds: by default it takes Ray half a minute.
WATCHFUL = {
    "health_check_initial_delay_ms": 500,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 1000,
    "health_check_failure_threshold": 2,
}
QUESTIONS = (
    "why was the trust decommissioned?",
    "how many vacant posts were there in March 2017?",
    "who repaired the clock of the museum?",
    "what does the moon weigh?",
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    from ray.cluster_utils import Cluster

    before = dict(os.environ)
    head = {**NODE, "include_dashboard": False, "_system_config": WATCHFUL}
    made = Cluster(initialize_head=True, head_node_args=head)
    for _ in range(2):
        made.add_node(**NODE)
    yield made
    ray.shutdown()
    made.shutdown()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def settings(sample_store: Path) -> Settings:
    return Settings(store=sample_store)


@pytest.fixture(scope="module")
def one(settings: Settings) -> Iterator[Assistant]:
    with Assistant.open(settings=settings) as opened:
        yield opened


@pytest.fixture
def many(settings: Settings, cluster: Any) -> Iterator[Assistant]:
    with Assistant.open(settings=replace(settings, ray=RaySettings(cluster.address, shards=3))) as opened:
        yield opened


def told(answer: Answer) -> Answer:
    """An answer without what may differ: its timings, and who gave it."""
    return replace(answer, timings_ms={}, store={})


def files(store: Path) -> dict[str, str]:
    """The sums of a generation's files, but those that hold the time of day."""
    return {
        path.relative_to(store).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in store.glob("generations/*/**/*")
        if path.is_file() and path.name not in (MANIFEST, PASSAGES)
    }


def test_the_cluster_is_on_this_machine_alone(cluster: Any) -> None:
    assert cluster.address.split(":")[0] == "127.0.0.1"


def test_the_shards_answer_as_the_store_does(one: Assistant, many: Assistant, sample_corpus: Path) -> None:
    queries = evaluation_questions(sample_corpus)
    assert len(queries) > 100
    for query in queries[::6]:
        assert many.search(query, k=30) == one.search(query, k=30), query
        assert many.shards == "3/3"
    filtered = [each.search("the trust", inside="*.txt", after="2015") for each in (one, many)]
    assert filtered[0] == filtered[1]
    assert filtered[0]
    for question in QUESTIONS:
        asked = many.ask(question)
        assert told(asked) == told(one.ask(question))
        written = to_json(asked, lambda document: document)
        jsonschema.validate(written, schema())
        assert written["store"]["shards"] == "3/3"


def evaluation_questions(corpus: Path) -> list[str]:
    lines = [
        line
        for path in sorted((corpus.parent / "questions").glob("*.jsonl"))
        for line in path.read_text("utf-8").splitlines()
    ]
    return [given["question"] for line in lines if "question" in (given := json.loads(line))]


class KillsANode(Progress):
    """Progress that takes a node away when the first batch has come from the cluster."""

    def __init__(self, cluster: Any) -> None:
        self.cluster = cluster
        self.stage = ""
        self.advanced: list[int] = []

    def start(self, stage: str, total: int) -> None:
        self.stage = stage

    def advance(self, n: int = 1) -> None:
        if self.stage == "embedding":
            self.advanced.append(n)
            if len(self.advanced) == 1:
                self.cluster.remove_node(sorted(self.cluster.worker_nodes, key=id)[0], allow_graceful=False)

    def finish(self) -> None:
        self.stage = ""


def test_a_node_lost_while_embedding_changes_no_byte_of_the_store(
    cluster: Any, sample_corpus: Path, sample_store: Path, tmp_path: Path
) -> None:
    settings = Settings(store=tmp_path / "store")
    progress = KillsANode(cluster)
    with RayLoadingPool(cluster.address) as pool:
        done = index(
            [sample_corpus],
            settings.store,
            settings,
            progress=progress,
            encoder=RayEncoder(settings.encoder, cluster.address),
            loader=pool,
        )
    cluster.add_node(**NODE)
    assert sum(progress.advanced) == done.embedded  # each passage once
    assert len(progress.advanced) > 2
    assert files(settings.store) == files(sample_store)


def test_a_node_lost_while_asking_is_told_until_its_rows_are_searched_again(
    cluster: Any, one: Assistant, many: Assistant
) -> None:
    shards = many._shards
    assert shards is not None
    head = cluster.head_node.node_id
    lost = next(number for number, node in enumerate(shards.nodes) if node != head)
    victim = next(node for node in cluster.worker_nodes if node.node_id == shards.nodes[lost])
    n_others = sum(node == shards.nodes[lost] for node in shards.nodes)
    first, end = shards.bounds[lost : lost + 2]
    whole = one.search(QUESTIONS[0], k=50)
    assert any(first <= hit.row < end for hit in whole)

    cluster.remove_node(victim, allow_graceful=False)
    partial, until = 0, time.monotonic() + 60
    while time.monotonic() < until:
        began = time.monotonic()
        hits = many.search(QUESTIONS[0], k=50)
        if many.shards == "3/3":
            assert hits == whole
            if partial:
                break
        else:
            partial += 1
            assert many.shards == f"{3 - n_others}/3"
            assert not any(first <= hit.row < end for hit in hits)
            assert time.monotonic() - began < ANSWER_SECONDS + 5
            if partial == 1:
                check_partial_answer(many)
        time.sleep(0.05)
    assert partial
    assert many.shards == "3/3"
    assert told(many.ask(QUESTIONS[0])) == told(one.ask(QUESTIONS[0]))
    cluster.add_node(**NODE)


def check_partial_answer(many: Assistant) -> None:
    """An answer says in words and in its JSON that a shard is missing, or it is whole."""
    answer = many.ask(QUESTIONS[0])
    shards = answer.store["shards"]
    assert any(f"shards {shards}" in notice for notice in answer.notices) == (shards != "3/3")


def test_rows_a_lost_shard_had_found_are_read_from_the_folder(one: Assistant, many: Assistant) -> None:
    shards = many._shards
    assert shards is not None
    rows = np.arange(0, one.store.n_passages, 7)
    shards.begin()
    ray.kill(shards._actors[1], no_restart=True)
    query = one.store.vectors.vector(3)
    assert (shards.vectors.vectors_of(rows) == one.store.vectors.vectors_of(rows)).all()
    assert one.store.sentences is not None
    assert shards.sentences is not None
    assert (shards.sentences.best(query, rows) == one.store.sentences.best(query, rows)).all()
    assert shards.answered() == 2
    with pytest.raises(ClusterError, match=r"shards 2/3"):
        many.search(QUESTIONS[0], whole=True)


def test_a_node_with_other_weights_is_refused(cluster: Any, settings: Settings) -> None:
    from embeddings.spans import Batch

    encoder = RayEncoder(settings.encoder, cluster.address)
    encoder.fingerprint = "another"
    with pytest.raises(ClusterError, match="other weights"):
        list(encoder.encode_batches([Batch(["a text"], [[(0, 1)]])] * 2))


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nowhere"])
def test_an_address_at_which_no_cluster_answers_is_refused_at_once(address: str) -> None:
    code = f"from rag.cluster import connect; connect({address!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert f"ClusterError: no Ray cluster answers at {address!r}" in done.stderr
