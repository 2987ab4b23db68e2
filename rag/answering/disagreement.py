"""Evidence that tells different things: other figures, other names, a yes and a no.

The reader judges pairs of quotations where its weights can; rules on the marked words stand in where they
cannot. Either says no more than that the documents differ. Which of them is right is the user's to
judge, so both stand in the answer with their dates.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from rag.answering.evidence import Evidence
from rag.answering.question import Kind, ParsedQuestion
from rag.reader.base import Candidate, Reader
from rag.settings import RANKING
from rag.text.dates import long_date
from rag.text.english import ENGLISH
from rag.text.language import Language
from rag.text.names import name_parts

_WITH_FIGURES = (Kind.HOW_MANY, Kind.WHEN, Kind.YES_NO, Kind.WHAT)
_WORD = re.compile(r"\w+(?:['’]\w+)*")


@cache
def _number(language: Language) -> re.Pattern[str]:
    return re.compile(rf"((?:£|\$|€)?\d+(?:[.,]\d+)*)(\s?%|\s{language.percent})?", re.IGNORECASE)


def figures(text: str, language: Language = ENGLISH) -> frozenset[str]:
    """The figures in a text with their unit, if it is money or a share; thousands commas dropped.

    >>> sorted(figures("£6,500 in 2015, or 6.5 per cent"))
    ['2015', '6.5%', '£6500']
    """
    return frozenset(
        match[1].replace(",", "") + ("%" if match[2] else "") for match in _number(language).finditer(text)
    )


def _unit(figure: str) -> str:
    return figure.strip("0123456789.")


def denies(text: str, language: Language = ENGLISH) -> bool:
    """Whether a text denies something.

    >>> denies("It was not closed."), denies("They didn’t say"), denies("It was closed.")
    (True, True, False)
    """
    words = (word.casefold().replace("’", "'") for word in _WORD.findall(text))
    return any(word in language.denials or word.endswith(language.denying_ending) for word in words)


def _figures_differ(left: Evidence, right: Evidence, language: Language) -> bool:
    """Whether the marked figures are of one kind and none of them stands in the other's sentence.

    A mark across cells of a table is no answer that could be held against another.
    """
    here, there = figures(left.marked, language), figures(right.marked, language)
    if not here or not there or "|" in left.marked + right.marked:
        return False
    same_unit = {_unit(figure) for figure in here} == {_unit(figure) for figure in there}
    return (
        same_unit
        and not here & figures(right.quoted, language)
        and not there & figures(left.quoted, language)
    )


def _names_differ(left: Evidence, right: Evidence, language: Language) -> bool:
    here, there = name_parts(left.marked, language), name_parts(right.marked, language)
    if not here or not there:
        return False
    return not here & name_parts(right.quoted, language) and not there & name_parts(left.quoted, language)


def _differ(question: ParsedQuestion, left: Evidence, right: Evidence) -> bool:
    kind, language = question.kind, question.language
    if kind is Kind.WHO:
        return _names_differ(left, right, language)
    if kind is Kind.YES_NO and denies(left.quoted, language) != denies(right.quoted, language):
        return True
    return kind in _WITH_FIGURES and _figures_differ(left, right, language)


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
    who, a denial where yes or no is asked; of other questions two wordings are no contradiction.
    """
    pairs = comparable(chosen)
    if not reader.judges_pairs or not pairs:
        return [(i, j) for i, j in pairs if _differ(question, chosen[i], chosen[j])]
    sides = [Candidate(evidence.quoted, evidence.header) for evidence in chosen]
    judgements = reader.judge(question.plain, [(sides[i], sides[j]) for i, j in pairs])
    return [
        pair
        for pair, judgement in zip(pairs, judgements, strict=True)
        if judgement.conflict >= RANKING.disagreement_probability
    ]


def notice(kind: Kind, left: Evidence, right: Evidence, language: Language = ENGLISH) -> str:
    """The sentence that tells a person of two sides, each with its file and date."""
    differ = "The documents name different people" if kind is Kind.WHO else "The documents may disagree"
    return f"{differ}: {_side(left, language)}, but {_side(right, language)}."


def _side(evidence: Evidence, language: Language) -> str:
    iso = evidence.document.date
    words = " ".join(evidence.marked.split())
    date = long_date(iso, language) if iso else "undated"
    return f"“{words}” ({Path(evidence.document.path).name}, {date})"
