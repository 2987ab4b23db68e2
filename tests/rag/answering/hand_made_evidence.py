"""Evidence made by hand, small enough to check by eye."""

from __future__ import annotations

from rag.answering.evidence import Evidence, quotation
from rag.answering.question import Kind, ParsedQuestion, parse
from rag.reader.base import Mark, Reading
from rag.records import Document, Hit, Passage, Ranked
from rag.retrieval.term_weights import TermWeights

FREQUENCY = {"trust": 50, "council": 20, "decommission": 1}
WEIGHTS = TermWeights(str.split, lambda term: FREQUENCY.get(term, 0), 100)


def question(text: str) -> ParsedQuestion:
    return parse(text, WEIGHTS, max_chars=1000)


def evidence(
    text: str,
    *,
    kind: Kind = Kind.WHAT,
    document: str = "d",
    row: int = 0,
    relevance: float = 2.0,
    rank_score: float = 0.0,
    coverage: float = 1.0,
) -> Evidence:
    """Evidence from a text whose marked words stand in brackets, the best first."""
    marks, plain = [], ""
    for number, part in enumerate(text.replace("]", "[").split("[")):
        if number % 2:
            marks.append(Mark(len(plain), len(plain) + len(part), 3.0 - number))
        plain += part
    hit = Hit(
        Passage(document, 0, len(plain), plain),
        row,
        0.1,
        "fused",
        (Ranked("dense", 1, 0.5), Ranked("sentences", 1, 0.6)),
    )
    quote, shown = quotation(kind, plain, Reading(relevance, tuple(marks)))
    return Evidence(
        hit,
        Document(document, f"/{document}.txt", "", "text/plain", plain),
        Reading(relevance, tuple(marks)),
        quote,
        shown,
        context=plain,
        coverage=coverage,
        passage_coverage=coverage,
        rank_score=rank_score,
    )
