"""Evidence selection: from readings to the sentences shown and the words marked in them.

The unit shown is the sentence that carries the evidence, never a bare phrase; what is marked depends on what
was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.answering.question import Kind
from rag.reader.base import Mark, Reading
from rag.records import Hit

Range = tuple[int, int]
Sentences = Callable[[str], list[Range]]

N_EVIDENCE = 4  # quotations shown at most: more is a search result, not an answer
NEAR_BEST = 4.0  # below the best worth within which another passage is shown beside it
LIST_MARK_SHARE = 4.0  # logits below a passage's best mark within which a list question takes further marks


@dataclass(frozen=True, slots=True)
class Evidence:
    """Words of a hit that may be quoted: the quotation and the marks in it, in characters of the passage.

    ``worth`` is what evidence is ordered by. Without marks there is nothing to quote.
    """

    hit: Hit
    reading: Reading
    quote: Range
    marks: tuple[Mark, ...]
    worth: float = 0.0


# What is added to relevance when evidence is put in order: a little of the best mark's score, of the fused
# score, and of the share of the question's words in the passage and in the quotation. Chosen on development
# questions; where the reader sees no answer anywhere, the words decide what is nearest.
MARK_WEIGHT, FUSED_WEIGHT, PASSAGE_WEIGHT, QUOTE_WEIGHT = 0.2, 20.0, 2.0, 2.0


def worth(hit: Hit, reading: Reading, passage_coverage: float, quote_coverage: float) -> float:
    """What evidence is ordered by; the coverages are shares, 0..1.

    >>> from rag.records import Passage
    >>> passage = Passage("d", 0, 4, "text")
    >>> worth(Hit(passage, 0, 0.1, "fused"), Reading(1.0, (Mark(0, 4, 5.0),)), 1.0, 0.5)
    7.0
    """
    mark = reading.marks[0].score if reading.marks else 0.0
    return (
        reading.relevance
        + MARK_WEIGHT * mark
        + FUSED_WEIGHT * hit.score
        + PASSAGE_WEIGHT * passage_coverage
        + QUOTE_WEIGHT * quote_coverage
    )


def quote_range(ranges: Sequence[Range], start: int, end: int, length: int) -> Range:
    """The sentence or sentences that hold characters start..end of a text.

    >>> quote_range([(0, 9), (10, 20), (21, 30)], 12, 15, 30), quote_range([(0, 9), (10, 20)], 7, 12, 20)
    ((10, 20), (0, 20))
    """
    touched = [(a, b) for a, b in ranges if a < end and b > start]
    if not touched:
        return max(0, start), min(length, end)
    return min(touched[0][0], start), max(touched[-1][1], end)


# A sentence that opens so leans on the one before it.
_LEANS = re.compile(
    r"[\"“‘']?(this|that|these|those|it|they|he|she|as a result|therefore|so|but|however|because)\b", re.I
)


def explained(ranges: Sequence[Range], text: str, quote: Range) -> Range:
    """The quotation with the sentence before it, if it leans on that one: opens with "This" or the like.

    >>> text = "Caseloads fell. This means workers know the children."
    >>> explained([(0, 15), (16, 53)], text, (16, 53))
    (0, 53)
    """
    if not _LEANS.match(text[slice(*quote)]):
        return quote
    before = [a for a, b in ranges if b <= quote[0]]
    return (before[-1], quote[1]) if before else quote


def draft(kind: Kind, hit: Hit, reading: Reading, sentences: Sentences) -> Evidence:
    """The sentence of a hit that its best mark stands in, with the marks worth showing.

    A list question marks every item that scores near the best; a why or how question takes the sentence
    before along where the quotation leans on it.
    """
    text = hit.passage.text
    if not reading.marks:
        return Evidence(hit, reading, (0, len(text)), ())
    ranges = sentences(text)
    best = reading.marks[0]
    marks: tuple[Mark, ...] = (best,)
    if kind is Kind.LIST:
        marks = tuple(m for m in reading.marks if best.score - m.score <= LIST_MARK_SHARE)
    quote = quote_range(ranges, min(m.start for m in marks), max(m.end for m in marks), len(text))
    if kind in (Kind.WHY, Kind.HOW):
        quote = explained(ranges, text, quote)
    return Evidence(hit, reading, quote, marks)


def select(drafts: Sequence[Evidence], n: int = N_EVIDENCE) -> list[Evidence]:
    """What is worth quoting of evidence in order of worth: at most ``n``, all near the best.

    The first that has a mark is always there.
    """
    quotable = [evidence for evidence in drafts if evidence.marks]
    return [e for e in quotable[:n] if quotable[0].worth - e.worth <= NEAR_BEST]
