"""What sentence vectors add to retrieval, made in several ways: of the fused list the assistant reads from.

    python -m rag.training.measure_sentences --questions QUESTIONS=CORPUS ... --squad FILE --set NAME=FOLDER

Every way is compared, question by question, with sentences encoded by themselves and searched among all:
`alone`. `late` ranks only the passages of the first N of the vector list and of the words' list, by their
nearest sentence; `one pass` takes a sentence's vector from its passage's token states; `less SHARE` takes
that share of the passage's own score from its sentence's, so that the third list does not repeat the first;
`4 bits` is `embeddings.compact`.
"""

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rag.settings import RANKING, RetrievalSettings
from rag.training.dev import mean
from rag.training.measure_encoder import Test, own_questions, retrieval_set, squad

Lists = list[list[int]]


class Measured:
    """One test's texts, encoded once: every way of making its lists is arithmetic on these."""

    def __init__(self, test: Test, encoder: Any) -> None:
        import numpy as np

        from embeddings.spans import encode_spans
        from rag.retrieval.lexical import LexicalIndex

        parts = [
            text[start:end] for text, some in zip(test.texts, test.spans, strict=True) for start, end in some
        ]
        self.wanted = [wanted for _, wanted in test.queries]
        self.rows = np.repeat(np.arange(len(test.texts)), [len(some) for some in test.spans])
        passages, self.one_pass = encode_spans(encoder, test.texts, test.spans)
        self.alone = encoder.encode(parts)
        self.queries = encoder.encode([query for query, _ in test.queries], kind="query")
        self.dense = self.queries @ passages.T  # (q, n)
        self.order = np.argsort(-self.dense, axis=1, kind="stable")
        lexical = LexicalIndex.build(test.texts)
        self.lexical = [lexical.search(query, RANKING.depth) for query, _ in test.queries]

    def sentence_lists(self, vectors: Any, n: int | None, share: float = 0.0) -> Lists:
        """For each query the passages by their nearest sentence; only the other lists' first ``n``."""
        import numpy as np

        best = np.full(self.dense.shape, -np.inf, np.float32)
        starts = np.flatnonzero(np.diff(self.rows, prepend=-1))
        best[:, self.rows[starts]] = np.maximum.reduceat(self.queries @ vectors.T, starts, axis=1)
        scores = best - share * self.dense
        lists = []
        for query, row_scores in enumerate(scores):
            rows = np.arange(len(row_scores))
            if n is not None:
                rows = np.union1d(self.order[query, :n], self.lexical[query][1])
            rows = rows[np.isfinite(row_scores[rows])]
            lists.append(rows[np.argsort(-row_scores[rows], kind="stable")][: RANKING.depth].tolist())
        return lists

    def places(self, sentences: Lists | None) -> list[float]:
        """Where the first right passage of each query stands in the fused list, from 1."""
        from rag.retrieval.fusion import fuse
        from rag.retrieval.retriever import _leads

        places = []
        for query, (scores, rows) in enumerate(self.lexical):
            lists = {"dense": self.order[query, : RANKING.depth].tolist(), "bm25": rows.tolist()}
            if sentences is not None:
                lists["sentences"] = sentences[query]
            fused = fuse(
                lists,
                rrf_k=RetrievalSettings().rrf_k,
                weights={"bm25": RANKING.bm25_weight},
                leads=_leads(scores, rows, RANKING.bm25_lead),
            )
            ranks = (rank for rank, (row, _) in enumerate(fused, start=1) if row in self.wanted[query])
            places.append(float(next(ranks, float("inf"))))
        return places


def figures(places: Sequence[float], before: Sequence[float]) -> dict[str, float]:
    """Hits and MRR@10, and how many questions stand higher and lower among the first ten than ``before``.

    >>> figures([1, 4, 20], [2, 4, 3])["mrr@10"], figures([1, 4, 20], [2, 4, 3])["lower"]
    (0.4167, 1)
    """
    values, old = _reciprocal(places), _reciprocal(before)
    hits = {f"hit@{k}": round(mean(place <= k for place in places), 4) for k in (1, 5, 16)}
    return {
        **hits,
        "mrr@10": round(mean(values), 4),
        "higher": sum(a > b for a, b in zip(values, old, strict=True)),
        "lower": sum(a < b for a, b in zip(values, old, strict=True)),
    }


def _reciprocal(places: Iterable[float]) -> list[float]:
    return [1 / place if place <= 10 else 0.0 for place in places]


def measure(test: Test, encoder: Any) -> dict[str, dict[str, float]]:
    """The figures of every way."""
    from embeddings.compact import pack, unpack

    measured = Measured(test, encoder)
    alone, one_pass = measured.alone, measured.one_pass
    packed = unpack(pack(one_pass), one_pass.shape[1])
    ways: dict[str, Lists | None] = {
        "alone": measured.sentence_lists(alone, None),
        "none": None,
        **{f"alone, late {n}": measured.sentence_lists(alone, n) for n in (200, 500)},
        "one pass": measured.sentence_lists(one_pass, None),
        **{f"one pass, late {n}": measured.sentence_lists(one_pass, n) for n in (200, 500)},
        **{
            f"one pass, late 200, less {share}": measured.sentence_lists(one_pass, 200, share)
            for share in (0.25, 0.5, 0.7)
        },
        "one pass, late 200, 4 bits": measured.sentence_lists(packed, 200),
        "one pass, late 200, less 0.5, 4 bits": measured.sentence_lists(packed, 200, 0.5),
    }
    places = {name: measured.places(lists) for name, lists in ways.items()}
    return {name: figures(by_query, places["alone"]) for name, by_query in places.items()}


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--questions", nargs="*", default=[], help="QUESTIONS=CORPUS")
    parser.add_argument("--squad", type=Path, help="QA rows, gzipped")
    parser.add_argument("--set", nargs="*", default=[], dest="sets", help="NAME=FOLDER of a retrieval test")
    parser.add_argument("--n-queries", type=int, default=0, help="of each --set and of --squad; 0 for all")
    parser.add_argument("--threads", type=int, default=0)
    options = parser.parse_args()
    from embeddings.encoder import open_encoder

    encoder = open_encoder(n_threads=options.threads)
    tests = {}
    for questions, _, corpus in (pair.partition("=") for pair in options.questions):
        tests[questions] = own_questions(Path(questions), Path(corpus))
    if options.squad:
        tests["squad"] = squad(options.squad, options.n_queries)
    for name, _, folder in (pair.partition("=") for pair in options.sets):
        tests[name] = retrieval_set(Path(folder), options.n_queries)
    for name, test in tests.items():
        for way, values in measure(test, encoder).items():
            print(name, way, json.dumps(values), flush=True)


if __name__ == "__main__":
    main()
