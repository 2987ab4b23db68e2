"""What became of the answers of a saved batch since a generation was tagged, and why.

The saved answer is compared with the one given now. Where they differ, the question is also asked of the
tagged generation: what differs there already is not the documents' doing, what differs only now is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import PurePath
from typing import Any

from rag.checks.nearest import Change, nearest
from rag.checks.verify import Checked, Cited, answers_in, citations_in, judge
from rag.records import Answer, Citation, Document, Status
from rag.store import Store

Ask = Callable[[str], Answer]


class Became(StrEnum):
    """What became of an answer, judged by its first citation."""

    SAME = "same"
    FURTHER = "further"  # the first citation is the same; those after it are not
    WORDS = "words"  # other words stand at the same place
    MOVED = "moved"  # the same words stand elsewhere
    OTHER = "other"  # another passage comes first
    STATUS = "status"  # answered, weak or abstained, and no longer


class Cause(StrEnum):
    """Why an answer is another."""

    EDITED = "edited"  # a document cited, then or now
    REMOVED = "removed"
    RENAMED = "renamed"
    NEW = "new"
    CORPUS = "corpus"  # documents that are not cited
    INDEX = "index"  # no document, but how they were read and cut
    SETTINGS = "settings"  # the documents play no part: settings, filters or weights


@dataclass(frozen=True, slots=True)
class DocumentChange:
    """What became of a document since the tag: edited, removed, new or renamed (then ``was`` is its path)."""

    path: str
    became: Cause
    was: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The change under its documented keys (``rag/schema/diff.schema.json``)."""
        return {"document": self.path, "became": str(self.became), "was": self.was}


@dataclass(frozen=True, slots=True)
class Evidence:
    """A citation with its line and page, where the format has them."""

    cited: Cited
    line: int | None
    page: int | None

    @property
    def words(self) -> str:
        """The quotation, its white space evened out."""
        return " ".join(self.cited.quote.split())

    def to_json(self) -> dict[str, Any]:
        """The citation's place and words."""
        cited = self.cited
        return {
            "document": cited.document,
            "start": cited.start,
            "end": cited.end,
            "line": self.line,
            "page": self.page,
            "quote": cited.quote,
        }


@dataclass(frozen=True, slots=True)
class Given:
    """An answer as far as it is compared: ``line`` and ``id`` are those of the batch."""

    question: str
    status: Status
    confidence: float
    evidence: tuple[Evidence, ...]
    line: int = 0
    id: object = None
    generation: int | None = None

    @property
    def first(self) -> Evidence | None:
        """The first citation; None where nothing was found."""
        return self.evidence[0] if self.evidence else None


@dataclass(frozen=True, slots=True)
class Reason:
    """One cause of a change, in words; ``document`` is the path of the one it lies in."""

    cause: Cause
    detail: str
    document: str | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """A saved answer beside the one given now; ``changes`` are the first quotation's words of both."""

    before: Given
    now: Given
    became: Became
    changes: tuple[Change, ...] = ()
    why: tuple[Reason, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The comparison under its documented keys (``rag/schema/diff.schema.json``)."""
        before, now = self.before, self.now
        return {
            "line": before.line,
            "id": before.id,
            "question": before.question,
            "became": str(self.became),
            "status": [str(before.status), str(now.status)],
            "confidence": [round(before.confidence, 4), round(now.confidence, 4)],
            "before": before.first.to_json() if before.first else None,
            "now": now.first.to_json() if now.first else None,
            "changes": [list(change) for change in self.changes],
            "why": [
                {"cause": str(reason.cause), "document": reason.document, "detail": reason.detail}
                for reason in self.why
            ],
        }


def read_saved(lines: Iterable[str], name: str) -> tuple[list[Given], list[int]]:
    """The answers of a saved batch, and the lines that hold an error in the place of one.

    Raises UsageError naming the lines that hold neither, or a quotation that was changed since.
    """
    errors: list[int] = []

    def read(answer: Any, line: int) -> list[Given]:
        cited = citations_in(answer, line)
        if answer.get("status") == "error":
            errors.append(line)
            return []
        return [_saved(answer, cited, line)]

    return answers_in(lines, name, read), errors


def _saved(answer: Mapping[str, Any], cited: Sequence[Cited], line: int) -> Given:
    question, confidence, store = answer["question"], answer["confidence"], answer.get("store")
    if not isinstance(question, str) or not question.strip():
        raise TypeError("expected text under 'question'")
    if not isinstance(confidence, int | float) or isinstance(confidence, bool):
        raise TypeError("expected a number under 'confidence'")
    if any(judge(one, None).verdict == "altered" for one in cited):
        raise ValueError("a quote does not match its own checksum")
    generation = store.get("generation") if isinstance(store, Mapping) else None
    return Given(
        question,
        Status(answer["status"]),
        float(confidence),
        tuple(
            Evidence(one, _whole(given.get("line")), _whole(given.get("page")))
            for one, given in zip(cited, answer["citations"], strict=True)
        ),
        line,
        answer.get("id"),
        generation if isinstance(generation, int) else None,
    )


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def given(answer: Answer) -> Given:
    """An answer as it is compared."""
    cited = [_cited(answer.question, citation) for citation in answer.citations]
    return Given(
        answer.question,
        answer.status,
        answer.confidence,
        tuple(
            Evidence(one, citation.line, citation.page)
            for one, citation in zip(cited, answer.citations, strict=True)
        ),
    )


def _cited(question: str, citation: Citation) -> Cited:
    return Cited(
        line=0,
        number=1,
        question=question,
        document=citation.document,
        sha256=citation.sha256,
        start=citation.start,
        end=citation.end,
        quote=citation.quote,
        quote_sha256=citation.quote_sha256,
    )


def changed_documents(then: Store, now: Store) -> list[DocumentChange]:
    """What became of the documents between two generations, in order of path.

    One whose file went and one of the same bytes that came are one, renamed.
    """
    before = {source.path: source.sha256 for source in then.sources}
    after = {source.path: source.sha256 for source in now.sources}
    gone: dict[str, list[str]] = {}
    for path, sha256 in before.items():
        if path not in after:
            gone.setdefault(sha256, []).append(path)
    changes: list[DocumentChange] = []
    for path, sha256 in after.items():
        if path in before:
            changes += [DocumentChange(path, Cause.EDITED)] if before[path] != sha256 else []
        elif gone.get(sha256):
            changes.append(DocumentChange(path, Cause.RENAMED, gone[sha256].pop(0)))
        else:
            changes.append(DocumentChange(path, Cause.NEW))
    changes += [DocumentChange(path, Cause.REMOVED) for paths in gone.values() for path in paths]
    return sorted(changes, key=lambda change: change.path)


class Comparison:
    """Saved answers beside those given now, by two generations of one store and an assistant over each."""

    def __init__(self, then: Store, now: Store, ask_then: Ask, ask_now: Ask) -> None:
        self.documents = changed_documents(then, now)
        self._then, self._now = then, now
        self._ask_then, self._ask_now = ask_then, ask_now
        self._by_path = {change.path: change for change in self.documents}
        self._renamed = {change.was: change for change in self.documents if change.was is not None}
        self._ids_then = {source.path: source.id for source in then.sources}
        self._ids_now = {source.path: source.id for source in now.sources}

    def compare(self, saved: Given) -> Compared:
        """What became of a saved answer, and why."""
        now = given(self._ask_now(saved.question))
        became, changes = self._became(saved, now)
        if became is Became.SAME:
            return Compared(saved, now, became)
        then = given(self._ask_then(saved.question))
        why: list[Reason] = []
        if self._became(saved, then, self._document_then)[0] is not Became.SAME:
            why.append(Reason(Cause.SETTINGS, self._settings_part(saved)))
        if self._became(then, now)[0] is not Became.SAME:
            why += self._documents_part(then, now)
        return Compared(saved, now, became, changes, tuple(why))

    def _document_then(self, path: str) -> Document | None:
        return self._then.document(self._ids_then[path]) if path in self._ids_then else None

    def _document_now(self, path: str) -> Document | None:
        """The document that stands at a path of then, or stood there and has another name."""
        path = self._renamed[path].path if path in self._renamed else path
        return self._now.document(self._ids_now[path]) if path in self._ids_now else None

    def _became(
        self, before: Given, after: Given, document: Callable[[str], Document | None] | None = None
    ) -> tuple[Became, tuple[Change, ...]]:
        """What became of an answer, and of the words of its first citation.

        ``document`` gives the one that stands at an earlier path, by default in the generation of now.
        """
        became = Became.SAME
        changes: tuple[Change, ...] = ()
        first, second = before.first, after.first
        if first is not None and second is not None:
            became, changes = self._first(first, second, document or self._document_now)
        if before.status is not after.status:
            return Became.STATUS, changes
        if became is Became.SAME and _rest(before) != _rest(after):
            return Became.FURTHER, ()
        return became, changes

    def _first(
        self, first: Evidence, second: Evidence, document: Callable[[str], Document | None]
    ) -> tuple[Became, tuple[Change, ...]]:
        """What became of one citation, given the one that stands in its place."""
        before, after = first.cited, second.cited
        if first.words == second.words:
            same = (before.document, before.start) == (after.document, after.start)
            return (Became.SAME if same else Became.MOVED), ()
        stands = document(before.document)
        if stands is None or stands.path != after.document:
            return Became.OTHER, ()
        checked = _judged(before, stands)
        found = checked.found
        if found is None or found.end <= after.start or after.end <= found.start:
            return Became.OTHER, ()
        near = nearest(after.quote, before.quote, 0)
        return Became.WORDS, near.changes if near else (("gone", first.words), ("new", second.words))

    def _documents_part(self, then: Given, now: Given) -> list[Reason]:
        """Why the documents of now are answered from otherwise than those of then."""
        why: list[Reason] = []
        if then.first is not None:
            why += self._of_then(then.first.cited)
        if now.first is not None:
            why += self._of_now(now.first.cited, [reason.document for reason in why])
        if why:
            return why
        if self.documents:
            counts = ", ".join(count_changes(self.documents))
            return [Reason(Cause.CORPUS, f"the documents cited are as they were; of the others: {counts}")]
        return [Reason(Cause.INDEX, f"no document has changed; {self._index_part()}")]

    def _of_then(self, cited: Cited) -> list[Reason]:
        """What became of the document cited first then."""
        name, path = PurePath(cited.document).name, cited.document
        if path in self._renamed:
            change = self._renamed[path]
            return [Reason(Cause.RENAMED, f"{name} is {PurePath(change.path).name} now", change.path)]
        if path not in self._by_path:
            return []
        if self._by_path[path].became is Cause.REMOVED:
            return [Reason(Cause.REMOVED, f"{name} is no longer there", path)]
        document = self._document_now(path)
        verdict = _judged(cited, document).verdict if document is not None else None
        what = {
            "same": "its words are where they were",
            "moved": "its words stand elsewhere in it",
            "changed": "these words were changed",
            "gone": "these words are not in it",
        }
        return [Reason(Cause.EDITED, f"{name} was edited; {what.get(str(verdict), 'it differs')}", path)]

    def _of_now(self, cited: Cited, told: Sequence[str | None]) -> list[Reason]:
        """What was the document cited first now, where ``told`` does not have it."""
        name, path = PurePath(cited.document).name, cited.document
        change = self._by_path.get(path)
        if change is None or path in told:
            return []
        if change.became is Cause.EDITED:
            document = self._document_then(path)
            had = document is not None and cited.quote in document.text
            words = "the words now cited stood in it before" if had else "the words now cited are new in it"
            return [Reason(Cause.EDITED, f"{name} was edited; {words}", path)]
        if change.became is Cause.NEW:
            return [Reason(Cause.NEW, f"{name} is new", path)]
        return [Reason(Cause.RENAMED, f"{name} was {PurePath(change.was or '').name}", path)]

    def _settings_part(self, saved: Given) -> str:
        """Why the documents of then no longer give the saved answer, as far as is known."""
        tagged = self._then.manifest.generation
        told = "asked of the documents of then, the answer is not the saved one either"
        if saved.generation is not None and saved.generation != tagged:
            return f"{told} (that was of generation {saved.generation}, the tag keeps {tagged})"
        return f"{told}: settings, filters or weights are others"

    def _index_part(self) -> str:
        """What of the index differs, in words."""
        then, now = self._then.manifest, self._now.manifest
        names = sorted(
            name
            for name in {*then.settings, *now.settings}
            if then.settings.get(name) != now.settings.get(name)
        )
        if names:
            return f"the index was made with other settings: {', '.join(names)}"
        if then.rules != now.rules:
            return "another version of rag has read them"
        if then.kept != now.kept:
            return "texts were brought back or left out"
        return "the index was made anew"


def _judged(cited: Cited, document: Document) -> Checked:
    """The verdict on a citation, given a document of another generation, whatever code read that."""
    return judge(replace(cited, extractor=""), document)


def _rest(answer: Given) -> set[tuple[str, str]]:
    """The further citations; their order may change with any document."""
    return {(one.cited.document, one.words) for one in answer.evidence[1:]}


def count_changes(changes: Iterable[DocumentChange]) -> list[str]:
    """How many documents became what.

    >>> count_changes([DocumentChange("/a", Cause.NEW), DocumentChange("/b", Cause.NEW)])
    ['2 new']
    """
    kinds = [change.became for change in changes]
    order = (Cause.EDITED, Cause.NEW, Cause.REMOVED, Cause.RENAMED)
    return [f"{kinds.count(kind):,} {kind}" for kind in order if kind in kinds]
