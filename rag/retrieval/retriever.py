"""The retriever: several views of every passage, each ranked, fused into one list.

Views: the passage as a whole (dense), its single sentences (a passage is as near as its nearest sentence),
and its words (BM25). A filter acts before any list is cut. Sentences are looked at only of passages that
another view has among its first: there are five times as many of them as of passages.

Shapes: n passages, d dims, k hits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from rag.records import Hit, Passage, Ranked
from rag.retrieval.clock import StageClock
from rag.retrieval.fusion import fuse
from rag.settings import RANKING, RankingNumbers

Rows = NDArray[np.int64]
Vectors = NDArray[np.float32]

PassagesOf = Callable[[Sequence[int]], list[Passage]]  # of rows, in their order


class VectorRanker(Protocol):
    """What the retriever needs of a vector index."""

    def search(self, queries: Vectors, k: int, allowed: Rows | None = None) -> tuple[Vectors, Rows]:
        """Scores and rows of the k best, (1, k') each."""

    def vectors_of(self, rows: Rows) -> Vectors:
        """The vectors of rows (k,), (k, d)."""


class TextRanker(Protocol):
    """What the retriever needs of a lexical index."""

    def search(self, query: str, k: int, allowed: Rows | None = None) -> tuple[Vectors, Rows]:
        """Scores and rows of the k best, (k',) each."""


class SentenceRanker(Protocol):
    """What the retriever needs of the passages' sentences."""

    def best(self, query: Vectors, rows: Rows) -> Vectors:
        """For each row the score of its sentence nearest to the query (d,)."""


class Groups(Protocol):
    """Which passages say the same."""

    def labels(self, rows: Iterable[int]) -> list[int]:
        """For each row the label of its group."""

    def members(self, label: int) -> list[int]:
        """The rows of a group, ascending."""


class QueryEncoder(Protocol):
    """What the retriever needs of an encoder."""

    def encode(self, texts: Sequence[str], *, kind: Literal["passage", "query"] = ...) -> Vectors:
        """One unit vector a text."""


class Retriever:
    """Ranks the passages of one store for a query.

    ``groups`` says which passages have the same words: a group answers once. ``passages_of`` gives each row
    its words.
    """

    def __init__(
        self,
        encoder: QueryEncoder,
        passages: VectorRanker,
        lexical: TextRanker,
        groups: Groups,
        passages_of: PassagesOf,
        *,
        sentences: SentenceRanker | None = None,
        rrf_k: int = 20,
        numbers: RankingNumbers = RANKING,
    ) -> None:
        self._encoder = encoder
        self._passages = passages
        self._lexical = lexical
        self._groups = groups
        self._passages_of = passages_of
        self._sentences = sentences
        self._rrf_k = rrf_k
        self._numbers = numbers

    def retrieve(
        self, query: str, k: int, *, allowed: Rows | None = None, clock: StageClock | None = None
    ) -> list[Hit]:
        """The k best passages, best first, one a group of equal words; fewer when fewer are allowed."""
        clock = clock or StageClock()
        vector = self._encoder.encode([query], kind="query")
        clock.stop("encode")
        depth = self._numbers.depth
        n_nearest = max(depth, self._numbers.sentence_candidates)
        scores, rows = self._passages.search(vector, n_nearest, allowed)
        clock.stop("dense")
        bm25 = self._lexical.search(query, depth, allowed)
        clock.stop("lexical")
        rankings = {"dense": (scores[0][:depth], rows[0][:depth])}
        if self._sentences is not None:
            rankings["sentences"] = self._rank_sentences(vector[0], np.union1d(rows[0], bm25[1]))
        rankings["bm25"] = bm25
        clock.stop("dense")
        hits = self._fuse(rankings, k)
        clock.stop("fuse")
        return hits

    def related(self, text: str, k: int, *, allowed: Rows | None = None) -> list[Hit]:
        """The k passages that share most words with a text, best first (BM25): more of the same matter."""
        return self._fuse({"bm25": self._lexical.search(text, self._numbers.depth, allowed)}, k)

    def _rank_sentences(self, vector: Vectors, rows: Rows) -> tuple[Vectors, Rows]:
        """Of these passages the first by their nearest sentence, less a share of their own nearness.

        A sentence's vector is made of states that have seen its whole passage: without that both lists would
        say much the same.
        """
        assert self._sentences is not None
        whole = self._passages.vectors_of(rows) @ vector
        scores = self._sentences.best(vector, rows) - self._numbers.sentence_share * whole
        order = np.lexsort((rows, -scores))[: self._numbers.depth]
        return scores[order], rows[order]

    def _fuse(self, rankings: dict[str, tuple[Vectors, Rows]], k: int) -> list[Hit]:
        ranked: dict[int, list[Ranked]] = {}
        for name, (scores, rows) in rankings.items():
            for rank, (score, row) in enumerate(zip(scores, rows, strict=True), start=1):
                ranked.setdefault(int(row), []).append(Ranked(name, rank, float(score)))
        lists = {name: [int(row) for row in rows] for name, (_, rows) in rankings.items()}
        fused = fuse(
            lists,
            rrf_k=self._rrf_k,
            weights={"bm25": self._numbers.bm25_weight},
            leads=_leads(*rankings["bm25"], self._numbers.bm25_lead),
        )
        groups: dict[int, list[tuple[int, float]]] = {}
        for (row, score), label in zip(fused, self._groups.labels(row for row, _ in fused), strict=True):
            groups.setdefault(label, []).append((row, score))
        chosen = []
        for label, members in list(groups.items())[:k]:  # in order of each group's best member
            row = min(row for row, _ in members)  # equal words score alike: the first place speaks for all
            twins = [twin for twin in self._groups.members(label) if twin != row]
            chosen.append((row, members[0][1], twins))
        wanted = [row for row, _, twins in chosen for row in (row, *twins)]
        passages = dict(zip(wanted, self._passages_of(wanted), strict=True))
        return [
            Hit(
                passage=passages[row],
                row=row,
                score=score,
                ranker="fused",
                ranked=tuple(ranked[row]),
                duplicates=tuple(passages[twin] for twin in twins),
            )
            for row, score, twins in chosen
        ]


def _leads(scores: Vectors, rows: Rows, weight: float) -> dict[int, float]:
    """``weight`` times each row's share of the best score; nothing where no word was found."""
    best = float(scores.max(initial=0.0))
    return {int(r): weight * float(s) / best for s, r in zip(scores, rows, strict=True)} if best else {}
