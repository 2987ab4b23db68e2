"""From retrieved passages to ranked evidence: read, quoted, scored; and what else speaks of its matter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rag.answering.evidence import Evidence, quotation, select
from rag.answering.question import Kind, ParsedQuestion
from rag.passages.header import passage_header, under_header
from rag.reader.base import Candidate, Reader, Reading
from rag.records import Hit, Status
from rag.retrieval.retriever import Retriever
from rag.retrieval.term_weights import TermWeights
from rag.settings import RANKING
from rag.store import Store

Rows = NDArray[np.int64]


class EvidenceRanker:
    """Reads the hits of one store and puts what they hold in order."""

    def __init__(self, store: Store, retriever: Retriever, reader: Reader, weights: TermWeights) -> None:
        self._store = store
        self._retriever = retriever
        self._reader = reader
        self._weights = weights

    def rank(self, question: ParsedQuestion, hits: Sequence[Hit]) -> list[Evidence]:
        """Each hit read, as evidence, best first; ties keep the retriever's order.

        What the reader left off early comes after all that it read to the end.
        """
        documents = [self._store.document(hit.passage.document_id) for hit in hits]
        headers = [
            passage_header(document, hit.passage, question.language)
            for document, hit in zip(documents, hits, strict=True)
        ]
        readings = self._reader.read(
            question.plain,
            [
                Candidate(hit.passage.text, header, RANKING.prior_weight * hit.score)
                for hit, header in zip(hits, headers, strict=True)
            ],
            thorough=question.kind is Kind.WHY,  # what decides is whether a reason is stated anywhere
        )
        evidence = []
        for place, (hit, document, header, reading) in enumerate(
            zip(hits, documents, headers, readings, strict=True), start=1
        ):
            quote, marks = quotation(question.kind, hit.passage.text, reading, question.language)
            context = under_header(header, hit.passage)
            quoted = f"{header} {hit.passage.text[slice(*quote)]}"
            coverage = self._weights.coverage(question.terms, quoted)
            passage_coverage = self._weights.coverage(question.terms, context)
            evidence.append(
                Evidence(
                    hit=hit,
                    document=document,
                    reading=reading,
                    quote=quote,
                    marks=marks,
                    place=place,
                    header=header,
                    context=context,
                    coverage=coverage,
                    passage_coverage=passage_coverage,
                    rank_score=rank_score(hit, reading, passage_coverage, coverage),
                )
            )
        return in_order(evidence)

    def choose(
        self, question: ParsedQuestion, ranked: Sequence[Evidence], status: Status, allowed: Rows | None
    ) -> list[Evidence]:
        """What to quote: of an answer the best; else the nearest, and what is said elsewhere of its matter.

        Nothing where the question is not answered at all. Of a weak answer the best quotation is a better
        query than the question: it has the documents' own words for what was asked about. What repeats a
        quotation shown is left out.
        """
        if status is Status.ABSTAINED:
            return []
        if status is Status.ANSWERED:
            return select(ranked)
        nearest, *others = [evidence for evidence in ranked if evidence.marks]
        found = self._retriever.related(nearest.quoted, RANKING.n_related + 1, allowed=allowed)
        hits = [hit for hit in found if hit.row != nearest.hit.row][: RANKING.n_related]
        related = [evidence for evidence in self.rank(question, hits) if evidence.marks] if hits else []
        least = RANKING.least_coverage_share * nearest.coverage
        chosen = [nearest]
        for evidence in (*related, *(e for e in others if e.coverage >= least)):
            if len(chosen) < RANKING.n_evidence and not any(self._repeats(evidence, e) for e in chosen):
                chosen.append(evidence)
        return chosen

    def _repeats(self, evidence: Evidence, shown: Evidence) -> bool:
        """Whether a quotation and one that is shown are mostly made of the same words."""
        here, there = evidence.quoted, shown.quoted
        shared = self._weights.coverage(self._weights.of(here), there)
        return max(shared, self._weights.coverage(self._weights.of(there), here)) >= RANKING.repeated


def rank_score(hit: Hit, reading: Reading, passage_coverage: float, coverage: float) -> float:
    """What evidence is ordered by, in logits: relevance, and a little of what else speaks for a passage.

    The coverages are shares, 0..1.

    >>> from rag.reader.base import Mark
    >>> from rag.records import Passage
    >>> passage = Passage("d", 0, 4, "text")
    >>> rank_score(Hit(passage, 0, 0.1, "fused"), Reading(1.0, (Mark(0, 4, 5.0),)), 1.0, 0.5)
    7.0
    """
    mark = reading.marks[0].score if reading.marks else 0.0
    return (
        reading.relevance
        + RANKING.mark_weight * mark
        + RANKING.fused_weight * hit.score
        + RANKING.passage_coverage_weight * passage_coverage
        + RANKING.quote_coverage_weight * coverage
    )


def in_order(evidence: Sequence[Evidence]) -> list[Evidence]:
    """Evidence best first, what was read to its end before the rest.

    A first opinion does not compare with a reading: its scale is moved under the others.
    """
    finished = [each for each in evidence if each.reading.finished]
    left = [each for each in evidence if not each.reading.finished]
    if finished and left:
        lowest = min(each.rank_score for each in finished)
        above = max(0.0, max(each.rank_score for each in left) - lowest)
        left = [replace(each, rank_score=min(lowest, each.rank_score - above)) for each in left]
    return [part for parts in (finished, left) for part in sorted(parts, key=lambda each: -each.rank_score)]
