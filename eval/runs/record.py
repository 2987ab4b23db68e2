"""From an answer to a row: everything that scoring needs, in places that do not depend on this machine.

A document is named by its path below the folder that holds all documents of the store.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePath
from typing import Any

from eval.questions import Question
from eval.questions.gold import GoldRange, Library, holds
from eval.runs import Place, Row
from rag.errors import LoadError, RagError
from rag.records import Answer, Citation, Document, Hit, Passage, Span, sha256_text

DEEP = 300  # places of a ranking searched for evidence that no hit held

# What a row says of an answer that was refused.
NOTHING: Row = {
    "answer": "",
    "notices": [],
    "disagreements": [],
    "spans": [],
    "citations": [],
    "hits": [],
    "trail": None,
}


class Recorder:
    """Writes rows for the answers of one store.

    ``search`` ranks passages before any is read; it is asked only where no hit holds the gold evidence.
    """

    def __init__(self, store: Any, search: Callable[..., list[Hit]], *, k: int) -> None:
        self._store = store
        self._search = search
        self._k = k
        documents: list[Document] = list(store.documents())
        self._library = Library(documents)
        self._ids = {document.path: document.id for document in documents}
        folders = [str(PurePath(document.path).parent) for document in documents]
        self._root = os.path.commonpath(folders) if folders else "/"
        self._excluded: dict[str, list[Passage]] = {}
        for passage in store.excluded():
            self._excluded.setdefault(passage.document_id, []).append(passage)
        self._passages: dict[str, list[tuple[int, Passage]]] = {}
        self._sources: dict[str, str | None] = {}

    def row(
        self, row_id: str, asked: str, question: Question, answer: Answer | RagError
    ) -> tuple[Row, dict[Place, str]]:
        """The row of an answer (or of a refusal to answer), and the texts of the passages it names."""
        pieces = self._library.pieces(question)
        texts: dict[Place, str] = {}
        head = {
            "id": row_id,
            "asked": asked,
            "type": question.type,
            "split": question.split,
            "traits": list(question.all_traits),
            "gold": [
                {
                    "relevance": piece.relevance,
                    "places": [self._gold(place, texts) for place in places],
                    "missing": [{"document": each.document, "why": each.why} for each in missing],
                }
                for piece, (places, missing) in zip(question.evidence, pieces, strict=True)
            ],
        }
        if isinstance(answer, RagError):
            return {**head, "status": "error", "confidence": 0.0, "reason": answer.message, **NOTHING}, texts
        for passage in (*(hit.passage for hit in answer.hits[: self._k]), *(s.passage for s in answer.spans)):
            texts[self._place(passage)] = passage.text
        return {
            **head,
            **self._body(asked, answer, [place for places, _ in pieces for place in places]),
        }, texts

    def _body(self, asked: str, answer: Answer, gold: Sequence[GoldRange]) -> Row:
        """What was answered, and how far the gold evidence came."""
        return {
            "status": str(answer.status),
            "confidence": round(answer.confidence, 6),
            "reason": answer.reason,
            "answer": answer.answer,
            "notices": [self._anonymous(notice) for notice in answer.notices],
            "disagreements": [list(pair) for pair in answer.disagreements],
            "spans": [self._span(span) for span in answer.spans],
            "citations": [self._citation(citation) for citation in answer.citations],
            "hits": [self._hit(hit) for hit in answer.hits[: self._k]],
            "trail": self._trail(asked, answer.hits, gold) if gold else None,
        }

    def _span(self, span: Span) -> Row:
        return {
            "document": self._name(span.passage.document_id),
            "start": span.passage.start + span.start,
            "end": span.passage.start + span.end,
            "score": _rounded(span.score),
        }

    def _name(self, document_id: str) -> str:
        return PurePath(os.path.relpath(self._library.document(document_id).path, self._root)).as_posix()

    def _anonymous(self, notice: str) -> str:
        return notice.replace(self._root, "")

    def _place(self, passage: Passage) -> Place:
        return self._name(passage.document_id), passage.start, passage.end

    def _indexed(self, document_id: str) -> list[tuple[int, Passage]]:
        if document_id not in self._passages:
            rows = [int(row) for row in self._store.document_rows([document_id])]
            self._passages[document_id] = list(zip(rows, self._store.passages(rows), strict=True))
        return self._passages[document_id]

    def _gold(self, gold: GoldRange, texts: dict[Place, str]) -> dict[str, Any]:
        """A gold range, with the passages that hold it or the reason why none does."""
        document = self._library.document(gold.document)
        name = self._name(gold.document)
        wanted = (gold.start, gold.end)
        held = []
        for row, passage in self._indexed(gold.document) if not gold.whole else ():
            if holds((passage.start, passage.end), wanted):
                held.append([passage.start, passage.end, row])
                texts[(name, passage.start, passage.end)] = passage.text
        set_aside = [
            passage.boilerplate
            for passage in self._excluded.get(gold.document, ())
            if holds((passage.start, passage.end), wanted)
        ]
        return {
            "document": name,
            "start": gold.start,
            "end": gold.end,
            "whole": gold.whole,
            "date": document.date,
            "sentences": [list(each) for each in gold.sentences],
            "answers": [list(each) for each in gold.answers],
            "passages": held,
            "set_aside": set_aside[0] if set_aside and not held else None,
        }

    def _citation(self, citation: Citation) -> dict[str, Any]:
        document_id = self._ids.get(citation.document, citation.document)
        name = self._name(document_id)
        also = [
            (self._name(self._ids.get(other.document, other.document)), other.start, other.end)
            for other in citation.also_in
        ]
        return {
            "document": name,
            "start": citation.start,
            "end": citation.end,
            "line": citation.line,
            "page": citation.page,
            "heading": citation.heading,
            "date": citation.date,
            "quote": citation.quote,
            "marks": [list(mark) for mark in citation.marks],
            "freshness": str(citation.freshness),
            "score": _rounded(citation.score),
            "also_in": [list(place) for place in also],
            "sentences": [
                list(each) for each in self._library.sentences(document_id, (citation.start, citation.end))
            ],
            "verbatim": self._verbatim(document_id, citation),
        }

    def _verbatim(self, document_id: str, citation: Citation) -> bool | None:
        """Whether the quote stands in the file at its place, read anew; None when the file has changed."""
        document = self._library.document(document_id)
        if document_id not in self._sources:
            self._sources[document_id] = _read_anew(document)
        source = self._sources[document_id]
        if source is None:
            return None
        words = source[citation.start : citation.end]
        return words == citation.quote and sha256_text(words) == citation.quote_sha256

    def _hit(self, hit: Hit) -> dict[str, Any]:
        name, start, end = self._place(hit.passage)
        return {
            "document": name,
            "start": start,
            "end": end,
            "row": hit.row,
            "score": _rounded(hit.score),
            "ranker": hit.ranker,
            "ranked": [[each.ranker, each.rank, _rounded(each.score)] for each in hit.ranked],
            "duplicates": [list(self._place(passage)) for passage in hit.duplicates],
        }

    def _trail(self, asked: str, hits: Sequence[Hit], gold: Sequence[GoldRange]) -> dict[str, Any] | None:
        """How far each ranker brought the gold evidence: its best place in every ranking.

        ``read`` says whether it was among the hits asked for, ``place`` is its place there (or among those
        the retriever fused, searched deeper and without filters). None when it is in neither.
        """
        n_read, read = len(hits), True
        holding = _places_holding(hits, gold)
        if not holding:
            hits, read = self._search(asked, k=DEEP), False
            holding = _places_holding(hits, gold)
        if not holding:
            return None
        ranks: dict[str, int] = {}
        for place in holding:
            for ranked in hits[place].ranked:
                ranks[ranked.ranker] = min(ranked.rank, ranks.get(ranked.ranker, ranked.rank))
        best = holding[0]
        return {
            "read": read,
            "n_read": n_read,
            "place": best + 1,
            "ranks": ranks,
            "hit": self._hit(hits[best]),
        }


def _rounded(score: float) -> float:
    return round(float(score), 6)


def _places_holding(hits: Sequence[Hit], gold: Sequence[GoldRange]) -> list[int]:
    """The places, from 0, of the hits that hold any of the gold evidence."""
    return [place for place, hit in enumerate(hits) if _holds_gold(hit, gold)]


def _holds_gold(hit: Hit, gold: Iterable[GoldRange]) -> bool:
    return any(
        piece.document == passage.document_id
        and holds((passage.start, passage.end), (piece.start, piece.end), whole=piece.whole)
        for piece in gold
        for passage in (hit.passage, *hit.duplicates)
    )


def _read_anew(document: Document) -> str | None:
    """The file's text as the loader reads it now; None when it is gone or no longer the file indexed."""
    from rag.citations import freshness
    from rag.loaders import load

    if freshness(document.path, document.sha256) != "unchanged":
        return None
    try:
        return load(Path(document.path)).text
    except LoadError:
        return None
