"""Answers and search results as JSON: the documented keys, one object a line.

``rag/schema/answer.schema.json`` describes an answer and ``search.schema.json`` a search; tests hold the
output to both. Characters are Python ``str`` indices of the decoded document, half-open.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import RagError
from rag.records import Answer, Citation, Document, Freshness, Hit, Lead, Span, sha256_text

if TYPE_CHECKING:
    from rag.store.content import Source
    from rag.store.lookup import Line

PathOf = Callable[[str], str]  # from a document's id to its path as indexed


def schema(name: str = "answer") -> dict[str, Any]:
    """The JSON schema of one kind of output: the file ``rag/schema/NAME.schema.json``.

    >>> schema()["title"]
    'Answer'
    """
    text = resources.files("rag").joinpath("schema", f"{name}.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def to_json(answer: Answer, path_of: PathOf) -> dict[str, Any]:
    """An answer under its documented keys. ``path_of`` gives a document's path from its id."""
    return {
        "question": answer.question,
        "status": str(answer.status),
        "confidence": round(answer.confidence, 4),
        "reason": answer.reason,
        "answer": answer.answer,
        "spans": [_span(span, path_of) for span in answer.spans],
        "citations": [_citation(citation) for citation in answer.citations],
        "hits": [_hit(hit, path_of) for hit in answer.hits],
        "notices": list(answer.notices),
        "disagreements": [list(pair) for pair in answer.disagreements],
        "timings_ms": {stage: round(value, 2) for stage, value in answer.timings_ms.items()},
        "store": dict(answer.store),
    }


def error_to_json(error: RagError, *, line: int, question: str | None) -> dict[str, Any]:
    """What stands in the place of an answer to a line that could not be asked."""
    return {
        "line": line,
        "question": question,
        "status": "error",
        "error": error.message,
        "hint": error.hint,
    }


def search_to_json(
    query: str, hits: Sequence[Hit], path_of: PathOf, store: Mapping[str, object] | None = None
) -> dict[str, Any]:
    """The hits of a query, best first, under the keys that an answer's ``hits`` have."""
    return {"query": query, "hits": [_hit(hit, path_of) for hit in hits], "store": dict(store or {})}


def show_to_json(
    document: Document, lines: Sequence[Line], fresh: Freshness, store: Mapping[str, object]
) -> dict[str, Any]:
    """Lines of a document, at least one, as ``rag.store.lookup`` chose them."""
    last = lines[-1]
    return {
        "document": document.path,
        "sha256": document.sha256,
        "media_type": document.media_type,
        "title": document.title,
        "date": document.date,
        "freshness": str(fresh),
        "lines": [
            {
                "start": line.start,
                "page": line.page,
                "number": line.number,
                "text": line.text,
                "wanted": line.wanted,
            }
            for line in lines
        ],
        "n_before": document.text.count("\n", 0, lines[0].start),
        "n_after": document.text.count("\n", last.start),
        "store": dict(store),
    }


def source_to_json(document: Source) -> dict[str, Any]:
    """A document of the store, without its text."""
    return {
        "id": document.id,
        "document": document.path,
        "title": document.title,
        "date": document.date,
        "media_type": document.media_type,
        "n_chars": document.n_chars,
    }


def _span(span: Span, path_of: PathOf) -> dict[str, Any]:
    return {
        "document": path_of(span.passage.document_id),
        "start": span.passage.start + span.start,
        "end": span.passage.start + span.end,
        "text": span.text,
        "score": round(span.score, 6),
    }


def _citation(citation: Citation) -> dict[str, Any]:
    return {
        "document": citation.document,
        "sha256": citation.sha256,
        "start": citation.start,
        "end": citation.end,
        "quote": citation.quote,
        "quote_sha256": citation.quote_sha256,
        "marks": [list(mark) for mark in citation.marks],
        "line": citation.line,
        "page": citation.page,
        "heading": citation.heading,
        "lead": _lead(citation.lead),
        "title": citation.title,
        "date": citation.date,
        "freshness": str(citation.freshness),
        "score": round(citation.score, 6),
        "also_in": [place.to_json() for place in citation.also_in],
        "relative_dates": _relative_dates(citation),
    }


def _relative_dates(citation: Citation) -> list[dict[str, str]]:
    """What the screen says of "last October": the words as a person reads them, and the date they come to."""
    from rag.output.dates import counted_dates
    from rag.text.markup import without_syntax

    plain = without_syntax(citation.quote, citation.media_type)[0]
    return [{"text": words, "date": iso} for words, iso in counted_dates(plain, citation.date).items()]


def _lead(lead: Lead | None) -> dict[str, Any] | None:
    return None if lead is None else {"start": lead.start, "end": lead.end, "text": lead.text}


def _hit(hit: Hit, path_of: PathOf) -> dict[str, Any]:
    passage = hit.passage
    return {
        "document": path_of(passage.document_id),
        "start": passage.start,
        "end": passage.end,
        "text": passage.text,
        "heading": passage.heading,
        "scores": {hit.ranker: round(hit.score, 6)} | {r.ranker: round(r.score, 6) for r in hit.ranked},
        "ranks": {r.ranker: r.rank for r in hit.ranked},
        "also_in": [
            {"document": path_of(other.document_id), "start": other.start, "end": other.end}
            for other in hit.duplicates
        ],
    }


def citation_from_json(given: Any) -> Citation:
    """The citation that was written so; KeyError, TypeError or ValueError where it cannot be one.

    One whose quotation does not match its own checksum was changed since, and is none.
    """
    if not isinstance(given, Mapping):
        raise TypeError("expected a JSON object")
    texts = {name: _typed(given, name, str) for name in ("document", "sha256", "quote", "quote_sha256")}
    maybe = {name: _typed(given, name, str, optional=True) for name in ("heading", "title", "date")}
    places = {name: _typed(given, name, int, optional=True) for name in ("line", "page")}
    if sha256_text(texts["quote"]) != texts["quote_sha256"]:
        raise ValueError("the quote does not match its own checksum")
    if not Path(texts["document"]).is_absolute():
        raise ValueError("'document' is no whole path")
    if maybe["date"] is not None:
        _check_date(maybe["date"])
    marks = given.get("marks", [])
    if not isinstance(marks, list) or not all(_is_pair(mark) for mark in marks):
        raise TypeError("expected pairs of whole numbers under 'marks'")
    lead = given.get("lead")
    if lead is not None:
        lead = Lead(_typed(lead, "start", int), _typed(lead, "end", int), _typed(lead, "text", str))
    return Citation(
        **texts,
        **maybe,
        **places,
        start=_typed(given, "start", int),
        end=_typed(given, "end", int),
        freshness=Freshness(given["freshness"]),
        score=float(given.get("score", 0.0)),
        marks=tuple((mark[0], mark[1]) for mark in marks),
        lead=lead,
    )


def _check_date(text: str) -> None:
    from rag.text.dates import last_day

    try:
        last_day(text)
    except RagError as error:
        raise ValueError(error.message) from None


def _is_pair(mark: object) -> bool:
    return isinstance(mark, list) and len(mark) == 2 and all(type(at) is int for at in mark)


def _typed(given: Mapping[str, Any], name: str, kind: type, *, optional: bool = False) -> Any:
    """The value under a key, which must be there and of this kind, or null where that may be."""
    if not isinstance(given, Mapping):
        raise TypeError("expected a JSON object")
    value = given[name]
    if (optional and value is None) or (isinstance(value, kind) and not isinstance(value, bool)):
        return value
    raise TypeError(f"expected {'text' if kind is str else 'a whole number'} under {name!r}")
