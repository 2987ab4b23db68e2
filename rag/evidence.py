"""Evidence selection: from readings to the sentences shown and the words marked in them.

The unit shown is the sentence that carries the evidence, never a bare phrase; what is marked depends on what
was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.kinds import Kind
from rag.reading import Mark, Reading
from rag.records import Hit

Range = tuple[int, int]
Sentences = Callable[[str], list[Range]]

N_EVIDENCE = 4  # quotations shown at most: more is a search result, not an answer
NEAR_BEST = 2.5  # logits below the best reading within which another passage is shown beside it
LIST_MARK_SHARE = 4.0  # logits below a passage's best mark within which a list question takes further marks


@dataclass(frozen=True, slots=True)
class Evidence:
    """Words of a hit to be quoted: the quotation and the marks in it, in characters of the passage."""

    hit: Hit
    reading: Reading
    quote: Range
    marks: tuple[Mark, ...]


# What the best mark and the fused score add to relevance when passages are put in order: on development
# questions they settle close calls.
MARK_WEIGHT, FUSED_WEIGHT = 0.2, 40.0


def worth(hit: Hit, reading: Reading) -> float:
    """What passages are ordered by: relevance, with a little of the best mark and of the fused score.

    >>> from rag.records import Passage
    >>> passage = Passage("d", 0, 4, "text")
    >>> worth(Hit(passage, 0, 0.1, "fused"), Reading(1.0, (Mark(0, 4, 5.0),)))
    6.0
    """
    mark = reading.marks[0].score if reading.marks else 0.0
    return reading.relevance + MARK_WEIGHT * mark + FUSED_WEIGHT * hit.score


def rank(hits: Sequence[Hit], readings: Sequence[Reading]) -> list[int]:
    """Positions of the hits by their worth, best first; ties keep the retriever's order."""
    worths = [worth(hit, reading) for hit, reading in zip(hits, readings, strict=True)]
    return sorted(range(len(hits)), key=lambda i: (-worths[i], i))


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


def select(
    kind: Kind, hits: Sequence[Hit], readings: Sequence[Reading], sentences: Sentences, n: int = N_EVIDENCE
) -> list[Evidence]:
    """What is worth quoting, best first: at most ``n`` passages, each with its sentence and marks.

    The first is always there when any candidate has a mark; others follow while their relevance is near the
    best. A list question marks every item of a passage that scores near its best.
    """
    chosen: list[Evidence] = []
    order = [i for i in rank(hits, readings) if readings[i].marks]
    for i in order:
        reading, hit = readings[i], hits[i]
        if len(chosen) == n or (chosen and chosen[0].reading.relevance - reading.relevance > NEAR_BEST):
            break
        text = hit.passage.text
        ranges = sentences(text)
        best = reading.marks[0]
        quote = quote_range(ranges, best.start, best.end, len(text))
        marks: tuple[Mark, ...] = (best,)
        if kind is Kind.LIST:
            near = [m for m in reading.marks if best.score - m.score <= LIST_MARK_SHARE]
            quote = quote_range(ranges, min(m.start for m in near), max(m.end for m in near), len(text))
            marks = tuple(near)
        elif kind in (Kind.WHY, Kind.HOW):
            quote = explained(ranges, text, quote)
        chosen.append(Evidence(hit, reading, quote, marks))
    return chosen


_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def figures(text: str) -> frozenset[str]:
    """The figures in a text, thousands commas dropped.

    >>> sorted(figures("£6,500 in 2015, or 6.5%"))
    ['2015', '6.5', '6500']
    """
    return frozenset(number.replace(",", "") for number in _NUMBER.findall(text))


def disagreements(
    kind: Kind, chosen: Sequence[Evidence], floor: float = 0.0
) -> list[tuple[Evidence, Evidence]]:
    """Pairs of evidence from different documents whose marked figures differ, both held to answer.

    Only for questions that ask for a figure or a time: elsewhere two wordings are no contradiction. Evidence
    under ``floor`` (a relevance logit) is not held to answer.
    """
    if kind not in (Kind.HOW_MANY, Kind.WHEN):
        return []
    telling = [(e, figures(e.hit.passage.text[e.marks[0].start : e.marks[0].end])) for e in chosen]
    telling = [(e, found) for e, found in telling if found and e.reading.relevance >= floor]
    return [
        (a, b)
        for i, (a, told) in enumerate(telling)
        for b, other in telling[i + 1 :]
        if a.hit.passage.document_id != b.hit.passage.document_id and not told & other
    ]
