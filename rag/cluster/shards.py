"""A store searched in parts by the actors of a Ray cluster, with the answers of one store.

Every actor maps the generation that the asking process holds open, takes all rows but its own for dead, and
so ranks its own with the statistics of the whole: document counts, mean length, document frequencies. Scores
are the same to the last bit, and the best of all parts, by score and then by row, are the best of the store.

Shapes: q queries, k hits, m rows, d dims, s sentences, w bytes of a packed vector.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.halves import order
from embeddings.index import VectorSearch
from embeddings.parts import Proposed, VectorPart, merged
from rag.cluster import connect
from rag.errors import ClusterError
from rag.retrieval.lexical import LexicalSearch
from rag.retrieval.sentences import SentenceScores
from rag.settings import RaySettings
from rag.store import Store
from rag.store.layout import generation_folder
from rag.store.manifest import SegmentRecord
from rag.store.segment import Segment

Rows = NDArray[np.int64]
Vectors = NDArray[np.float32]
Halves = NDArray[np.float16]
Packed = NDArray[np.uint8]

START_SECONDS = 120  # until every shard has opened the store; the first start of a node's worker takes some 5
ANSWER_SECONDS = 10  # a shard that has not answered by then counts as lost for this question
SHARD_CPUS = 0.25  # Ray's bookkeeping, not a limit: three shards and an encoder have room on one core


class Shard:
    """The rows ``first`` to ``end`` of one generation."""

    def __init__(self, folder: str, records: Sequence[SegmentRecord], first: int, end: int) -> None:
        """``records`` are the whole store's."""
        self._segments = [Segment(Path(folder) / record.name, record) for record in records]
        self._offsets = np.array([0, *accumulate(record.n_passages for record in records)])
        every = np.arange(self._offsets[-1])
        dead = [one.dead_rows + at for one, at in zip(self._segments, self._offsets, strict=False)]
        gone = np.concatenate([*dead, np.zeros(0, np.int64)])
        indexes = [segment.vectors for segment in self._segments]
        self._part = VectorPart(indexes, gone, first, end)
        self._vectors = VectorSearch(indexes)
        closed = np.unique(np.concatenate([gone, every[:first], every[end:]]))
        self._lexical = LexicalSearch([segment.lexical for segment in self._segments], closed)

    def node(self) -> str:
        """Ray's name of the node it runs on, once the files are open."""
        import ray

        name: str = ray.get_runtime_context().get_node_id()
        return name

    def nearest(
        self, allowed: Rows | None, query: Vectors, k: int, n_allowed: Sequence[int]
    ) -> list[Proposed]:
        """What its own rows hold for a query (d,), as `VectorPart.search`."""
        return self._part.search(query, k, allowed, n_allowed)

    def ranked(self, allowed: Rows | None, query: str, k: int) -> tuple[Vectors, Rows]:
        """Scores and rows of the k best texts among its own, (k',) each."""
        return self._lexical.search(query, k, allowed)

    def stored(self, rows: Rows) -> tuple[Halves, Packed, Rows]:
        """What is stored of rows: vectors (m, d), sentences (s, w), and how many each row has (m,)."""
        vectors = self._vectors.vectors_of(rows).astype(np.float16)  # they are stored so: nothing is lost
        return vectors, *sentences_of(self._segments, self._offsets, rows)


def sentences_of(segments: Sequence[Segment], offsets: Rows, rows: Rows) -> tuple[Packed, Rows]:
    """The packed sentences of rows, end to end (s, w), and how many each row has (m,)."""
    firsts, counts = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
    home = np.searchsorted(offsets, rows, "right") - 1
    for number in np.unique(home):
        at = rows[home == number] - offsets[number]
        starts = segments[number].sentence_starts
        firsts[home == number], counts[home == number] = starts[at], starts[at + 1] - starts[at]
    ends = np.cumsum(counts)
    taken = np.repeat(firsts - (ends - counts), counts) + np.arange(counts.sum())  # within their segments
    of = np.repeat(home, counts)
    width = segments[0].sentences.shape[1] if segments else 0
    packed = np.zeros((len(taken), width), np.uint8)
    for number in np.unique(of):
        packed[of == number] = segments[number].sentences[taken[of == number]]
    return packed, counts


class Shards:
    """The shards of one open store, and its rankers over them: what a `Retriever` asks instead of the store.

    A shard that is lost is left out of the lists until Ray has started it again; ``answered`` says whether
    one was. Several threads may ask at once. Shard i has the rows ``bounds[i]:bounds[i + 1]`` and began on
    ``nodes[i]``.
    """

    def __init__(self, store: Store, settings: RaySettings) -> None:
        connect(settings.address)
        import ray

        n_rows = sum(record.n_passages for record in store.manifest.segments)
        nodes = sum(bool(node["Alive"]) for node in ray.nodes())
        self.n = max(1, min(settings.shards or nodes, n_rows))
        self.bounds = np.array([n_rows * i // self.n for i in range(self.n + 1)])
        self._asked = threading.local()
        manifest = store.manifest
        folder = str(generation_folder(store.path.absolute(), manifest.generation))
        actor = ray.remote(num_cpus=SHARD_CPUS, max_restarts=-1, max_task_retries=0)(Shard)
        spread = actor.options(scheduling_strategy="SPREAD")
        self._actors = [
            spread.remote(folder, manifest.segments, int(first), int(end))
            for first, end in zip(self.bounds, self.bounds[1:], strict=False)
        ]
        try:
            self.nodes: list[str] = ray.get(
                [each.node.remote() for each in self._actors], timeout=START_SECONDS
            )
        except ray.exceptions.RayError as error:
            self.close()
            why = str(error).strip().splitlines()[-1]
            raise ClusterError(
                f"the shards of {store.path} did not start: {why}",
                "ray status; every node must see the store under this path",
            ) from error
        self.vectors = ShardedVectors(self, store)
        self.lexical = ShardedText(self, store)
        self.sentences = None if store.sentences is None else ShardedSentences(self, store)

    def begin(self) -> None:
        """Let a question begin in this thread: no shard has failed it yet."""
        self._asked.lost = set()

    def answered(self) -> int:
        """How many shards have answered all that was asked of them in this thread since it began."""
        return self.n - len(getattr(self._asked, "lost", ()))

    def ask(self, calls: dict[int, tuple[Any, ...]], method: str) -> dict[int, Any]:
        """What each of some shards answers to a call with its arguments; of the lost ones nothing."""
        import ray

        if not calls:
            return {}
        waiting = {
            number: getattr(self._actors[number], method).remote(*arguments)
            for number, arguments in calls.items()
        }
        ray.wait(list(waiting.values()), num_returns=len(waiting), timeout=ANSWER_SECONDS)
        answers = {}
        for number, answer in waiting.items():
            try:
                answers[number] = ray.get(answer, timeout=0)
            except (ray.exceptions.RayActorError, ray.exceptions.GetTimeoutError):
                if not hasattr(self._asked, "lost"):
                    self.begin()
                self._asked.lost.add(number)
        return answers

    def ask_all(self, method: str, allowed: Rows | None, *arguments: Any) -> list[Any]:
        """What every shard finds, of those that are there; each gets those of the ``allowed`` rows it has."""
        calls: dict[int, tuple[Any, ...]] = {}
        for number in range(self.n):
            if allowed is None:
                calls[number] = (None, *arguments)
            else:
                first, end = self.bounds[number : number + 2]
                own = allowed[(allowed >= first) & (allowed < end)]
                if len(own):
                    calls[number] = (own, *arguments)
        return list(self.ask(calls, method).values())

    def stored(self, rows: Rows) -> tuple[Halves, Packed, Rows] | None:
        """What is stored of rows, as `Shard.stored`; None where a shard that has some is lost.

        One that was asked for last in this thread is given again: a passage's vector is wanted first, and
        then its sentences.
        """
        last = getattr(self._asked, "stored", None)
        if last is not None and np.array_equal(last[0], rows):
            kept: tuple[Halves, Packed, Rows] = last[1]
            return kept
        home = np.searchsorted(self.bounds, rows, "right") - 1
        calls = {int(number): (rows[home == number],) for number in np.unique(home)}
        answers = self.ask(calls, "stored")
        if len(answers) < len(calls) or not answers:
            return None
        vectors, packed, counts = (np.concatenate(parts) for parts in zip(*answers.values(), strict=True))
        # Shard after shard they came; in the order asked they leave.
        places = np.argsort(np.argsort(home, kind="stable"), kind="stable")
        if not np.array_equal(places, np.arange(len(rows))):
            starts = np.concatenate([[0], np.cumsum(counts)])
            taken = [np.arange(starts[at], starts[at + 1]) for at in places]
            vectors, packed, counts = vectors[places], packed[np.concatenate(taken)], counts[places]
        self._asked.stored = rows, (vectors, packed, counts)
        return vectors, packed, counts

    def close(self) -> None:
        """End the actors."""
        import ray

        if ray.is_initialized():
            for actor in self._actors:
                ray.kill(actor)


class ShardedVectors:
    """The passages' vectors, by row; ranks as `VectorSearch` does."""

    def __init__(self, shards: Shards, store: Store) -> None:
        self._shards, self._store = shards, store
        records = store.manifest.segments
        self._offsets = np.array([0, *accumulate(record.n_passages for record in records)])
        self._n_alive = [record.n_passages - record.n_dead_passages for record in records]

    def search(self, queries: Vectors, k: int, allowed: Rows | None = None) -> tuple[Vectors, Rows]:
        """Scores and rows of the k best vectors a query, best first, ties by row: (q, k') each."""
        n_allowed = self._n_alive
        if allowed is not None:
            allowed = np.setdiff1d(allowed, self._store.dead_rows)
            n_allowed = np.diff(np.searchsorted(allowed, self._offsets)).tolist()
        ranked = [self._nearest(query, k, allowed, n_allowed) for query in queries]
        return np.stack([s for s, _ in ranked]), np.stack([r for _, r in ranked])

    def _nearest(
        self, query: Vectors, k: int, allowed: Rows | None, n_allowed: list[int]
    ) -> tuple[Vectors, Rows]:
        found = self._shards.ask_all("nearest", allowed, query, k, n_allowed)
        best = merged((proposed for part in found for proposed in part), k)
        if best is None:  # the lists near this query hold too few rows, which is rare
            (scores,), (rows,) = self._store.vectors.search(query[None], k, allowed)
            return scores, rows
        return best

    def vectors_of(self, rows: Rows) -> Vectors:
        """The vectors of rows, (m, d); from the folder where a shard was lost since it found them."""
        stored = self._shards.stored(rows)
        return self._store.vectors.vectors_of(rows) if stored is None else stored[0].astype(np.float32)


class ShardedText:
    """The passages' words, by row; ranks as `LexicalSearch` does."""

    def __init__(self, shards: Shards, store: Store) -> None:
        self._shards = shards

    def search(self, query: str, k: int, allowed: Rows | None = None) -> tuple[Vectors, Rows]:
        """Scores and rows of the k best texts that share a term, best first, ties by row: (k',) each."""
        found = self._shards.ask_all("ranked", allowed, query, k)
        scores = np.concatenate([np.zeros(0, np.float32), *(s for s, _ in found)])
        rows = np.concatenate([np.zeros(0, np.int64), *(r for _, r in found)])
        return order(scores, rows, max(k, 0))


class ShardedSentences:
    """The sentences of passages, by row; scores as `SentenceScores` does, from what the shards hold."""

    def __init__(self, shards: Shards, store: Store) -> None:
        self._shards, self._store = shards, store
        counts = [record.n_passages for record in store.manifest.segments]
        self._offsets = np.array([0, *accumulate(counts)])

    def best(self, query: Vectors, rows: Rows) -> Vectors:
        """For each row (m,) the score of its sentence nearest to the query (d,); -inf where it has none.

        Scored here, those of one segment in one product: the last bit of a product depends on its shape.
        """
        stored = self._shards.stored(rows)
        if stored is None:
            assert self._store.sentences is not None
            return self._store.sentences.best(query, rows)
        _, packed, counts = stored
        starts = np.concatenate([[0], np.cumsum(counts)])
        found = np.full(len(rows), -np.inf, np.float32)
        home = np.searchsorted(self._offsets, rows, "right") - 1
        for number in np.unique(home):
            places = np.flatnonzero(home == number)
            sentences = np.concatenate([np.arange(starts[at], starts[at + 1]) for at in places])
            firsts = np.concatenate([[0], np.cumsum(counts[places])])
            part = SentenceScores([(packed[sentences], firsts)])
            found[places] = part.best(query, np.arange(len(places)))
        return found
