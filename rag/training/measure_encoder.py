"""Where an encoder puts what answers a question: alone, and fused with BM25 as the assistant does it.

    python -m rag.training.measure_encoder --layers FILE --set NAME=FOLDER ... --squad FILE \\
        --questions QUESTIONS=CORPUS ...

`--layers` are weights in place of the shipped encoder's (`rag.training.blend` writes such a file); `--stock`
measures the model it grew from. A `--set` is a folder of a retrieval test (corpus, queries, qrels), searched
without sentence vectors; the others are searched with them, as a store is.
"""

import argparse
import gzip
import json
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rag.training.dev import mean
from rag.training.sources import read_file

DEPTH = 16  # passages that the reader begins
SEED = 13


@dataclass(frozen=True, slots=True)
class Test:
    """Texts with the places of their sentences, and for each query the positions of texts that answer it."""

    texts: Sequence[str]
    spans: Sequence[Sequence[tuple[int, int]]]
    queries: Sequence[tuple[str, frozenset[int]]]
    with_sentences: bool


def retrieval_set(folder: Path, n_queries: int) -> Test:
    """A folder of corpus.jsonl.gz, queries.jsonl.gz and qrels.tsv.gz."""
    corpus, queries = (read_file(folder / f"{name}.jsonl.gz")[0] for name in ("corpus", "queries"))
    place = {row["id"]: i for i, row in enumerate(corpus)}
    wanted: dict[str, set[int]] = defaultdict(set)
    for line in gzip.decompress((folder / "qrels.tsv.gz").read_bytes()).decode().splitlines():
        query, document, relevance = line.split("\t")
        if relevance.lstrip("-").isdigit() and int(relevance) > 0 and document in place:
            wanted[query].add(place[document])
    asked = [(row["text"], frozenset(wanted[row["id"]])) for row in queries if wanted[row["id"]]]
    texts = [" . ".join(part for part in (row.get("title"), row["text"]) if part) for row in corpus]
    return Test(texts, _sentences(texts), _some(asked, n_queries), with_sentences=False)


def squad(path: Path, n_queries: int) -> Test:
    """A file of QA rows: find the paragraph among all of them."""
    rows = read_file(path)[0]
    texts = list(dict.fromkeys(row["context"] for row in rows))
    place = {text: i for i, text in enumerate(texts)}
    asked = [(row["question"], frozenset({place[row["context"]]})) for row in rows]
    return Test(texts, _sentences(texts), _some(asked, n_queries), with_sentences=True)


def _sentences(texts: Sequence[str]) -> list[list[tuple[int, int]]]:
    from rag.text.sentences import sentences

    return [sentences(text) for text in texts]


def own_questions(questions: Path, corpus: Path) -> Test:
    """Development questions over a folder of documents: find a passage that holds some of their evidence."""
    from rag.loaders import find_files, load
    from rag.passages import split
    from rag.passages.header import passage_context, sentences_in_context
    from rag.settings import PassageSettings

    places = [
        (path, passage, passage_context(document, passage))
        for path in find_files([corpus])[0]
        for document in [load(path)]
        for passage in split(document, PassageSettings())
        if passage.boilerplate is None
    ]
    asked = []
    for file in sorted(questions.glob("*.jsonl")) if questions.is_dir() else [questions]:
        for row in map(json.loads, file.read_text("utf-8").splitlines()):
            wanted = [evidence for need in row["evidence"] for evidence in need["any_of"]]
            found = frozenset(
                i
                for i, (path, passage, _) in enumerate(places)
                if any(_holds(path, passage, evidence) for evidence in wanted)
            )
            if row["split"] == "dev" and found:
                asked.append((row.get("standalone") or row["question"], found))
    spans = [sentences_in_context(context, passage) for _, passage, context in places]
    return Test([context for _, _, context in places], spans, asked, with_sentences=True)


def _holds(path: Path, passage: Any, evidence: Any) -> bool:
    """Whether the passage of that file holds the evidence: a quote, or characters of the document."""
    if not path.as_posix().endswith("/" + evidence["document"]):
        return False
    if "quote" in evidence:
        return " ".join(evidence["quote"].split()) in " ".join(passage.text.split())
    return bool(passage.start <= evidence["start"] and evidence["end"] <= passage.end)


def _some(asked: list[Any], n: int) -> list[Any]:
    return random.Random(SEED).sample(asked, n) if 0 < n < len(asked) else asked


def scores(test: Test, encoder: Any) -> dict[str, float]:
    """MRR@10 and hits of the vectors alone and of the fusion; of those DEPTH the reader begins all."""
    import numpy as np

    from embeddings.index import VectorIndex
    from embeddings.spans import encode_spans
    from rag.records import Passage
    from rag.retrieval.groups import LabelledRows
    from rag.retrieval.lexical import LexicalIndex
    from rag.retrieval.retriever import Retriever
    from rag.retrieval.sentences import SentenceScores

    beside: dict[str, Any] = {}
    vectors, of_sentences = encode_spans(encoder, test.texts, test.spans)
    if test.with_sentences:
        rows = np.repeat(np.arange(len(test.texts)), [len(some) for some in test.spans])
        beside["sentences"] = SentenceScores.of(of_sentences, rows, len(test.texts))
    retriever = Retriever(
        encoder,
        VectorIndex.build(vectors),
        LexicalIndex.build(test.texts),
        LabelledRows(range(len(test.texts))),
        lambda rows: [Passage(str(row), 0, len(test.texts[row]), test.texts[row]) for row in rows],
        **beside,
    )
    asked = encoder.encode([query for query, _ in test.queries], kind="query")
    dense: list[float] = []
    fused: list[float] = []
    for vector, (query, wanted) in zip(asked, test.queries, strict=True):
        by_vector = np.argsort(-(vectors @ vector), kind="stable")[:100].tolist()
        dense.append(_place(by_vector, wanted))
        fused.append(_place([int(hit.passage.document_id) for hit in retriever.retrieve(query, 100)], wanted))
    figures = {"queries": float(len(dense))}
    for name, places in (("dense", dense), ("fused", fused)):
        figures[f"{name} mrr@10"] = mean(1 / place if place <= 10 else 0.0 for place in places)
        for k in (1, 5, DEPTH):
            figures[f"{name} hit@{k}"] = mean(place <= k for place in places)
    return figures


def _place(rows: Sequence[int], wanted: frozenset[int]) -> float:
    return next((place for place, row in enumerate(rows, start=1) if row in wanted), float("inf"))


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--layers", type=Path, help="safetensors in place of the shipped encoder's layers")
    parser.add_argument("--stock", action="store_true", help="the model that the shipped one grew from")
    parser.add_argument("--set", nargs="*", default=[], dest="sets", help="NAME=FOLDER of a retrieval test")
    parser.add_argument("--squad", type=Path, help="QA rows, gzipped")
    parser.add_argument("--questions", nargs="*", default=[], help="QUESTIONS=CORPUS")
    parser.add_argument("--n-queries", type=int, default=0, help="of each --set and of --squad; 0 for all")
    parser.add_argument("--threads", type=int, default=0)
    options = parser.parse_args()
    from embeddings.encoder import OpenVinoEncoder
    from embeddings.weights import BUILT_IN, STOCK, shipped

    weights = shipped(STOCK if options.stock else BUILT_IN)
    if options.layers:
        weights = replace(weights, layers=options.layers)
    encoder = OpenVinoEncoder("measured", weights, n_threads=options.threads)
    tests = [
        (questions, own_questions(Path(questions), Path(corpus)))
        for questions, _, corpus in (pair.partition("=") for pair in options.questions)
    ]
    if options.squad:
        tests.append(("squad", squad(options.squad, options.n_queries)))
    for name, _, folder in (pair.partition("=") for pair in options.sets):
        tests.append((name, retrieval_set(Path(folder), options.n_queries)))
    for name, test in tests:
        figures = {what: round(value, 4) for what, value in scores(test, encoder).items()}
        print(name, json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
