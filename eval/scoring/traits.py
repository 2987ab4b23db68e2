"""The traps and demands of real questions, measured apart: how a question of each trait is answered.

A trait is marked on a question by hand (``traits`` in its set) or follows from its type; ``eval.questions``
lists them. A question nobody has marked, ``traits`` being None, says nothing of what it lacks: it is no
witness that a disagreement told was a false alarm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eval.questions import TRAITS, Question
from eval.runs import Row
from eval.significance import summary

# What each figure of a trait says; the order is that of the tables.
FIGURES: Mapping[str, str] = {
    "first_right": "the first citation supports the evidence, of the answerable (as_of: it held then)",
    "answered_wrongly": "called answered, though nothing is right to answer or the first citation is wrong",
    "all_cited": "every piece of evidence is cited",
    "conflict_told": "the answer says that sources disagree, and cites both sides (conflict alone)",
    "in_date_order": "evidence of at least two dates is cited in their order (change alone)",
}
UNMARKED = "nobody has marked the question's traits"


def measures(
    row: Row, question: Question, support: Sequence[Sequence[int]], *, claimed: bool, first: float | str
) -> dict[str, float | str]:
    """What the traits make of an answer, by metric: 0..1, or why it is unmeasured.

    ``support`` gives for each citation the pieces of evidence it supports, ``first`` is the metric
    ``citation_first``, and ``claimed`` whether the question is called answered.
    """
    return {
        "no_wrong_claim": float(not claimed or first == 1.0),
        "conflict_told": _conflict_told(row, question, support),
        "no_false_alarm": _no_false_alarm(row, question),
        "in_date_order": _in_date_order(row, question),
    }


def _conflict_told(row: Row, question: Question, support: Sequence[Sequence[int]]) -> float | str:
    """1 when a disagreement is told between citations of two different sides."""
    if "conflict" not in question.all_traits:
        return "no conflict is marked"
    if "disagreements" not in row:
        return "the run does not say what disagreed"
    return float(any(support[i] and support[j] and support[i] != support[j] for i, j in row["disagreements"]))


def _no_false_alarm(row: Row, question: Question) -> float | str:
    if question.traits is None:
        return UNMARKED
    if "conflict" in question.all_traits:
        return "its sources do disagree"
    if "disagreements" not in row:
        return "the run does not say what disagreed"
    return float(not row["disagreements"]) if row["citations"] else "no evidence was shown"


def _in_date_order(row: Row, question: Question) -> float | str:
    if "change" not in question.all_traits:
        return "no change over time is asked for"
    dates = [citation["date"] for citation in row["citations"] if citation["date"]]
    return float(dates == sorted(dates)) if len(set(dates)) > 1 else "evidence of fewer than two dates"


def by_trait(
    rows: Sequence[Row], scores: Mapping[str, Mapping[str, float | None]]
) -> dict[str, dict[str, Any]]:
    """For each trait that rows carry: how many do, how many of them are answerable, and the figures.

    Each figure is a mean with its interval over the questions it could be measured on.
    """
    found = {}
    for trait in TRAITS:
        here = [scores[row["id"]] for row in rows if trait in row.get("traits", ())]
        if not here:
            continue
        found[trait] = {
            "n": len(here),
            "answerable": sum(values["answered"] is not None for values in here),
            "first_right": summary([values["citation_first"] for values in here]),
            "answered_wrongly": summary([_other(values.get("no_wrong_claim")) for values in here]),
            "all_cited": summary([_whole(values["evidence_cited"]) for values in here]),
            "conflict_told": summary([values.get("conflict_told") for values in here]),
            "in_date_order": summary([values.get("in_date_order") for values in here]),
        }
    return found


def false_alarms(
    rows: Sequence[Row], scores: Mapping[str, Mapping[str, float | None]]
) -> dict[str, float | int | None]:
    """How often a disagreement is told of questions marked as having none, of those shown evidence."""
    return summary([_other(scores[row["id"]].get("no_false_alarm")) for row in rows])


def _other(value: float | None) -> float | None:
    return None if value is None else 1.0 - value


def _whole(value: float | None) -> float | None:
    return None if value is None else float(value == 1.0)
