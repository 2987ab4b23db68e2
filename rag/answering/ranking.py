"""From found rows to evidence: passages fetched and read, and what else speaks of the same matter.

The store, the retriever and the reader meet here; what an answer makes of the evidence is the assistant's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rag.answering.evidence import N_EVIDENCE, Evidence, draft, worth
from rag.answering.question import Kind
from rag.passages.header import passage_context, passage_header
from rag.reader.base import Candidate, Reader
from rag.records import Document, Hit
from rag.retrieval.retriever import Found, Retriever
from rag.retrieval.term_weights import Terms
from rag.store import Store
from rag.text.sentences import sentences

Rows = NDArray[np.int64]

N_RELATED = 1  # passages about the same matter shown with a weak answer, beside the nearest
# Beside the nearest evidence of a weak answer stands only what holds at least this share of the question's
# words that it holds: what merely sounds like an answer would be taken for one.
LEAST_SPOKEN = 0.5
# What a fused score is worth beside the reader's first opinion, in logits. On development questions the first
# five of 16, 8 read to the end, held the evidence for .91 with 20 to 60, and for .85 by the opinion alone.
PRIOR_WEIGHT = 40.0
REPEATED = 0.5  # weighted share of words of a quotation from which on it says again what another says


class Gatherer:
    """Fetches, reads and drafts evidence from one store."""

    def __init__(self, store: Store, retriever: Retriever, reader: Reader, terms: Terms) -> None:
        self._store = store
        self._retriever = retriever
        self._reader = reader
        self._terms = terms

    def _document(self, hit: Hit) -> Document:
        return self._store.document(hit.passage.document_id)

    def hits(self, found: Sequence[Found]) -> list[Hit]:
        """Hits with their passages, and with what each ranker said."""
        wanted = [row for item in found for row in (item.row, *item.duplicates)]
        passages = dict(zip(wanted, self._store.passages(wanted), strict=True))
        return [
            Hit(
                passage=passages[item.row],
                row=item.row,
                score=item.score,
                ranker="fused",
                ranked=item.ranked,
                duplicates=tuple(passages[row] for row in item.duplicates),
            )
            for item in found
        ]

    def drafts(self, question: str, kind: Kind, hits: Sequence[Hit]) -> list[tuple[Evidence, str]]:
        """Each hit read, as evidence with its context, best first; ties keep the retriever's order.

        What the reader left off early comes after all that it read to the end.
        """
        readings = self._reader.read(question, self._candidates(hits))
        drafts = []
        for hit, reading in zip(hits, readings, strict=True):
            evidence = draft(kind, hit, reading, sentences)
            context = passage_context(self._document(hit), hit.passage)
            coverage = self._terms.coverage(question, context), self.spoken(question, evidence)
            drafts.append((replace(evidence, worth=worth(hit, reading, *coverage)), context))
        finished = [draft for draft in drafts if draft[0].reading.finished]
        left = [draft for draft in drafts if not draft[0].reading.finished]
        if left:
            # a first opinion does not compare with a reading: its scale is moved under the others
            lowest = min(evidence.worth for evidence, _ in finished)
            above = max(0.0, max(evidence.worth for evidence, _ in left) - lowest)
            left = [(replace(evidence, worth=evidence.worth - above), context) for evidence, context in left]
        return [
            *sorted(finished, key=lambda item: -item[0].worth),
            *sorted(left, key=lambda item: -item[0].worth),
        ]

    def spoken(self, question: str, evidence: Evidence) -> float:
        """The weighted share of the question's words in the quotation and the passage's header, 0..1."""
        passage = evidence.hit.passage
        header = passage_header(self._document(evidence.hit), passage)
        return self._terms.coverage(question, f"{header} {self._quoted(evidence)}")

    def with_related(
        self, question: str, kind: Kind, drafts: Sequence[Evidence], allowed: Rows | None
    ) -> list[Evidence]:
        """The nearest of the drafts, what is said elsewhere about the same matter, and what else is near.

        Where nothing answers, the best quotation is a better query than the question: it has the documents'
        own words for what was asked about. What says again what stands there already is left out.
        """
        first, *others = [evidence for evidence in drafts if evidence.marks]
        quote = self._quoted(first)
        found = self._retriever.related(quote, N_RELATED + 1, allowed=allowed)
        hits = [hit for hit in self.hits(found) if hit.row != first.hit.row][:N_RELATED]
        related = [evidence for evidence, _ in self.drafts(question, kind, hits) if evidence.marks]
        least = LEAST_SPOKEN * self.spoken(question, first)
        beside = [evidence for evidence in others if self.spoken(question, evidence) >= least]
        chosen = [first]
        for evidence in (*related, *beside):
            if len(chosen) < N_EVIDENCE and not any(self._repeats(evidence, shown) for shown in chosen):
                chosen.append(evidence)
        return chosen

    def _quoted(self, evidence: Evidence) -> str:
        return evidence.hit.passage.text[slice(*evidence.quote)]

    def _repeats(self, evidence: Evidence, shown: Evidence) -> bool:
        """Whether a quotation and one that is shown are mostly made of the same words."""
        one, other = self._quoted(evidence), self._quoted(shown)
        return max(self._terms.coverage(one, other), self._terms.coverage(other, one)) >= REPEATED

    def _candidates(self, hits: Sequence[Hit]) -> list[Candidate]:
        return [
            Candidate(
                hit.passage.text, passage_header(self._document(hit), hit.passage), PRIOR_WEIGHT * hit.score
            )
            for hit in hits
        ]
