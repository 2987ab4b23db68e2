"""The lexical index: BM25 over stemmed words (Robertson & Walker 1994, Lucene's variant), through bm25s."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.text.language import load_language
from rag.text.terms import terms


class LexicalIndex:
    """BM25 scores of every text for a query. Row i belongs to text i.

    ``k1`` 1.2 and ``b`` 0.75 are the values Lucene ships with.
    """

    def __init__(self, bm25: Any, n: int, language: str) -> None:
        self._bm25 = bm25
        self._n = n
        self._language = load_language(language)

    @classmethod
    def build(cls, texts: Sequence[str], language: str = "english") -> LexicalIndex:
        """Index ``texts``; an empty sequence makes an index that finds nothing."""
        import bm25s

        bm25 = bm25s.BM25(k1=1.2, b=0.75, method="lucene")
        known = load_language(language)
        corpus = [terms(text, known) for text in texts]
        if any(corpus):
            bm25.index(corpus, show_progress=False)
            return cls(bm25, len(texts), language)
        return cls(None, len(texts), language)

    @property
    def n(self) -> int:
        """How many texts are indexed."""
        return self._n

    def save(self, folder: Path) -> None:
        """Write the index into ``folder``, which is made. The caller makes it durable."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "language.txt").write_text(f"{self._language.name}\n{self._n}\n", "utf-8")
        if self._bm25 is not None:
            self._bm25.save(str(folder), show_progress=False)

    @classmethod
    def open(cls, folder: Path) -> LexicalIndex:
        """The index saved in ``folder``, its large arrays memory-mapped."""
        import bm25s

        language, n = (folder / "language.txt").read_text("utf-8").split()
        bm25 = None
        if (folder / "params.index.json").exists():
            bm25 = bm25s.BM25.load(str(folder), mmap=True, show_progress=False)
        return cls(bm25, int(n), language)

    def document_frequency(self, term: str) -> int:
        """How many texts hold an index term; 0 for one that none holds."""
        if self._bm25 is None or term not in self._bm25.vocab_dict:
            return 0
        starts = self._bm25.scores["indptr"]  # texts are listed term after term: (n_terms + 1,)
        number = self._bm25.vocab_dict[term]
        return int(starts[number + 1] - starts[number])

    def scores(self, query: str) -> NDArray[np.float32]:
        """The BM25 score of every text, (n,); all zero when no term of the query is known."""
        wanted = terms(query, self._language)
        zero = np.zeros(self._n, np.float32)
        if self._bm25 is None:
            return zero
        known = [term for term in wanted if term in self._bm25.vocab_dict]
        return np.asarray(self._bm25.get_scores(known), np.float32) if known else zero

    def search(
        self, query: str, k: int, allowed: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Scores and rows of the k best texts that share a term with the query, best first, ties by row."""
        scores = self.scores(query)
        rows = np.arange(self._n) if allowed is None else np.asarray(allowed, np.int64)
        rows = rows[scores[rows] > 0]
        order = np.lexsort((rows, -scores[rows]))[:k]
        return scores[rows[order]], rows[order].astype(np.int64)


class LexicalSearch:
    """INTERIM."""

    def __init__(self, segments, dead=None):
        self._segments = list(segments)
        self._dead = np.zeros(0, np.int64) if dead is None else dead
        self._offsets = np.concatenate([[0], np.cumsum([s.n for s in self._segments])]).astype(np.int64)

    @property
    def n(self):
        return int(self._offsets[-1])

    def document_frequency(self, term):
        return sum(s.document_frequency(term) for s in self._segments)

    def search(self, query, k, allowed=None):
        scores = np.concatenate([s.scores(query) for s in self._segments])
        scores[self._dead] = 0
        rows = np.arange(self.n) if allowed is None else np.asarray(allowed, np.int64)
        rows = rows[scores[rows] > 0]
        order = np.lexsort((rows, -scores[rows]))[:k]
        return scores[rows[order]], rows[order].astype(np.int64)
