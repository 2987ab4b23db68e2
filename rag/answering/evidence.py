"""Evidence selection: from readings to the sentences shown and the words marked in them.

The unit shown is the sentence that carries the evidence, never a bare phrase; what is marked depends on what
was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.answering.question import Kind
from rag.reader.base import Mark, Reading
from rag.records import Document, Hit
from rag.settings import RANKING
from rag.text.english import ENGLISH
from rag.text.language import Language
from rag.text.sentences import sentences

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Words of a hit that may be quoted: the quotation and the marks in it, in characters of the passage.

    Without marks there is nothing to quote. ``place`` is the hit's in the retriever's list, from 1;
    ``context`` is the passage with its ``header``. ``coverage`` is the weighted share of the question's terms
    in quotation and header, 0..1, ``passage_coverage`` in the context. Evidence is ordered by
    ``rank_score``.
    """

    hit: Hit
    document: Document
    reading: Reading
    quote: Range
    marks: tuple[Mark, ...]
    place: int = 1
    header: str = ""
    context: str = ""
    coverage: float = 0.0
    passage_coverage: float = 0.0
    rank_score: float = 0.0

    @property
    def quoted(self) -> str:
        """The quotation."""
        return self.hit.passage.text[slice(*self.quote)]

    @property
    def marked(self) -> str:
        """The best marked words; empty without marks."""
        return self.hit.passage.text[self.marks[0].start : self.marks[0].end] if self.marks else ""


def quote_range(ranges: Sequence[Range], start: int, end: int, length: int) -> Range:
    """The sentence or sentences that hold characters start..end of a text.

    >>> quote_range([(0, 9), (10, 20), (21, 30)], 12, 15, 30), quote_range([(0, 9), (10, 20)], 7, 12, 20)
    ((10, 20), (0, 20))
    """
    touched = [(a, b) for a, b in ranges if a < end and b > start]
    if not touched:
        return max(0, start), min(length, end)
    return min(touched[0][0], start), max(touched[-1][1], end)


def with_explained(ranges: Sequence[Range], text: str, quote: Range, language: Language = ENGLISH) -> Range:
    """The quotation with the sentence before it, if it leans on that one: opens with "This" or the like.

    >>> text = "Caseloads fell. This means workers know the children."
    >>> with_explained([(0, 15), (16, 53)], text, (16, 53))
    (0, 53)
    """
    if not language.leaning_opener.match(text[slice(*quote)]):
        return quote
    before = [a for a, b in ranges if b <= quote[0]]
    return (before[-1], quote[1]) if before else quote


# What parts two paragraphs: a headline or a date above one is no sentence of it.
_PARTED = re.compile(r"\n[ \t\r]*\n")


def with_neighbours(ranges: Sequence[Range], text: str, quote: Range, reading: Reading) -> Range:
    """The quotation with the sentences on either side that the reader holds to belong to the evidence.

    They are of its own paragraph: what stands beyond an empty line is not taken along.

    >>> text = "A moat. A wall. A gate.\\n\\nA tower."
    >>> reading = Reading(1.0, evidence=((0, 1, -2.0), (8, 9, 3.0), (16, 17, 1.0), (25, 26, 1.0)))
    >>> with_neighbours([(0, 7), (8, 15), (16, 23), (25, 33)], text, (8, 15), reading)
    (8, 23)
    """

    def belongs(place: int) -> bool:
        probability = reading.evidence_of(*ranges[place])
        return probability is not None and probability >= RANKING.evidence_share

    def joined(place: int) -> bool:
        """Whether a sentence and the next are of one paragraph."""
        return not _PARTED.search(text, ranges[place][1], ranges[place + 1][0])

    within = [place for place, (a, b) in enumerate(ranges) if a < quote[1] and b > quote[0]]
    if not within:
        return quote
    first, last = within[0], within[-1]
    while first > 0 and joined(first - 1) and belongs(first - 1):
        first -= 1
    while last + 1 < len(ranges) and joined(last) and belongs(last + 1):
        last += 1
    return min(ranges[first][0], quote[0]), max(ranges[last][1], quote[1])


def quotation(
    kind: Kind, text: str, reading: Reading, language: Language = ENGLISH
) -> tuple[Range, tuple[Mark, ...]]:
    """What to quote of a passage, and the marks worth showing in it.

    The sentence of the best mark, with its neighbours that belong to the evidence. A list question takes
    every item that scores near the best, a why or how question the sentence before where the quotation leans
    on it. Without marks the whole text stands for it.

    >>> quotation(Kind.WHO, "It rained. Ann won.", Reading(1.0, (Mark(11, 14, 2.0),)))
    ((11, 19), (Mark(start=11, end=14, score=2.0),))
    """
    marks = reading.marks
    if not marks:
        return (0, len(text)), ()
    shown: tuple[Mark, ...] = (marks[0],)
    if kind is Kind.LIST:
        shown = tuple(m for m in marks if marks[0].score - m.score <= RANKING.list_mark_drop)
    ranges = sentences(text, language)
    quote = quote_range(ranges, min(m.start for m in shown), max(m.end for m in shown), len(text))
    quote = with_neighbours(ranges, text, quote, reading)
    if kind in (Kind.WHY, Kind.HOW):
        quote = with_explained(ranges, text, quote, language)
    return quote, shown


def select(ranked: Sequence[Evidence]) -> list[Evidence]:
    """What is worth quoting of evidence in order of rank score: a few, all near the best.

    The first that has a mark is always there. Words that stand in several passages are quoted once, and the
    other passages told with them.
    """
    quotable = [evidence for evidence in ranked if evidence.marks]
    chosen: list[Evidence] = []
    for evidence in quotable:
        if quotable[0].rank_score - evidence.rank_score > RANKING.near_best:
            break
        same = next((i for i, one in enumerate(chosen) if one.quoted == evidence.quoted), None)
        if same is not None:
            hit = chosen[same].hit
            more = (*hit.duplicates, evidence.hit.passage, *evidence.hit.duplicates)
            chosen[same] = replace(chosen[same], hit=replace(hit, duplicates=more))
        elif len(chosen) < RANKING.n_evidence:
            chosen.append(evidence)
    return chosen
