"""The assistant: a question in, a cited answer out. The only room that knows every stage of asking."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Encoder
from rag.answering.answer import as_ranked, compose, judge
from rag.answering.calibration import Calibrator
from rag.answering.question import ParsedQuestion, parse, usable_question
from rag.answering.ranking import EvidenceRanker
from rag.answering.store_calibration import calibrator_of
from rag.errors import ClusterError
from rag.reader import open_reader
from rag.reader.base import Reader
from rag.records import EXTRACTOR_CHARS, Answer, Hit
from rag.retrieval.clock import StageClock
from rag.retrieval.encoder import load_encoder
from rag.retrieval.retriever import Retriever
from rag.retrieval.term_weights import TermWeights
from rag.settings import Settings, load_settings
from rag.store import Store
from rag.text.dates import long_date
from rag.text.language import load_language
from rag.text.terms import terms

if TYPE_CHECKING:
    from rag.cluster.shards import Shards

Rows = NDArray[np.int64]


class Assistant:
    """Answers questions from one generation of one store.

    It keeps the generation it opened: a later indexing run is seen by opening it again. Use it as a context
    manager, or call ``close``.
    """

    def __init__(
        self,
        store: Store,
        encoder: Encoder,
        reader: Reader,
        calibrator: Calibrator,
        settings: Settings,
        *,
        shards: Shards | None = None,
    ) -> None:
        """``shards`` search the store where it is searched on several machines."""
        store.check_encoder(encoder.name, encoder.fingerprint)
        self.store = store
        self._encoder = encoder
        self._shards = shards
        self._reader = reader
        self._calibrator = calibrator
        self._settings = settings
        self._retriever = Retriever(
            encoder,
            store.vectors if shards is None else shards.vectors,
            store.lexical if shards is None else shards.lexical,
            store,
            store.passages,
            sentences=store.sentences if shards is None else shards.sentences,
            rrf_k=settings.retrieval.rrf_k,
        )
        language = self._language = load_language(settings.passages.language)
        # No reference to itself: a closed assistant lets its models go at once.
        self._weights = TermWeights(
            lambda text: terms(text, language), store.lexical.document_frequency, store.lexical.n
        )
        self._ranker = EvidenceRanker(store, self._retriever, reader, self._weights)
        self._about_store = MappingProxyType(
            {
                "generation": store.manifest.generation,
                "encoder": encoder.name,
                "reader": reader.name,
                "created": store.manifest.created,
                "extractor": store.manifest.rules[:EXTRACTOR_CHARS],
            }
        )

    @classmethod
    def open(
        cls,
        store: str | Path | None = None,
        *,
        at: str | None = None,
        settings: Settings | None = None,
        calibrator: Calibrator | None = None,
    ) -> Assistant:
        """An assistant over the store at a path, by default the user's own; ``at``: over what a tag keeps.

        ``calibrator`` says how sure an answer must be, by default the store's own, else the one shipped with
        the reader. Raises StoreError where there is no store or it cannot be trusted, WeightsError where a
        model is missing.
        """
        settings = settings or load_settings({} if store is None else {"store": store}).settings
        path = settings.store if store is None else Path(store)
        opened = Store.open(path, at=at)
        with ThreadPoolExecutor(1) as pool:  # the two networks are compiled side by side: a third of a start
            loading = pool.submit(load_encoder, settings.encoder, n_threads=settings.reader.threads)
            reader = open_reader(settings.reader, loading.result)
            encoder = loading.result()
        calibrator = calibrator or calibrator_of(path, reader.name, reader.fingerprint, encoder.fingerprint)
        settings = replace(settings, store=path)
        if not settings.ray.address:
            return cls(opened, encoder, reader, calibrator, settings)
        from rag.cluster.shards import Shards

        shards = Shards(opened, settings.ray)
        return cls(opened, encoder, reader, calibrator, settings, shards=shards)

    @property
    def shards(self) -> str | None:
        """How many shards answered what this thread asked last, as in "2/3"; None without a cluster."""
        return None if self._shards is None else f"{self._shards.answered()}/{self._shards.n}"

    def at(self, tag: str) -> Assistant:
        """Another assistant, with the same models, over the generation that a tag of the store keeps."""
        tagged = Store.open(self.store.path, at=tag)
        try:
            return Assistant(tagged, self._encoder, self._reader, self._calibrator, self._settings)
        except BaseException:
            tagged.close()
            raise

    def close(self) -> None:
        """Let go of the store's files, and of the shards."""
        if self._shards is not None:
            self._shards.close()
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
        whole: bool = False,
    ) -> list[Hit]:
        """The k nearest passages as the retriever ranks them, best first; nothing is read.

        With ``whole``, for those who conclude from what is not found, ClusterError where a shard is lost.
        """
        query = usable_question(query, self._settings.retrieval.max_question_chars)
        if self._shards is not None:
            self._shards.begin()
        allowed = self.store.allowed(after=after, before=before, inside=inside).rows
        hits = self._retriever.retrieve(
            query, self._settings.retrieval.k if k is None else k, allowed=allowed
        )
        if whole and (lost := self._lost()):
            raise ClusterError(lost[0], "run the command again")
        return hits

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
        clock = StageClock()
        if self._shards is not None:
            self._shards.begin()
        k = self._settings.retrieval.k if k is None else k
        parsed = parse(
            question,
            self._weights,
            max_chars=self._settings.retrieval.max_question_chars,
            as_of=as_of,
            language=self._language,
        )
        allowed, notices = self._allowed(parsed, after, before, inside)
        n_candidates = max(k, self._settings.retrieval.n_candidates)
        hits = self._retriever.retrieve(parsed.plain, n_candidates, allowed=allowed, clock=clock)
        ranked = self._ranker.rank(parsed, hits)
        clock.stop("read")
        verdict = judge(parsed, ranked, self._calibrator, self._weights)
        clock.stop("cite")
        chosen = self._ranker.choose(parsed, ranked, verdict.status, allowed)
        clock.stop("read")
        shown = as_ranked(ranked, self._reader.name, k)
        notices += self._lost()
        answer = compose(parsed, verdict, chosen, shown, notices, self.store.document, self._reader)
        clock.stop("cite")
        about = self._about_store if self.shards is None else {**self._about_store, "shards": self.shards}
        return replace(answer, timings_ms=MappingProxyType(clock.total()), store=MappingProxyType(about))

    def _lost(self) -> list[str]:
        """What must be said of an answer where a part of the store was not searched."""
        if self._shards is None or self._shards.answered() == self._shards.n:
            return []
        return [f"Only a part of the documents was searched (shards {self.shards}); ask again in a moment."]

    def _allowed(
        self, question: ParsedQuestion, after: str | None, before: str | None, inside: str | None
    ) -> tuple[Rows | None, list[str]]:
        """The rows that may answer (None: all), and what must be said of that.

        Where no document can tell how things stood on the day asked about, all are let through.
        """
        allowed = self.store.allowed(after=after, before=before, inside=inside, as_of=question.as_of).rows
        if question.as_of is None or allowed is None or len(allowed):
            return allowed, []
        notice = (
            f"No document is dated {long_date(question.as_of, self._language)} or earlier; all were read."
        )
        return self.store.allowed(after=after, before=before, inside=inside).rows, [notice]
