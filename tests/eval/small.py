"""A small real assistant over text files: ranks by shared words, answers with the best sentence.

It has the methods of the product's and returns the product's records, in milliseconds and without models.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

from rag.records import (
    Answer,
    Citation,
    Document,
    Freshness,
    Hit,
    Passage,
    Ranked,
    Span,
    Status,
    sha256_text,
)


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


class SmallStore:
    """One document a file, one passage a paragraph; a paragraph that begins with a cookie is set aside."""

    def __init__(self, folder: Path) -> None:
        import hashlib

        self._documents = [
            Document(
                id=sha256_text(str(path.absolute()))[:16],
                path=str(path.absolute()),
                sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
                media_type="text/plain",
                text=path.read_bytes().decode(),
                date=match.group() if (match := re.match(r"\d{4}-\d\d-\d\d", path.name)) else None,
            )
            for path in sorted(folder.rglob("*.txt"))
        ]
        self._passages: list[Passage] = []
        self._excluded: list[Passage] = []
        for document in self._documents:
            for match in re.finditer(r"[^\n]+(?:\n[^\n]+)*", document.text):
                aside = "cookie notice" if match.group().startswith("Cookies") else None
                found = Passage(document.id, *match.span(), match.group(), boilerplate=aside)
                (self._excluded if aside else self._passages).append(found)
        self.manifest = SimpleNamespace(
            encoder_fingerprint="none",
            order=sha256_text("\0".join(p.text for p in self._passages)),
            n_documents=len(self._documents),
            n_passages=len(self._passages),
            settings={},
        )

    @property
    def n_passages(self) -> int:
        return len(self._passages)

    @property
    def rows(self) -> range:
        return range(len(self._passages))

    def documents(self) -> list[Document]:
        return self._documents

    def document(self, document_id: str) -> Document:
        return next(d for d in self._documents if d.id == document_id)

    def document_rows(self, ids: Sequence[str]) -> list[int]:
        return [row for row, passage in enumerate(self._passages) if passage.document_id in ids]

    def passages(self, rows: Sequence[int]) -> list[Passage]:
        return [self._passages[row] for row in rows]

    def excluded(self) -> list[Passage]:
        return self._excluded


class SmallAssistant:
    """``threshold`` is the share of the question's words a passage must hold to be cited."""

    def __init__(self, folder: Path, *, threshold: float = 0.5) -> None:
        self.store = SmallStore(folder)
        self._threshold = threshold

    def search(self, query: str, *, k: int | None = None) -> list[Hit]:
        wanted = words(query)
        rows = self.store.document_rows([d.id for d in self.store.documents()])
        scored = []
        for row, passage in zip(rows, self.store.passages(rows), strict=True):
            shared = len(wanted & words(passage.text)) / max(1, len(wanted))
            scored.append((-shared, row, passage))
        scored.sort(key=lambda item: item[:2])
        return [
            Hit(passage, row, -negative, "words", (Ranked("words", place, -negative),))
            for place, (negative, row, passage) in enumerate(scored[: k or 5], start=1)
        ]

    def ask(self, question: str, *, k: int | None = None) -> Answer:
        hits = tuple(self.search(question, k=k))
        sure = hits[0].score if hits else 0.0
        if sure < self._threshold:
            return Answer(question, Status.ABSTAINED, sure, "too few words in common", hits=hits)
        passage = hits[0].passage
        wanted = words(question)
        sentences = list(re.finditer(r"[^.?!\n]+[.?!]?", passage.text))
        start, end = max(sentences, key=lambda m: (len(wanted & words(m.group())), -m.start())).span()
        start += len(passage.text[start:end]) - len(passage.text[start:end].lstrip())
        inner = next(
            (m for m in re.finditer(r"\w+", passage.text[start:end]) if m.group().lower() not in wanted), None
        )
        a, b = inner.span() if inner else (0, end - start)
        document = self.store.document(passage.document_id)
        quote = passage.text[start:end]
        citation = Citation(
            document=document.path,
            sha256=document.sha256,
            start=passage.start + start,
            end=passage.start + end,
            quote=quote,
            quote_sha256=sha256_text(quote),
            line=1,
            page=None,
            heading=None,
            title=None,
            date=document.date,
            freshness=Freshness.UNCHANGED,
            score=sure,
            marks=((a, b),),
        )
        return Answer(
            question,
            Status.ANSWERED,
            sure,
            None,
            spans=(Span(passage, start + a, start + b, sure),),
            citations=(citation,),
            hits=hits,
            timings_ms={"search": 0.5},
        )
