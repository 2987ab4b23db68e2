"""Evidence that tells different things: other figures, other names, another rating, a yes and a no.

Rules on the marked words, not a model: each looks only at questions where two different answers cannot both
be the whole truth, and says no more than that the documents differ. Which of them is right is the user's to
judge, so both stand in the answer with their dates.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.answering.evidence import Evidence
from rag.answering.question import Kind

# Relevance logit from which on evidence is held to answer. On development questions 1.5 told as many true
# disagreements as 0 and half as many false ones.
FLOOR = 1.5
# Of the question's words in the fuller quotation, the share that the other must hold as well: two figures in
# one answer are of the same thing only if both sentences speak of it.
LEAST_SPOKEN = 0.6

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


def _marked(evidence: Evidence) -> str:
    mark = evidence.marks[0]
    return evidence.hit.passage.text[mark.start : mark.end]


def _quoted(evidence: Evidence) -> str:
    return evidence.hit.passage.text[slice(*evidence.quote)]


def _figures_differ(one: Evidence, other: Evidence) -> bool:
    """Whether the marked figures are of one kind and none of them stands in the other's sentence.

    A mark across cells of a table is no answer that could be held against another.
    """
    told, otherwise = figures(_marked(one)), figures(_marked(other))
    if not told or not otherwise or "|" in _marked(one) + _marked(other):
        return False
    same_unit = {_unit(figure) for figure in told} == {_unit(figure) for figure in otherwise}
    return same_unit and not told & figures(_quoted(other)) and not otherwise & figures(_quoted(one))


def _differ(kind: Kind, one: Evidence, other: Evidence) -> bool:
    if kind is Kind.WHO:
        told, otherwise = names(_marked(one)), names(_marked(other))
        apart = not told & names(_quoted(other)) and not otherwise & names(_quoted(one))
        return bool(told and otherwise and apart)
    if kind is Kind.YES_NO and bool(_DENIED.search(_quoted(one))) != bool(_DENIED.search(_quoted(other))):
        return True
    if kind is Kind.WHAT:
        graded = ratings(_quoted(one)), ratings(_quoted(other))
        if graded[0] and graded[1] and not graded[0] & graded[1]:
            return True
    return kind in _WITH_FIGURES and _figures_differ(one, other)


def disagreements(kind: Kind, chosen: Sequence[Evidence], spoken: Sequence[float]) -> list[tuple[int, int]]:
    """Pairs of places in ``chosen``: evidence from different documents that tells different things.

    ``spoken`` is the share of the question's words in each quotation, 0..1. What may differ are figures,
    names where it is asked who, a denial where yes or no is asked, ratings; of other questions two wordings
    are no contradiction. Both sides must be held to answer and speak of the same thing.
    """
    fullest = max(spoken, default=0.0)
    held = [
        i
        for i, evidence in enumerate(chosen)
        if evidence.marks and evidence.reading.relevance >= FLOOR and spoken[i] >= LEAST_SPOKEN * fullest
    ]
    return [
        (i, j)
        for n, i in enumerate(held)
        for j in held[n + 1 :]
        if chosen[i].hit.passage.document_id != chosen[j].hit.passage.document_id
        and _differ(kind, chosen[i], chosen[j])
    ]
