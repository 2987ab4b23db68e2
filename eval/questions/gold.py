"""Where gold evidence stands in the documents of a store, and which ranges count as having found it.

Three rules, each over characters of a document:

* a hit holds a piece of evidence when its passage, or one with the same words elsewhere, takes in at least
  half of the quote of any of the piece's places;
* a citation supports a piece when its quote does that, or takes in a gold answer that stands in a sentence
  of the gold quote;
* a place that names a whole document is held by any passage of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from eval.metrics import Range, covers_half, overlap
from eval.questions import GoldPlace, Question
from rag.records import Document, sha256_text


def occurrences(text: str, quote: str) -> list[Range]:
    """Every place a quote stands in a text, runs of white space being alike; overlapping ones once.

    >>> occurrences("It was\\nsold. It was sold.", "It was sold"), occurrences("It was sold.", "it was sold")
    ([(0, 11), (13, 24)], [])
    """
    words = quote.split()
    pattern = r"\s+".join(map(re.escape, words))
    return [match.span() for match in re.finditer(pattern, text)] if words else []


def answer_ranges(text: str, within: Range, answers: Sequence[str]) -> list[Range]:
    """Where gold answers stand as whole words inside a range of a text; case and white space are alike.

    >>> answer_ranges("In May 2015, by 15 May.", (0, 23), ["may", "15"])
    [(3, 6), (19, 22), (16, 18)]
    """
    ranges: list[Range] = []
    for answer in answers:
        words = answer.split()
        pattern = r"(?<!\w)" + r"\s+".join(map(re.escape, words)) + r"(?!\w)"
        ranges += [m.span() for m in re.compile(pattern, re.I).finditer(text, *within)] if words else []
    return ranges


def is_tail(name: str, path: str) -> bool:
    """Whether a gold document's name is the tail of an indexed path, in whole parts.

    >>> is_tail("town/minutes.txt", "/home/ann/town/minutes.txt"), is_tail("utes.txt", "/town/minutes.txt")
    (True, False)
    """
    parts, whole = PurePath(name).parts, PurePath(path).parts
    return whole[-len(parts) :] == parts


@dataclass(frozen=True, slots=True)
class GoldRange:
    """A gold place found in a document: its characters, their sentences, the gold answers in those.

    ``document`` is the document's id. ``whole`` marks a place that is the document as such.
    """

    document: str
    start: int
    end: int
    sentences: tuple[Range, ...]
    answers: tuple[Range, ...]
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Unfound:
    """A gold place that is not there, and why."""

    document: str
    why: str


class Library:
    """Documents in which gold places are looked up by the tail of a path."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self._by_id = {document.id: document for document in documents}
        self._by_name: dict[str, list[Document]] = {}
        for document in self._by_id.values():
            self._by_name.setdefault(PurePath(document.path).name, []).append(document)
        self._sentences: dict[str, list[Range]] = {}

    def document(self, document_id: str) -> Document:
        """The document of an id."""
        return self._by_id[document_id]

    def named(self, name: str) -> list[Document]:
        """Every document whose path ends in ``name``."""
        return [d for d in self._by_name.get(PurePath(name).name, ()) if is_tail(name, d.path)]

    def sentences(self, document_id: str, within: Range) -> list[Range]:
        """The sentences of a document that share a character with a range."""
        if document_id not in self._sentences:
            from rag.text.sentences import sentences

            self._sentences[document_id] = sentences(self._by_id[document_id].text)
        return [each for each in self._sentences[document_id] if overlap(each, within)]

    def place(self, place: GoldPlace, answers: Sequence[str] = ()) -> tuple[list[GoldRange], Unfound | None]:
        """The ranges a gold place stands at (a quote may stand several times), or why it stands nowhere."""
        documents = self.named(place.document)
        if not documents:
            return [], Unfound(place.document, "document not in the corpus")
        faults: list[str] = []
        standing: list[GoldRange] = []
        for document in documents:
            ranges, fault = _ranges(document, place)
            faults += [fault] if fault else []
            standing += [self._gold_range(document, each, place, answers) for each in ranges]
        return standing, None if standing else Unfound(place.document, faults[0])

    def _gold_range(
        self, document: Document, quoted: Range, place: GoldPlace, answers: Sequence[str]
    ) -> GoldRange:
        """A range of a document with its sentences and the gold answers that stand in those."""
        if place.whole:
            return GoldRange(document.id, *quoted, (), (), True)
        sentences = tuple(self.sentences(document.id, quoted))
        inside = (sentences[0][0], sentences[-1][1]) if sentences else quoted
        return GoldRange(
            document.id, *quoted, sentences, tuple(answer_ranges(document.text, inside, answers))
        )

    def pieces(self, question: Question) -> list[tuple[list[GoldRange], list[Unfound]]]:
        """For each piece of evidence, where it stands and which of its places are missing."""
        pieces = []
        for piece in question.evidence:
            places = [self.place(place, question.answers) for place in piece.any_of]
            standing = [each for ranges, _ in places for each in ranges]
            pieces.append((standing, [missing for _, missing in places if missing]))
        return pieces


def _ranges(document: Document, place: GoldPlace) -> tuple[list[Range], str | None]:
    """Where a gold place stands in a document, or what is wrong with it."""
    text = document.text
    if place.sha256 is not None and document.sha256 != place.sha256:
        return [], "the file is another version (its hash differs)"
    if place.whole:
        return ([(0, len(text))], None) if text else ([], "the document is empty")
    if place.start is not None and place.end is not None:
        words = text[place.start : place.end]
        if place.quote_sha256 is not None and sha256_text(words) != place.quote_sha256:
            return [], "other words stand at this range (their hash differs)"
        if place.quote is not None and words.split() != place.quote.split():
            return [], "other words than the quote stand at this range"
        return (
            ([(place.start, place.end)], None) if words.strip() else ([], "the range is not in the document")
        )
    ranges = occurrences(text, place.quote or "")
    return ranges, None if ranges else "the quote does not stand in the document"


def holds(found: Range, gold: Range, *, whole: bool = False) -> bool:
    """Whether a passage's range counts as having found a gold range of the same document.

    >>> holds((0, 15), (10, 20)), holds((0, 14), (10, 20)), holds((5, 6), (0, 900), whole=True)
    (True, False, True)
    """
    return overlap(found, gold) > 0 if whole else covers_half(found, gold)


def supports(cited: Range, gold: Range, answers: Iterable[Range] = (), *, whole: bool = False) -> bool:
    """Whether a citation's range supports a gold range: holds it, or takes in a gold answer of its sentences.

    >>> supports((0, 14), (10, 40)), supports((0, 14), (10, 40), [(10, 13)]), supports((0, 25), (10, 40))
    (False, True, True)
    """
    return holds(cited, gold, whole=whole) or any(
        cited[0] <= start and end <= cited[1] for start, end in answers
    )
