"""From ranked evidence to an answer: how far it goes, what is quoted, and what a reader of it must know."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rag.answering.calibration import Calibrator, signals
from rag.answering.disagreement import disagreements, notice
from rag.answering.evidence import Evidence
from rag.answering.question import Kind, ParsedQuestion
from rag.answering.reasons import why_abstained, why_weak
from rag.citations import cite, date_at, freshness, location
from rag.reader.base import Reader
from rag.records import Answer, Citation, Document, Freshness, Hit, Location, Ranked, Span, Status
from rag.retrieval.term_weights import TermWeights
from rag.text.dates import years_in

DocumentOf = Callable[[str], Document]  # from a document's id


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far the answer goes, how sure that is (0..1), the numbers it rests on, and why no further."""

    status: Status
    confidence: float
    signals: Mapping[str, float]
    reason: str | None


def judge(
    question: ParsedQuestion, ranked: Sequence[Evidence], calibrator: Calibrator, weights: TermWeights
) -> Verdict:
    """What may be said of the evidence, best first.

    Whatever the confidence, a sentence that states no reason does not answer why. Below the threshold the
    answer is weak where the documents speak of the matter, and no answer where they do not.
    """
    if not ranked:
        return Verdict(Status.ABSTAINED, 0.0, {}, "There are no passages to search.")
    read = [evidence for evidence in ranked if evidence.reading.finished]
    numbers = signals(question, read, weights)
    confidence = calibrator.confidence(numbers)
    quotable = any(evidence.marks for evidence in ranked)
    if (
        quotable
        and confidence >= calibrator.answered
        and (question.kind is not Kind.WHY or numbers["reason_stated"])
    ):
        return Verdict(Status.ANSWERED, confidence, numbers, None)
    if quotable and calibrator.subject_is_here(numbers):
        missing = question.years - years_in(read[0].context)
        why = why_weak(question.kind, missing, question.unknown, question.language)
        return Verdict(Status.WEAK, confidence, numbers, why)
    return Verdict(Status.ABSTAINED, confidence, numbers, why_abstained(question.unknown))


def compose(
    question: ParsedQuestion,
    verdict: Verdict,
    chosen: Sequence[Evidence],
    hits: tuple[Hit, ...],
    notices: Sequence[str],
    document_of: DocumentOf,
    reader: Reader,
) -> Answer:
    """The answer: what was chosen as citations, with the notices it needs beside those given.

    Evidence of change over time stands in order of its documents' or messages' dates.
    """
    if question.kind is Kind.CHANGE:
        chosen = sorted(chosen, key=_dated)
    citations = tuple(citation(evidence, document_of) for evidence in chosen)
    pairs = disagreements(question, chosen, reader)
    return Answer(
        question=question.text,
        status=verdict.status,
        confidence=verdict.confidence,
        reason=verdict.reason,
        spans=tuple(
            Span(evidence.hit.passage, mark.start, mark.end, mark.score)
            for evidence in chosen
            for mark in evidence.marks
        ),
        citations=citations,
        hits=hits,
        notices=(
            *notices,
            *(notice(question.kind, chosen[i], chosen[j], question.language) for i, j in pairs),
            *_stale(citations),
        ),
        disagreements=tuple(pairs),
        signals=verdict.signals,
    )


def _dated(evidence: Evidence) -> str:
    """What orders evidence by its date; what has none comes last."""
    return date_at(evidence.document, evidence.hit.passage.start + evidence.quote[0]) or "9999"


def citation(evidence: Evidence, document_of: DocumentOf) -> Citation:
    """The quotation where it stands, with every other place that has the same words."""
    start, end = evidence.quote
    also_in: list[Location] = []
    for twin in evidence.hit.duplicates:
        at = twin.text.find(evidence.quoted)
        a, b = (at, at + end - start) if at >= 0 else (0, len(twin.text))
        also_in.append(location(document_of(twin.document_id), twin.start + a, twin.start + b))
    return cite(
        evidence.document,
        evidence.hit.passage,
        evidence.quote,
        [(mark.start, mark.end) for mark in evidence.marks],
        score=evidence.reading.relevance,
        fresh=freshness(evidence.document.path, evidence.document.sha256),
        also_in=also_in,
    )


def as_ranked(ranked: Sequence[Evidence], reader: str, k: int) -> tuple[Hit, ...]:
    """The k best hits in order of rank score, with the fused list's and the reader's places added."""
    by_reader = sorted(ranked, key=lambda e: (not e.reading.finished, -e.reading.relevance))
    readers_place = {evidence.hit.row: place for place, evidence in enumerate(by_reader, start=1)}
    return tuple(
        replace(
            evidence.hit,
            score=evidence.rank_score,
            ranker="rank_score",
            ranked=(
                *evidence.hit.ranked,
                Ranked("fused", evidence.place, evidence.hit.score),
                Ranked(reader, readers_place[evidence.hit.row], evidence.reading.relevance),
            ),
        )
        for evidence in ranked[:k]
    )


_STALE = {
    Freshness.EDITED: "{} has been edited since it was indexed; the quotation is from the indexed text.",
    Freshness.MISSING: "{} is no longer where it was indexed; the quotation is from the indexed text.",
    Freshness.UNREADABLE: "{} cannot be read now; the quotation is from the indexed text.",
}


def _stale(citations: Sequence[Citation]) -> list[str]:
    """A notice for each cited file that is no longer what was indexed."""
    stale = {c.document: c.freshness for c in citations if c.freshness is not Freshness.UNCHANGED}
    return [_STALE[freshness].format(Path(path).name) for path, freshness in stale.items()]
