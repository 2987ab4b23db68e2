"""Evidence that tells different things: other figures, other names, another rating, a yes and a no.

The reader judges pairs of quotations where its weights can; rules on the marked words stand in where they
cannot. Either says no more than that the documents differ. Which of them is right is the user's to
judge, so both stand in the answer with their dates.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from rag.answering.evidence import Evidence
from rag.answering.question import Kind, ParsedQuestion
from rag.reader.base import Candidate, Reader
from rag.settings import RANKING
from rag.text.dates import long_date

_WITH_FIGURES = (Kind.HOW_MANY, Kind.WHEN, Kind.YES_NO, Kind.WHAT)
_NUMBER = re.compile(r"(£|\$|€)?\d+(?:[.,]\d+)*(\s?%|\sper\s?cent)?")
_NAME = re.compile(r"\b[A-Z][\w'’-]+(?:\s+[A-Z][\w'’-]+)*")
_TITLES = frozenset("mr mrs ms miss dr sir dame lord lady cllr councillor mayor professor the".split())
_RATING = re.compile(
    r"\b(outstanding|excellent|good|(un)?satisfactory|(in)?adequate|requires? improvement|poor)\b",
    re.IGNORECASE,
)
_DENIED = re.compile(r"\b(not|never|no|none|nobody|cannot|without)\b|n['’]t\b", re.IGNORECASE)


def figures(text: str) -> frozenset[str]:
    """The figures in a text with their unit, if it is money or a share; thousands commas dropped.

    >>> sorted(figures("£6,500 in 2015, or 6.5 per cent"))
    ['2015', '6.5%', '£6500']
    """
    found = (match.group().replace(",", "") for match in _NUMBER.finditer(text))
    return frozenset(re.sub(r"\s?(%|per\s?cent)$", "%", figure) for figure in found)


def _unit(figure: str) -> str:
    return figure.strip("0123456789.")


def names(text: str) -> frozenset[str]:
    """The parts of the names in a text, forms of address dropped.

    >>> sorted(names("Cllr Nuala Fennelly and Paul"))
    ['fennelly', 'nuala', 'paul']
    """
    parts = {part.casefold() for name in _NAME.findall(text) for part in name.split()}
    return frozenset(parts - _TITLES)


def ratings(text: str) -> frozenset[str]:
    """The words of a rating in a text.

    >>> sorted(ratings("from Inadequate to requires improvement"))
    ['inadequate', 'require improvement']
    """
    return frozenset(m.group().casefold().replace("requires", "require") for m in _RATING.finditer(text))


def _figures_differ(left: Evidence, right: Evidence) -> bool:
    """Whether the marked figures are of one kind and none of them stands in the other's sentence.

    A mark across cells of a table is no answer that could be held against another.
    """
    here, there = figures(left.marked), figures(right.marked)
    if not here or not there or "|" in left.marked + right.marked:
        return False
    same_unit = {_unit(figure) for figure in here} == {_unit(figure) for figure in there}
    return same_unit and not here & figures(right.quoted) and not there & figures(left.quoted)


def _differ(kind: Kind, left: Evidence, right: Evidence) -> bool:
    if kind is Kind.WHO:
        here, there = names(left.marked), names(right.marked)
        return bool(here and there) and not here & names(right.quoted) and not there & names(left.quoted)
    if kind is Kind.YES_NO and bool(_DENIED.search(left.quoted)) != bool(_DENIED.search(right.quoted)):
        return True
    if kind is Kind.WHAT:
        here, there = ratings(left.quoted), ratings(right.quoted)
        if here and there and not here & there:
            return True
    return kind in _WITH_FIGURES and _figures_differ(left, right)


def comparable(chosen: Sequence[Evidence]) -> list[tuple[int, int]]:
    """Pairs of places in ``chosen`` that can contradict each other.

    They are of different documents, both are held to answer, and both speak of what is asked.
    """
    fullest = max((evidence.coverage for evidence in chosen), default=0.0)
    answering = [
        place
        for place, evidence in enumerate(chosen)
        if evidence.marks
        and evidence.reading.relevance >= RANKING.disagreement_relevance
        and evidence.coverage >= RANKING.disagreement_coverage_share * fullest
    ]
    return [
        (i, j)
        for n, i in enumerate(answering)
        for j in answering[n + 1 :]
        if chosen[i].document.id != chosen[j].document.id
    ]


def disagreements(
    question: ParsedQuestion, chosen: Sequence[Evidence], reader: Reader
) -> list[tuple[int, int]]:
    """Pairs of places in ``chosen`` that tell different things about what is asked.

    A reader that judges pairs decides. Else rules do: what may differ are figures, names where it is asked
    who, a denial where yes or no is asked, ratings; of other questions two wordings are no contradiction.
    """
    pairs = comparable(chosen)
    if not reader.judges_pairs or not pairs:
        return [(i, j) for i, j in pairs if _differ(question.kind, chosen[i], chosen[j])]
    sides = [Candidate(evidence.quoted, evidence.header) for evidence in chosen]
    judgements = reader.judge(question.plain, [(sides[i], sides[j]) for i, j in pairs])
    return [
        pair
        for pair, judgement in zip(pairs, judgements, strict=True)
        if judgement.conflict >= RANKING.disagreement_probability
    ]


def notice(kind: Kind, left: Evidence, right: Evidence) -> str:
    """The sentence that tells a person of two sides, each with its file and date."""
    differ = "The documents name different people" if kind is Kind.WHO else "The documents may disagree"
    return f"{differ}: {_side(left)}, but {_side(right)}."


def _side(evidence: Evidence) -> str:
    date = evidence.document.date
    words = " ".join(evidence.marked.split())
    return f"“{words}” ({Path(evidence.document.path).name}, {long_date(date) if date else 'undated'})"
