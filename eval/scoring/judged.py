"""A row beside its gold evidence: which pieces each hit holds and each citation supports.

A *piece* of evidence is found by a hit, supported by a citation, as ``eval.questions.gold`` defines both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from eval.metrics import holds_answer
from eval.questions import Question
from eval.questions.gold import holds, supports
from eval.runs import Row, base_id
from eval.scoring.catalogue import NO_EVIDENCE, NOT_ANSWERABLE, Value


@dataclass(frozen=True, slots=True)
class Judged:
    """A row with its question; ``held[h]`` are the pieces in hit h, ``supported[c]`` those of citation c.

    A weak answer shows its evidence and does not claim that it answers. Reading and citation judge what is
    shown, claimed or not; the decision (``answered``, ``abstained``, ``right``) is judged by what is claimed.
    """

    row: Row
    question: Question
    held: list[list[int]]
    supported: list[list[int]]

    @classmethod
    def of(cls, row: Row, questions: Mapping[str, Question]) -> Judged:
        """The row beside the question it answers."""
        return cls(row, questions[base_id(row["id"])], pieces_held(row), citation_support(row))

    @property
    def shown(self) -> bool:
        """Whether anything was cited, be it weakly."""
        return is_shown(self.row)

    @property
    def claimed(self) -> bool:
        """Whether what was cited is said to answer the question."""
        return is_claimed(self.row)

    @property
    def without_evidence(self) -> str:
        """Why nothing can be held against gold evidence; empty where it can."""
        if not self.question.answerable:
            return NOT_ANSWERABLE
        return "" if self.question.evidence else NO_EVIDENCE

    @property
    def first_right(self) -> Value:
        """1 when the first citation supports evidence, or where no evidence is given holds an answer."""
        if not self.question.answerable:
            return NOT_ANSWERABLE
        if not self.supported:
            return 0.0
        if self.question.evidence:
            return float(bool(self.supported[0]))
        return float(holds_answer(self.row["citations"][0]["quote"], self.question.answers))


def is_shown(row: Row) -> bool:
    """Whether anything was cited, be it weakly."""
    return bool(row["citations"])


def is_claimed(row: Row) -> bool:
    """Whether what was cited is said to answer the question."""
    return bool(row["status"] == "answered")


def is_located(row: Row) -> bool:
    """Whether any gold evidence of the row stands in the store's documents."""
    return any(piece["places"] for piece in row["gold"])


def pieces_held(row: Row) -> list[list[int]]:
    """For each hit of a row, the numbers of the pieces it holds.

    Where all gold evidence is whole documents, hits are documents too: only the first passage of each counts.
    """
    hits = row["hits"]
    places = [place for piece in row["gold"] for place in piece["places"]]
    if places and all(place["whole"] for place in places):
        first_of_document: dict[str, Row] = {}
        for hit in hits:
            first_of_document.setdefault(hit["document"], hit)
        hits = list(first_of_document.values())
    return [[n for n, piece in enumerate(row["gold"]) if _hit_holds(hit, piece)] for hit in hits]


def citation_support(row: Row) -> list[list[int]]:
    """For each citation of a row, the numbers of the pieces it supports."""
    return [
        [n for n, piece in enumerate(row["gold"]) if _citation_supports(citation, piece)]
        for citation in row["citations"]
    ]


def _hit_holds(hit: Row, piece: Row) -> bool:
    return any(
        document == gold["document"]
        and holds((start, end), (gold["start"], gold["end"]), whole=gold["whole"])
        for gold in piece["places"]
        for document, start, end in _own_and_equal_places(hit, "duplicates")
    )


def _citation_supports(citation: Row, piece: Row) -> bool:
    return any(
        document == gold["document"]
        and supports(
            (start, end),
            (gold["start"], gold["end"]),
            [(a, b) for a, b in gold["answers"]],
            whole=gold["whole"],
        )
        for gold in piece["places"]
        for document, start, end in _own_and_equal_places(citation, "also_in")
    )


def _own_and_equal_places(quoted: Row, equals: str) -> Iterator[tuple[str, int, int]]:
    """The own place of a hit or citation, then those with the same words (kept under the key ``equals``)."""
    yield quoted["document"], quoted["start"], quoted["end"]
    yield from quoted[equals]
