"""The reader on question-answering files: the figures of its model card, from one command.

    python -m eval.benchmark FOLDER [--questions N] [--json FILE]

FOLDER holds ``squad_dev_v1.1.jsonl.gz`` and ``squad_dev_v2.0_half.jsonl.gz``: rows ``{id, context, question,
answers: [{text, start}]}``, no answers where the paragraph has none. Four tests, each on a seeded sample of N
questions (all of them with ``--questions 0``):

- reading: EM and F1 of the best mark when the right paragraph is given (SQuAD 1.1);
- knowing: can the paragraph that lacks the answer be told from the one that has it (SQuAD 2.0);
- ranking: is the right paragraph first among all, by BM25, dense, fusion, and after reading;
- end to end: EM and F1 of the answer found among all paragraphs.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from embeddings.encoder import Encoder
from embeddings.index import VectorIndex
from embeddings.spans import encode_spans
from eval.metrics import exact_match, f1
from eval.scoring.confidence import auroc
from rag.reader import open_reader
from rag.reader.base import Candidate, Reader, Reading
from rag.records import Hit, Passage
from rag.retrieval.encoder import load_encoder
from rag.retrieval.groups import LabelledRows
from rag.retrieval.lexical import LexicalIndex
from rag.retrieval.retriever import Retriever
from rag.retrieval.sentences import SentenceScores
from rag.settings import RANKING, EncoderSettings, ReaderSettings
from rag.text.sentences import sentences

Figures = dict[str, float]
RANKERS = ("bm25", "dense", "fused", "read")


@dataclass(frozen=True, slots=True)
class Row:
    """One question with its paragraph; ``answers`` is empty when the paragraph does not answer."""

    id: str
    question: str
    context: str
    answers: tuple[str, ...]


def load_rows(path: Path) -> list[Row]:
    """Every row of a gzipped JSON-lines file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        raw = [json.loads(line) for line in lines]
    return [Row(r["id"], r["question"], r["context"], tuple(a["text"] for a in r["answers"])) for r in raw]


def sample(rows: Sequence[Row], n: int, seed: int = 1) -> list[Row]:
    """``n`` rows drawn with a seed, in file order; all of them when n is 0."""
    if not n or n >= len(rows):
        return list(rows)
    chosen = set(random.Random(seed).sample(range(len(rows)), n))
    return [row for i, row in enumerate(rows) if i in chosen]


def best_mark(reading: Reading, text: str) -> str:
    """The words the reader marked first."""
    return text[reading.marks[0].start : reading.marks[0].end] if reading.marks else ""


def means(pairs: Iterable[tuple[float, float]]) -> Figures:
    """Exact match and F1 in percent, averaged."""
    table = np.array(list(pairs), dtype=float).reshape(-1, 2)
    em, f = table.mean(axis=0) * 100
    return {"em": float(em), "f1": float(f), "n": float(len(table))}


def reading(reader: Reader, rows: Sequence[Row]) -> Figures:
    """EM and F1 with the right paragraph given."""

    def score(row: Row) -> tuple[float, float]:
        answer = best_mark(reader.read(row.question, [Candidate(row.context)])[0], row.context)
        return exact_match(answer, row.answers), f1(answer, row.answers)

    return means(score(row) for row in rows)


def knowing(reader: Reader, rows: Sequence[Row]) -> Figures:
    """F1 with the best no-answer threshold (as the SQuAD 2.0 script has it), and AUROC of relevance."""
    relevance, earned = [], []
    for row in rows:
        read = reader.read(row.question, [Candidate(row.context)])[0]
        relevance.append(read.relevance)
        earned.append(f1(best_mark(read, row.context), row.answers) if row.answers else 0.0)
    answerable = [bool(row.answers) for row in rows]
    order = np.argsort(-np.array(relevance), kind="stable")
    gained = np.array(earned)[order]  # answering this one earns its F1
    lost = (~np.array(answerable)[order]).astype(float)  # and gives up the point for silence
    total = lost.sum() + np.concatenate([[0.0], np.cumsum(gained - lost)])
    return {
        "best_f1": float(total.max() / len(rows) * 100),
        "auroc": auroc(relevance, answerable) or 0.0,
        "silence_f1": float(total[0] / len(rows) * 100),
        "n": float(len(rows)),
    }


def build_retriever(contexts: Sequence[str], encoder: Encoder) -> Retriever:
    """A retriever over bare paragraphs, with the views a store has."""
    spans = [sentences(text) for text in contexts]
    vectors, of_sentences = encode_spans(encoder, contexts, spans)
    rows = np.repeat(np.arange(len(contexts)), [len(some) for some in spans])
    return Retriever(
        encoder,
        VectorIndex.build(vectors),
        LexicalIndex.build(contexts),
        LabelledRows(range(len(contexts))),
        lambda rows: [Passage(str(row), 0, len(contexts[row]), contexts[row]) for row in rows],
        sentences=SentenceScores.of(of_sentences, rows, len(contexts)),
    )


def ranking(
    reader: Reader, retriever: Retriever, contexts: Sequence[str], rows: Sequence[Row], n_candidates: int
) -> dict[str, Figures]:
    """Where the right paragraph stands by each ranker, and the answer found among all paragraphs."""
    place_of = {context: i for i, context in enumerate(contexts)}
    places: dict[str, list[float]] = {name: [] for name in RANKERS}
    answers = []
    for row in rows:
        wanted = place_of[row.context]
        hits = retriever.retrieve(row.question, 100)
        near = hits[:n_candidates]
        read = reader.read(
            row.question,
            [Candidate(contexts[item.row], prior=RANKING.prior_weight * item.score) for item in near],
        )
        order = sorted(range(len(near)), key=lambda i: (not read[i].finished, -read[i].relevance, i))
        places["read"].append(_place([near[i].row for i in order], wanted))
        places["fused"].append(_place([item.row for item in hits], wanted))
        for name in ("bm25", "dense"):
            places[name].append(_ranked(hits, name, wanted))
        answer = best_mark(read[order[0]], contexts[near[order[0]].row]) if order else ""
        answers.append((exact_match(answer, row.answers), f1(answer, row.answers)))
    figures: dict[str, Figures] = {name: _rank_figures(at) for name, at in places.items()}
    figures["end_to_end"] = means(answers)
    return figures


def _place(rows: Sequence[int], wanted: int) -> float:
    return rows.index(wanted) + 1 if wanted in rows else float("inf")


def _ranked(hits: Sequence[Hit], ranker: str, wanted: int) -> float:
    """The place a ranker gave the wanted row, as far as the fused list remembers it."""
    ranks = [r.rank for hit in hits if hit.row == wanted for r in hit.ranked if r.ranker == ranker]
    return float(ranks[0]) if ranks else float("inf")


def _rank_figures(places: Sequence[float]) -> Figures:
    at = np.array(places)
    reciprocal = np.where(at <= 10, 1 / at, 0.0)
    return {
        "hit@1": float((at <= 1).mean()),
        "hit@5": float((at <= 5).mean()),
        "hit@10": float((at <= 10).mean()),
        "mrr@10": float(reciprocal.mean()),
    }


def latency(reader: Reader, rows: Sequence[Row], n_passages: int = 16, n_words: int = 130) -> Figures:
    """Milliseconds to rank and read ``n_passages`` passages of about ``n_words`` words, warm: p50, p95."""
    words = " ".join(dict.fromkeys(row.context for row in rows)).split()
    candidates = [Candidate(" ".join(words[i * n_words : (i + 1) * n_words])) for i in range(n_passages)]
    taken = []
    for row in rows[:25]:
        began = time.perf_counter()
        reader.read(row.question, candidates)
        taken.append((time.perf_counter() - began) * 1e3)
    p50, p95 = np.percentile(taken[5:], [50, 95])
    return {"p50_ms": float(p50), "p95_ms": float(p95)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="folder of *.jsonl.gz question-answering files")
    parser.add_argument("--questions", type=int, default=0, help="questions a test; 0 for all")
    parser.add_argument("--reader", choices=("cross-encoder", "similarity"), default="cross-encoder")
    parser.add_argument("--n-candidates", type=int, default=24, help="passages read a question")
    parser.add_argument(
        "--n-finished", type=int, help="of them read to the end; the default is the product's"
    )
    parser.add_argument("--tests", nargs="*", default=["reading", "knowing", "ranking", "latency"])
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args(arguments)
    encoder = load_encoder(EncoderSettings())
    settings = ReaderSettings(model=options.reader)
    if options.n_finished is not None:
        settings = replace(settings, n_finished=options.n_finished)
    reader = open_reader(settings, lambda: encoder)
    v1 = load_rows(options.folder / "squad_dev_v1.1.jsonl.gz")
    figures: dict[str, object] = {"reader": reader.name, "fingerprint": reader.fingerprint}
    began = time.perf_counter()

    def say(name: str, value: object) -> None:
        figures[name] = value
        print(f"{name}: {json.dumps(value)}", flush=True)
        print(f"  {time.perf_counter() - began:.0f} s", file=sys.stderr)

    if "latency" in options.tests:
        say("latency", latency(reader, v1))
    if "knowing" in options.tests:
        v2 = load_rows(options.folder / "squad_dev_v2.0_half.jsonl.gz")
        say("knowing", knowing(reader, sample(v2, options.questions)))
    if "reading" in options.tests:
        say("reading", reading(reader, sample(v1, options.questions)))
    if "ranking" in options.tests:
        contexts = list(dict.fromkeys(row.context for row in v1))
        retriever = build_retriever(contexts, encoder)
        rows = sample(v1, options.questions)
        say("ranking", ranking(reader, retriever, contexts, rows, options.n_candidates))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
