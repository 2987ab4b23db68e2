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
from rag.calibration import Calibrator, Seen, Terms, load_calibrator, signals
from rag.citations import cite, freshness, location
from rag.context import long_date, passage_context, passage_header
from rag.disagreement import disagreements
from rag.encoders import load_encoder
from rag.errors import EncoderMismatchError
from rag.evidence import N_EVIDENCE, Evidence, draft, select, worth
from rag.kinds import Kind, as_of_in, kind_of, last_day, years_in
from rag.lexical import terms
from rag.question import usable_question
from rag.reader import open_reader
from rag.reading import Candidate, Reader
from rag.reasons import why_abstained, why_weak
from rag.records import Answer, Citation, Document, Freshness, Hit, Location, Ranked, Span, Status
from rag.retriever import Found, Retriever
from rag.sentences import sentences
from rag.settings import Settings, load_settings
from rag.store import Store

Rows = NDArray[np.int64]

N_RELATED = 1  # passages about the same matter shown with a weak answer, beside the nearest
# Beside the nearest evidence of a weak answer stands only what holds at least this share of the question's
# words that it holds: what merely sounds like an answer would be taken for one.
LEAST_SPOKEN = 0.5


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
        return self._hits(self._retriever.retrieve(query, k, allowed=allowed))

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
        found = self._retriever.retrieve(question, n_candidates, allowed=allowed, timings_ms=timings)
        hits = self._hits(found)
        clock = time.perf_counter()
        answer = self._answer(question, hits, allowed, notices, k, timings)
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

    def _hits(self, found: Sequence[Found]) -> list[Hit]:
        """Hits with their passages, and with what each ranker said."""
        wanted = [row for item in found for row in (item.row, *item.duplicates)]
        passages = dict(zip(wanted, self.store.passages(wanted), strict=True))
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

    def _document(self, hit: Hit) -> Document:
        return self.store.document(hit.passage.document_id)

    def _drafts(self, question: str, kind: Kind, hits: Sequence[Hit]) -> list[tuple[Evidence, str]]:
        """Each hit read, as evidence with its context, best first; ties keep the retriever's order."""
        candidates = [
            Candidate(hit.passage.text, passage_header(self._document(hit), hit.passage)) for hit in hits
        ]
        readings = self._reader.read(question, candidates)
        drafts = []
        for hit, reading in zip(hits, readings, strict=True):
            evidence = draft(kind, hit, reading, sentences)
            context = passage_context(self._document(hit), hit.passage)
            coverage = self._terms.coverage(question, context), self._spoken(question, evidence)
            drafts.append((replace(evidence, worth=worth(hit, reading, *coverage)), context))
        return sorted(drafts, key=lambda item: -item[0].worth)

    def _spoken(self, question: str, evidence: Evidence) -> float:
        """The weighted share of the question's words in the quotation and the passage's header, 0..1."""
        passage = evidence.hit.passage
        quote = passage.text[slice(*evidence.quote)]
        return self._terms.coverage(
            question, f"{passage_header(self._document(evidence.hit), passage)} {quote}"
        )

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
        read = self._drafts(question, kind, hits)
        timings["read"] = (time.perf_counter() - clock) * 1e3
        drafts = [evidence for evidence, _ in read]
        place = {hit.row: rank for rank, hit in enumerate(hits, start=1)}
        seen = [_seen(evidence, place[evidence.hit.row], context) for evidence, context in read]
        found = signals(question, kind, seen, self._terms)
        confidence = self._calibrator.confidence(found)
        chosen = select(drafts)
        ranked = _as_read(drafts, place, self._reader.name)[:k]
        answered = confidence >= self._calibrator.answered
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
            chosen = self._with_related(question, kind, chosen, allowed)
        elif kind is Kind.CHANGE:
            chosen = [chosen[0], *sorted(chosen[1:], key=lambda e: self._document(e.hit).date or "9999")]
        citations = tuple(self._cite(evidence) for evidence in chosen)
        pairs = disagreements(kind, chosen)
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

    def _with_related(
        self, question: str, kind: Kind, chosen: Sequence[Evidence], allowed: Rows | None
    ) -> list[Evidence]:
        """The nearest evidence, and what the documents say elsewhere about the same matter.

        Where nothing answers, the best quotation is a better query than the question: it has the documents'
        own words for what was asked about.
        """
        first, *others = chosen
        rows = {evidence.hit.row for evidence in chosen}
        quote = first.hit.passage.text[slice(*first.quote)]
        found = self._retriever.related(quote, N_RELATED + len(rows), allowed=allowed)
        hits = [hit for hit in self._hits(found) if hit.row not in rows][:N_RELATED]
        related = [evidence for evidence, _ in self._drafts(question, kind, hits) if evidence.marks]
        least = LEAST_SPOKEN * self._spoken(question, first)
        beside = [evidence for evidence in others if self._spoken(question, evidence) >= least]
        return [first, *related, *beside][:N_EVIDENCE]

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
    return Seen(evidence.hit, evidence.reading.relevance, context, mark, scores, found_at)


def _as_read(drafts: Sequence[Evidence], place: Mapping[int, int], reader: str) -> tuple[Hit, ...]:
    """The hits in order of worth, with the fused list's and the reader's word added."""
    by_reader = sorted(drafts, key=lambda evidence: -evidence.reading.relevance)
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
    stale = {c.document: c.freshness for c in citations if c.freshness is not Freshness.UNCHANGED}
    return [said[how].format(Path(path).name) for path, how in stale.items()]
