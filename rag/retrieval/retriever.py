"""The retriever: several views of every passage, each ranked, fused into one list.

Views: the passage as a whole (dense), its single sentences (a passage is as near as its nearest sentence),
and its words (BM25). A filter acts before any list is cut.

Shapes: n passages, s sentences, d dims, k hits.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from rag.records import Ranked
from rag.retrieval.fusion import fuse

Rows = NDArray[np.int64]
Vectors = NDArray[np.float32]

DEPTH = 100  # places kept of each ranking: past that a reciprocal rank moves nothing
# Two of the three views are of one encoder and err together; on development questions the words count more.
WEIGHTS = {"bm25": 1.5}
# What a passage gains by its BM25 score as a share of the best one's. On development questions it put the
# right passage first in .60 and .66 of them instead of .57 and .58 (real and own documents).
LEAD = 0.05


class VectorRanker(Protocol):
    """What the retriever needs of a vector index."""

    def search(self, queries: Vectors, k: int, allowed: Rows | None = None) -> tuple[Vectors, Rows]:
        """Scores and rows of the k best, (1, k') each."""


class TextRanker(Protocol):
    """What the retriever needs of a lexical index."""

    def search(self, query: str, k: int, allowed: Rows | None = None) -> tuple[Vectors, Rows]:
        """Scores and rows of the k best, (k',) each."""


class QueryEncoder(Protocol):
    """What the retriever needs of an encoder."""

    def encode(self, texts: Sequence[str], *, kind: Literal["passage", "query"] = ...) -> Vectors:
        """One unit vector a text."""


@dataclass(frozen=True, slots=True)
class Found:
    """A passage's row, its fused score, what each ranker said, and the rows that say the same words."""

    row: int
    score: float
    ranked: tuple[Ranked, ...]
    duplicates: tuple[int, ...] = ()


class Retriever:
    """Ranks the passages of one store for a query.

    ``groups`` (n,) gives each passage the row of the first passage with the same words: a group answers once.
    ``sentence_rows`` (s,) gives each sentence vector its passage.
    """

    def __init__(
        self,
        encoder: QueryEncoder,
        passages: VectorRanker,
        lexical: TextRanker,
        groups: Rows,
        *,
        sentences: VectorRanker | None = None,
        sentence_rows: Rows | None = None,
        rrf_k: int = 20,
    ) -> None:
        self._encoder = encoder
        self._passages = passages
        self._lexical = lexical
        self._groups = groups
        self._sentences = sentences
        self._sentence_rows = sentence_rows
        self._rrf_k = rrf_k

    def retrieve(
        self, query: str, k: int, *, allowed: Rows | None = None, timings_ms: dict[str, float] | None = None
    ) -> list[Found]:
        """The k best passages, best first, one a group of equal words; fewer when fewer are allowed.

        ``timings_ms`` is given the milliseconds of each stage.
        """
        clock = _Clock(timings_ms)
        vector = self._encoder.encode([query], kind="query")
        clock.stop("encode")
        rankings: dict[str, tuple[Vectors, Rows]] = {}
        scores, rows = self._passages.search(vector, DEPTH, allowed)
        rankings["dense"] = (scores[0], rows[0])
        if self._sentences is not None and self._sentence_rows is not None:
            rankings["sentences"] = self._search_sentences(vector, allowed)
        clock.stop("dense")
        rankings["bm25"] = self._lexical.search(query, DEPTH, allowed)
        clock.stop("lexical")
        found = self._fuse(rankings, k)
        clock.stop("fuse")
        return found

    def related(self, text: str, k: int, *, allowed: Rows | None = None) -> list[Found]:
        """The k passages that share most words with a text, best first (BM25): more of the same matter."""
        return self._fuse({"bm25": self._lexical.search(text, DEPTH, allowed)}, k)

    def _search_sentences(self, vector: Vectors, allowed: Rows | None) -> tuple[Vectors, Rows]:
        """Passages by their nearest sentence."""
        assert self._sentences is not None
        assert self._sentence_rows is not None
        within = None if allowed is None else np.flatnonzero(np.isin(self._sentence_rows, allowed))
        scores, found = self._sentences.search(vector, 4 * DEPTH, within)
        rows = self._sentence_rows[found[0]]
        _, first = np.unique(rows, return_index=True)  # lists are sorted: a row's first place is its best
        first.sort()
        return scores[0][first][:DEPTH], rows[first][:DEPTH]

    def _fuse(self, rankings: dict[str, tuple[Vectors, Rows]], k: int) -> list[Found]:
        said: dict[int, list[Ranked]] = {}
        for name, (scores, rows) in rankings.items():
            for rank, (score, row) in enumerate(zip(scores, rows, strict=True), start=1):
                said.setdefault(int(row), []).append(Ranked(name, rank, float(score)))
        lists = {name: [int(row) for row in rows] for name, (_, rows) in rankings.items()}
        fused = fuse(lists, rrf_k=self._rrf_k, weights=WEIGHTS, leads=_leads(*rankings["bm25"]))
        chosen: dict[int, list[tuple[int, float]]] = {}
        for row, score in fused:
            group = chosen.setdefault(int(self._groups[row]), [])
            group.append((row, score))
        found = []
        for number, members in list(chosen.items())[:k]:  # in order of each group's best member
            row = min(row for row, _ in members)  # equal words score alike: the first place speaks for all
            twins = np.flatnonzero(self._groups == number)
            others = tuple(int(twin) for twin in twins if twin != row)
            found.append(Found(row, members[0][1], tuple(said[row]), others))
        return found


def _leads(scores: Vectors, rows: Rows) -> dict[int, float]:
    """LEAD times each row's share of the best score; nothing where no word was found."""
    best = float(scores.max(initial=0.0))
    return {int(r): LEAD * float(s) / best for s, r in zip(scores, rows, strict=True)} if best else {}


class _Clock:
    """Milliseconds between stops, by stage."""

    def __init__(self, into: dict[str, float] | None) -> None:
        self._into = into if into is not None else {}
        self._last = time.perf_counter()

    def stop(self, stage: str) -> None:
        now = time.perf_counter()
        self._into[stage] = self._into.get(stage, 0.0) + (now - self._last) * 1e3
        self._last = now
