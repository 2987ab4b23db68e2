"""Evidence that tells different things: other figures, other names, another rating, a yes and a no.

Rules on the marked words, not a model: each looks only at questions where two different answers cannot both
be the whole truth, and says no more than that the documents differ. Which of them is right is the user's to
judge, so both stand in the answer with their dates.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.evidence import Evidence
from rag.kinds import Kind

FLOOR = 0.0  # relevance logit from which on evidence is held to answer

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_NAME = re.compile(r"\b[A-Z][\w'’-]+(?:\s+[A-Z][\w'’-]+)*")
_TITLES = frozenset("mr mrs ms miss dr sir dame lord lady cllr councillor mayor professor the".split())
_RATING = re.compile(
    r"\b(outstanding|excellent|good|(un)?satisfactory|(in)?adequate|requires? improvement|poor)\b",
    re.IGNORECASE,
)
_DENIED = re.compile(r"\b(not|never|no longer|none|nobody|cannot|without)\b|n['’]t\b", re.IGNORECASE)
_LEAST_SHARED = 0.5  # of the shorter sentence's words, for a denial to be of the same thing


def figures(text: str) -> frozenset[str]:
    """The figures in a text, thousands commas dropped.

    >>> sorted(figures("£6,500 in 2015, or 6.5%"))
    ['2015', '6.5', '6500']
    """
    return frozenset(number.replace(",", "") for number in _NUMBER.findall(text))


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


def _words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text) if len(word) > 3}


def _marked(evidence: Evidence) -> str:
    mark = evidence.marks[0]
    return evidence.hit.passage.text[mark.start : mark.end]


def _quoted(evidence: Evidence) -> str:
    return evidence.hit.passage.text[slice(*evidence.quote)]


def _told(kind: Kind, evidence: Evidence) -> frozenset[str]:
    """What the marked words tell that another document may tell otherwise."""
    words = _marked(evidence)
    if kind in (Kind.HOW_MANY, Kind.WHEN, Kind.YES_NO):
        return figures(words)
    if kind is Kind.WHO:
        return names(words)
    return ratings(words) if kind is Kind.WHAT else frozenset()


def _denies(one: Evidence, other: Evidence) -> bool:
    """Whether one sentence denies what the other, in much the same words, says."""
    texts = _quoted(one), _quoted(other)
    if bool(_DENIED.search(texts[0])) == bool(_DENIED.search(texts[1])):
        return False
    a, b = map(_words, texts)
    return len(a & b) >= _LEAST_SHARED * max(1, min(len(a), len(b)))


def _differ(kind: Kind, one: Evidence, other: Evidence) -> bool:
    told, otherwise = _told(kind, one), _told(kind, other)
    if kind is Kind.YES_NO:
        same_thing = _words(_marked(one)) & _words(_marked(other))
        return bool(told and otherwise and same_thing and not told & otherwise) or _denies(one, other)
    return bool(told and otherwise and not told & otherwise)


def disagreements(kind: Kind, chosen: Sequence[Evidence]) -> list[tuple[int, int]]:
    """Pairs of places in ``chosen``: evidence from different documents that tells different things.

    Figures where a number or a time is asked for, names for who, ratings for what, figures and denials for
    yes-no questions; of other questions two wordings are no contradiction. Both must be held to answer.
    """
    held = [i for i, e in enumerate(chosen) if e.marks and e.reading.relevance >= FLOOR]
    return [
        (i, j)
        for n, i in enumerate(held)
        for j in held[n + 1 :]
        if chosen[i].hit.passage.document_id != chosen[j].hit.passage.document_id
        and _differ(kind, chosen[i], chosen[j])
    ]
