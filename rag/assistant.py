"""The assistant: a question in, a cited answer out. The only room that knows every stage of asking."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType, TracebackType

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Encoder
from rag.answering.calibration import Calibrator, Seen, load_calibrator, signals
from rag.answering.disagreement import disagreements
from rag.answering.evidence import Evidence, select
from rag.answering.question import Kind, as_of_in, in_plain_words, kind_of, usable_question
from rag.answering.ranking import Gatherer
from rag.answering.reasons import why_abstained, why_weak
from rag.citations import cite, freshness, location
from rag.errors import EncoderMismatchError
from rag.reader import open_reader
from rag.reader.base import Reader
from rag.records import (
    Answer,
    Citation,
    Document,
    Freshness,
    Hit,
    Location,
    Ranked,
    Span,
    Status,
)
from rag.retrieval.encoder import load_encoder
from rag.retrieval.retriever import Retriever
from rag.retrieval.term_weights import Terms
from rag.settings import Settings, load_settings
from rag.store import Store
from rag.text.dates import last_day, long_date, years_in
from rag.text.terms import terms

Rows = NDArray[np.int64]


class Assistant:
    """Answers questions from one generation of one store.

    It keeps the generation it opened: a later indexing run is seen by opening it again. Use it as a context
    manager, or call ``close``.
    """

    def __init__(
        self, store: Store, encoder: Encoder, reader: Reader, calibrator: Calibrator, settings: Settings
    ) -> None:
        if store.manifest.encoder_fingerprint != encoder.fingerprint:
            raise EncoderMismatchError(
                f"the store was built with encoder {store.manifest.encoder_name!r}, "
                f"which is not the {encoder.name!r} now set (or its weights or prefixes differ)",
                "rag index --rebuild",
            )
        self.store = store
        self._reader = reader
        self._calibrator = calibrator
        self._settings = settings
        self._retriever = Retriever(
            encoder,
            store.vectors,
            store.lexical,
            store.groups,
            sentences=store.views.get("sentences"),
            sentence_rows=store.view_rows.get("sentences"),
            rrf_k=settings.retrieval.rrf_k,
        )
        language = settings.passages.language
        self._terms = Terms(
            lambda text: terms(text, language), store.lexical.document_frequency, store.n_passages
        )
        self._gatherer = Gatherer(store, self._retriever, reader, self._terms)
        self._about_store = MappingProxyType(
            {
                "generation": store.manifest.generation,
                "encoder": encoder.name,
                "reader": reader.name,
                "created": store.manifest.created,
            }
        )

    @classmethod
    def open(cls, store: str | Path | None = None, *, settings: Settings | None = None) -> Assistant:
        """An assistant over the store at a path, by default the user's own.

        Raises StoreError where there is none or it cannot be trusted, WeightsError where a model is missing.
        """
        settings = settings or load_settings({} if store is None else {"store": store}).settings
        path = settings.store if store is None else Path(store)
        opened = Store.open(path)
        encoder = load_encoder(settings.encoder, n_threads=settings.reader.threads)
        reader = open_reader(settings.reader, encoder)
        return cls(opened, encoder, reader, load_calibrator(reader.name), replace(settings, store=path))

    def answer_always(self) -> None:
        """Give every question its nearest evidence from now on, however doubtful: for measuring only."""
        self._calibrator = replace(self._calibrator, answered=0.0)

    def close(self) -> None:
        """Let go of the store's files."""
        self.store.close()

    def __enter__(self) -> Assistant:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def search(
        self,
        query: str,
        *,
        k: int | None = None,
        after: str | None = None,
        before: str | None = None,
        inside: str | None = None,
    ) -> list[Hit]:
        """The k nearest passages as the retriever ranks them, best first; nothing is read."""
        query = usable_question(query, self._settings.retrieval.max_question_chars)
        allowed = self._allowed(after, before, inside)
        k = self._settings.retrieval.k if k is None else k
        return self._gatherer.hits(self._retriever.retrieve(query, k, allowed=allowed))

    def ask_many(self, questions: Iterable[str]) -> Iterator[Answer]:
        """An answer a question, in order: a batch is so many single questions."""
        for question in questions:
            yield self.ask(question)

    def ask(
        self,
        question: str,
        *,
        k: int | None = None,
        after: str | None = None,
        before: str | None = None,
        inside: str | None = None,
        as_of: str | None = None,
    ) -> Answer:
        """What the documents say to a question, in their own words.

        ``after`` and ``before`` are ISO dates of documents, ``inside`` a glob on their paths. ``as_of`` (also
        read from the question: "as of 2016") leaves out documents dated later, save where they name the year.
        """
        began = time.perf_counter()
        question = usable_question(question, self._settings.retrieval.max_question_chars)
        k = self._settings.retrieval.k if k is None else k
        timings: dict[str, float] = {}
        notices: list[str] = []
        allowed = self._allowed(after, before, inside)
        allowed = self._held_by(last_day(as_of) if as_of else as_of_in(question), allowed, notices)
        n_candidates = max(k, self._settings.retrieval.n_candidates)
        asked = in_plain_words(question)
        found = self._retriever.retrieve(asked, n_candidates, allowed=allowed, timings_ms=timings)
        hits = self._gatherer.hits(found)
        clock = time.perf_counter()
        answer = replace(self._answer(asked, hits, allowed, notices, k, timings), question=question)
        timings["cite"] = (time.perf_counter() - clock) * 1e3 - timings.get("read", 0.0)
        timings["total"] = (time.perf_counter() - began) * 1e3
        return replace(answer, timings_ms=MappingProxyType(timings), store=self._about_store)

    def _allowed(self, after: str | None, before: str | None, inside: str | None) -> Rows | None:
        if after is None and before is None and inside is None:
            return None
        return self.store.allowed(after=after, before=before, inside=inside).rows

    def _held_by(self, day: str | None, allowed: Rows | None, notices: list[str]) -> Rows | None:
        """The rows that can tell how things stood on ``day``; as they were, with a notice, if none can.

        Those are the passages of documents not dated later, and of later ones where they name the year.
        """
        if day is None:
            return allowed
        held = [d.id for d in self.store.documents() if d.date is None or d.date <= day]
        _, looking_back = self.store.lexical.search(day[:4], self.store.n_passages)
        rows = np.union1d(self.store.document_rows(held), looking_back)
        rows = rows if allowed is None else np.intersect1d(rows, allowed)
        if not len(rows):
            notices.append(f"No document is dated {long_date(day)} or earlier; all were read.")
            return allowed
        return rows

    def _document(self, hit: Hit) -> Document:
        return self.store.document(hit.passage.document_id)

    def _answer(
        self,
        question: str,
        hits: Sequence[Hit],
        allowed: Rows | None,
        notices: list[str],
        k: int,
        timings: dict[str, float],
    ) -> Answer:
        if not hits:
            return Answer(
                question, Status.ABSTAINED, 0.0, "There are no passages to search.", notices=tuple(notices)
            )
        kind = kind_of(question)
        clock = time.perf_counter()
        read = self._gatherer.drafts(question, kind, hits)
        timings["read"] = (time.perf_counter() - clock) * 1e3
        drafts = [evidence for evidence, _ in read]
        place = {hit.row: rank for rank, hit in enumerate(hits, start=1)}
        seen = [
            _seen(evidence, place[evidence.hit.row], context)
            for evidence, context in read
            if evidence.reading.finished
        ]
        found = signals(question, kind, seen, self._terms)
        confidence = self._calibrator.confidence(found)
        chosen = select(drafts)
        ranked = _as_read(drafts, place, self._reader.name)[:k]
        # whatever the confidence: a sentence that states no reason does not answer why
        answered = confidence >= self._calibrator.answered and (
            kind is not Kind.WHY or found["reason_stated"] > 0
        )
        missing = years_in(question) - years_in(seen[0].context)
        unknown = self._terms.unknown(question)
        if not chosen or not (answered or self._calibrator.subject_is_here(found)):
            return Answer(
                question=question,
                status=Status.ABSTAINED,
                confidence=confidence,
                reason=why_abstained(unknown),
                hits=ranked,
                notices=tuple(notices),
                signals=found,
            )
        if not answered:
            clock = time.perf_counter()
            chosen = self._gatherer.with_related(question, kind, drafts, allowed)
            timings["read"] += (time.perf_counter() - clock) * 1e3
        if kind is Kind.CHANGE:
            chosen = sorted(chosen, key=lambda e: self._document(e.hit).date or "9999")
        citations = tuple(self._cite(evidence) for evidence in chosen)
        pairs = disagreements(
            kind, chosen, [self._gatherer.spoken(question, evidence) for evidence in chosen]
        )
        notices += [self._disagreement(kind, chosen[i], chosen[j]) for i, j in pairs]
        notices += _stale(citations)
        return Answer(
            question=question,
            status=Status.ANSWERED if answered else Status.WEAK,
            confidence=confidence,
            reason=None if answered else why_weak(kind, missing, unknown),
            spans=tuple(
                Span(evidence.hit.passage, mark.start, mark.end, mark.score)
                for evidence in chosen
                for mark in evidence.marks
            ),
            citations=citations,
            hits=ranked,
            notices=tuple(notices),
            disagreements=tuple(pairs),
            signals=found,
        )

    def _cite(self, evidence: Evidence) -> Citation:
        document = self._document(evidence.hit)
        start, end = evidence.quote
        also_in: list[Location] = []
        for twin in evidence.hit.duplicates:
            other = self.store.document(twin.document_id)
            at = twin.text.find(evidence.hit.passage.text[start:end])
            a, b = (at, at + end - start) if at >= 0 else (0, len(twin.text))
            also_in.append(location(other, twin.start + a, twin.start + b))
        return cite(
            document,
            evidence.hit.passage,
            evidence.quote,
            [(mark.start, mark.end) for mark in evidence.marks],
            score=evidence.reading.relevance,
            fresh=freshness(document.path, document.sha256),
            also_in=also_in,
        )

    def _disagreement(self, kind: Kind, *pair: Evidence) -> str:
        sides = []
        for evidence in pair:
            document, mark = self._document(evidence.hit), evidence.marks[0]
            words = evidence.hit.passage.text[mark.start : mark.end]
            dated = long_date(document.date) if document.date else "undated"
            sides.append(f"“{' '.join(words.split())}” ({Path(document.path).name}, {dated})")
        said = "The documents name different people" if kind is Kind.WHO else "The documents may disagree"
        return f"{said}: {sides[0]}, but {sides[1]}."


def _seen(evidence: Evidence, found_at: int, context: str) -> Seen:
    marks = evidence.reading.marks
    mark = evidence.hit.passage.text[marks[0].start : marks[0].end] if marks else ""
    scores = tuple(each.score for each in marks)
    quote = evidence.hit.passage.text[slice(*evidence.quote)]
    return Seen(evidence.hit, evidence.reading.relevance, context, mark, scores, found_at, quote)


def _as_read(drafts: Sequence[Evidence], place: Mapping[int, int], reader: str) -> tuple[Hit, ...]:
    """The hits in order of worth, with the fused list's and the reader's word added."""
    by_reader = sorted(drafts, key=lambda e: (not e.reading.finished, -e.reading.relevance))
    rank = {evidence.hit.row: number for number, evidence in enumerate(by_reader, start=1)}
    return tuple(
        replace(
            evidence.hit,
            score=evidence.worth,
            ranker="worth",
            ranked=(
                *evidence.hit.ranked,
                Ranked("fused", place[evidence.hit.row], evidence.hit.score),
                Ranked(reader, rank[evidence.hit.row], evidence.reading.relevance),
            ),
        )
        for evidence in drafts
    )


def _stale(citations: Sequence[Citation]) -> list[str]:
    """A notice for each cited file that is no longer what was indexed."""
    said = {
        Freshness.EDITED: "{} has been edited since it was indexed; the quotation is from the indexed text.",
        Freshness.MISSING: "{} is no longer where it was indexed; the quotation is from the indexed text.",
    }
    said[Freshness.UNREADABLE] = "{} cannot be read now; the quotation is from the indexed text."
    stale = {c.document: c.freshness for c in citations if c.freshness is not Freshness.UNCHANGED}
    return [said[how].format(Path(path).name) for path, how in stale.items()]
