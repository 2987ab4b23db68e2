"""Inverted lists over many vectors: they propose candidates, and the half floats say which are best.

Vectors are grouped round centroids; a query looks into the lists of the nearest few (``nprobe``). How many
it takes to find the true neighbours depends on the corpus, so it is calibrated on the corpus's own vectors
when the lists are built, and stored with them.

Shapes: n vectors, q queries, d dims, k hits.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from embeddings.halves import HalfVectors, Mask, Rows, Vectors, search_parameters

Kind = Literal["SQ8", "RaBitQ"]

FORMAT = 1
K = 10  # the cut whose recall is calibrated
DEEP = 1000  # a second cut: how lists needed grow with depth, for longer lists of hits and for filters
N_QUERIES = 256  # calibrating queries: 2,560 neighbours, so a recall of .99 is known to about .003
N_DEEP_QUERIES = 64  # those taken to the second cut: their neighbours are 100 MB at 384 dims
QUERY_COSINE = 0.6  # a calibrating query's cosine to the vector it is made from: a real question's (measured)
MAX_CANDIDATES = 128  # candidates rescored a hit at most
LISTS_PER_ROOT = 4  # lists = 4 sqrt(n), to a power of two: 4,096 at a million
MAX_LISTS = 16_384  # past that, training on one machine takes longer than scanning longer lists costs
TRAINING_ROWS = 262_144  # vectors the centroids are trained on at most: bounds the time to build
TRAINING_PER_LIST = 40  # FAISS's own lower bound for a sound centroid
TRAINING_ROUNDS = 6  # k-means rounds; recall is the calibration's matter, not theirs
SEED = 14


@dataclass(frozen=True, slots=True)
class Probing:
    """What a search through the lists takes, as calibrated.

    ``lists_at_k`` and ``lists_at_deep`` are the lists to look into for the first K and DEEP neighbours,
    ``candidates`` the candidates rescored a hit, ``recall`` what they gave at K, as a share of exact search.
    """

    lists_at_k: int
    lists_at_deep: int
    candidates: int
    recall: float

    def lists(self, depth: float) -> int:
        """The lists to look into so that the first ``depth`` of all neighbours are found.

        >>> [Probing(10, 40, 2, 0.99).lists(depth) for depth in (1, 10, 100, 1000)]
        [10, 10, 20, 40]
        """
        growth = math.log(self.lists_at_deep / self.lists_at_k) / math.log(DEEP / K)
        return math.ceil(self.lists_at_k * math.pow(max(1.0, depth / K), growth) - 1e-9)


class InvertedLists:
    """Candidates for queries, from lists of codes: SQ8 (a byte a number) or RaBitQ (a bit a number)."""

    def __init__(self, index: Any, kind: Kind, probing: Probing) -> None:
        self._index, self.kind, self.probing = index, kind, probing
        self.n, self.dim, self.n_lists = int(index.ntotal), int(index.d), int(index.nlist)

    @classmethod
    def build(
        cls, vectors: HalfVectors, kind: Kind, recall: float, n_lists: int | None = None
    ) -> InvertedLists:
        """Lists over the vectors, calibrated to a recall at K; the same vectors give the same lists."""
        import faiss

        n = vectors.n
        n_lists = n_lists or min(MAX_LISTS, 1 << round(math.log2(LISTS_PER_ROOT * math.sqrt(n))))
        n_lists = min(n_lists, n)
        index: Any = faiss.index_factory(vectors.dim, f"IVF{n_lists},{kind}", faiss.METRIC_INNER_PRODUCT)
        index.cp.seed, index.cp.niter, index.cp.min_points_per_centroid = SEED, TRAINING_ROUNDS, 1
        n_sampled = min(n, TRAINING_ROWS, max(TRAINING_PER_LIST * n_lists, 10_000))
        sampled = np.sort(np.random.default_rng(SEED).choice(n, n_sampled, replace=False))
        index.train(vectors.vectors_of(sampled))
        for start in vectors.blocks():
            index.add(vectors.block(start))
        lists = cls(index, kind, Probing(1, 1, 1, 0.0))
        lists.probing = calibrate(lists, vectors, recall)
        return lists

    @classmethod
    def open(cls, path: Path, facts_path: Path) -> InvertedLists:
        """The lists saved at the two paths, mapped; raises OSError, ValueError or RuntimeError if damaged."""
        import faiss

        try:
            facts = json.loads(facts_path.read_bytes())
            if facts["format"] != FORMAT:
                raise ValueError(f"{facts_path}: format {facts['format']}, expected {FORMAT}")
            kind, probing = facts["kind"], Probing(**facts["probing"])
            expected = [int(facts[key]) for key in ("bytes", "n", "dim", "lists")]
        except (KeyError, TypeError) as error:
            raise ValueError(f"{facts_path} is damaged: {error!r}") from error
        if path.stat().st_size != expected[0]:
            raise ValueError(f"{path} is damaged: {path.stat().st_size} bytes, expected {expected[0]}")
        index: Any = faiss.read_index(str(path), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY)
        lists: Any = faiss.downcast_InvertedLists(index.invlists)
        lists.prefetch_nthread = 0  # else every search starts threads that only touch pages
        if [int(index.ntotal), int(index.d), int(index.nlist)] != expected[1:]:
            raise ValueError(f"{path} is damaged: it is not what {facts_path.name} says")
        return cls(index, kind, probing)

    def save(self, path: Path, facts_path: Path) -> None:
        """Write the lists, and beside them what kind they are and how they are searched."""
        import faiss

        faiss.write_index(self._index, str(path))
        facts = {
            "format": FORMAT,
            "kind": self.kind,
            "n": self.n,
            "dim": self.dim,
            "lists": self.n_lists,
            "bytes": path.stat().st_size,
            "probing": asdict(self.probing),
        }
        facts_path.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")

    def propose(self, queries: Vectors, n: int, n_probed: int, mask: Mask | None = None) -> Rows:
        """Rows of up to n candidates a query (q, n), padded with -1: not yet ranked exactly."""
        return self.propose_scored(queries, n, n_probed, mask)[1]

    def propose_scored(
        self, queries: Vectors, n: int, n_probed: int, mask: Mask | None = None
    ) -> tuple[Vectors, Rows]:
        """As `propose`, with the scores (q, n) of the candidates' codes, by which they are proposed."""
        import faiss

        if self.kind == "RaBitQ":
            parameters: Any = faiss.IVFRaBitQSearchParameters()
            parameters.qb = 8  # the query in bytes: bit counts instead of float sums, at no loss that shows
        else:
            parameters = faiss.SearchParametersIVF()
        parameters.nprobe = min(n_probed, self.n_lists)
        scores, rows = self._index.search(queries, n, params=search_parameters(mask, parameters))
        return scores, rows

    def list_ranks(self, queries: Vectors, neighbours: Vectors) -> NDArray[np.int64]:
        """For each query (q, d) and each of its neighbours (q, k, d), how many lists come before its own."""
        q, k, dim = neighbours.shape
        _, near = self._index.quantizer.search(queries, self.n_lists)
        _, own = self._index.quantizer.search(np.ascontiguousarray(neighbours.reshape(q * k, dim)), 1)
        ranks = np.empty((q, self.n_lists), np.int64)
        np.put_along_axis(ranks, near, np.arange(self.n_lists)[None, :], 1)
        return np.take_along_axis(ranks, own.reshape(q, k), 1)


def calibrating_queries(vectors: HalfVectors, n: int) -> tuple[Vectors, Rows]:
    """Queries made from the corpus, as far from it as questions are, and the row each is made from.

    A stored vector is easier to find than a question: it lies where the vectors lie. So each drawn one is
    moved along the difference of two others, which has the corpus's own spread, to QUERY_COSINE of itself.
    """
    rng = np.random.default_rng(SEED)
    rows = rng.choice(vectors.n, (3, min(n, vectors.n // 3)), replace=False)
    own, one, other = (vectors.vectors_of(part) for part in rows)
    aside = one - other
    squared = np.maximum((own * own).sum(axis=1, keepdims=True), 1e-12)
    aside -= own * (aside * own).sum(axis=1, keepdims=True) / squared  # at a right angle to it
    length = np.maximum(np.linalg.norm(aside, axis=1, keepdims=True), 1e-9)
    tangent = math.sqrt(1 - QUERY_COSINE**2) / QUERY_COSINE
    moved = own + aside * (tangent * np.sqrt(squared) / length)
    moved /= np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9)
    return np.ascontiguousarray(moved, np.float32), rows[0]


def calibrate(lists: InvertedLists, vectors: HalfVectors, recall: float) -> Probing:
    """How many lists and candidates find the wanted share of the true first K, measured on the corpus itself.

    The row a query is made from is no neighbour of it. Lists first: the rank of each true neighbour's own
    list says how many must be read. Then candidates, doubled until what is lost to the codes is won back.
    """
    queries, own = calibrating_queries(vectors, N_QUERIES)
    share = 1 - 0.7 * (1 - recall)  # the rest of the loss is left to the codes

    def search(n: int, k: int) -> tuple[Rows, int]:
        """The true neighbours of the first n queries, and how many lists hold them."""
        nearest = vectors.nearest(queries[:n], k + 1)
        true = np.stack([rows[rows != row][:k] for rows, row in zip(nearest, own[:n], strict=True)])
        neighbours = vectors.vectors_of(true.ravel()).reshape(*true.shape, vectors.dim)
        ranks = lists.list_ranks(queries[:n], neighbours)
        return true, int(np.quantile(ranks, share, method="higher")) + 1

    true, at_k = search(len(queries), min(K, vectors.n - 1))
    _, at_deep = search(min(N_DEEP_QUERIES, len(queries)), min(DEEP, vectors.n - 1))
    candidates, reached = 1, 0.0
    while reached < recall and candidates < MAX_CANDIDATES:
        candidates *= 2
        proposed = lists.propose(queries, min(candidates * K + 1, lists.n), at_k)
        reached = float(np.mean([np.isin(t, p).mean() for t, p in zip(true, proposed, strict=True)]))
    return Probing(at_k, max(at_k, at_deep), candidates, reached)
