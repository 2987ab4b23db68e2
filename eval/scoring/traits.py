"""The traps and demands of real questions, measured apart: how a question of each trait is answered.

A trait is marked on a question by hand (``traits`` in its set) or follows from its type; ``eval.questions``
lists them. A question nobody has marked, ``traits`` being None, says nothing of what it lacks: it is no
witness that a disagreement told was a false alarm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eval.questions import TRAITS
from eval.runs import Row
from eval.scoring.catalogue import Value
from eval.scoring.judged import Judged
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
UNRECORDED = "the run does not say what disagreed"


def trait_metrics(judged: Judged) -> dict[str, Value]:
    """What the traits make of an answer, by metric: 0..1, or why it is unmeasured."""
    return {
        "no_wrong_claim": float(not judged.claimed or judged.first_right == 1.0),
        "conflict_told": _conflict_told(judged),
        "no_false_alarm": _no_false_alarm(judged),
        "in_date_order": _in_date_order(judged),
    }


def _conflict_told(judged: Judged) -> Value:
    """1 when a disagreement is told between citations of two different sides."""
    if "conflict" not in judged.question.all_traits:
        return "no conflict is marked"
    if "disagreements" not in judged.row:
        return UNRECORDED
    sides = judged.supported
    return float(any(sides[i] and sides[j] and sides[i] != sides[j] for i, j in judged.row["disagreements"]))


def _no_false_alarm(judged: Judged) -> Value:
    if judged.question.traits is None:
        return UNMARKED
    if "conflict" in judged.question.all_traits:
        return "its sources do disagree"
    if "disagreements" not in judged.row:
        return UNRECORDED
    return float(not judged.row["disagreements"]) if judged.shown else "no evidence was shown"


def _in_date_order(judged: Judged) -> Value:
    if "change" not in judged.question.all_traits:
        return "no change over time is asked for"
    dates = [citation["date"] for citation in judged.row["citations"] if citation["date"]]
    return float(dates == sorted(dates)) if len(set(dates)) > 1 else "evidence of fewer than two dates"


def by_trait(
    rows: Sequence[Row], scores: Mapping[str, Mapping[str, float | None]]
) -> dict[str, dict[str, Any]]:
    """For each trait that rows carry: how many do, how many of them are answerable, and the figures.

    Each figure is a mean with its interval over the questions it could be measured on.
    """
    figures: dict[str, dict[str, Any]] = {}
    for trait in TRAITS:
        carrying = [scores[row["id"]] for row in rows if trait in row.get("traits", ())]
        if not carrying:
            continue
        figures[trait] = {
            "n": len(carrying),
            "answerable": sum(values["answered"] is not None for values in carrying),
            "first_right": summary([values["citation_first"] for values in carrying]),
            "answered_wrongly": summary([_complement(values.get("no_wrong_claim")) for values in carrying]),
            "all_cited": summary([_is_all(values["evidence_cited"]) for values in carrying]),
            "conflict_told": summary([values.get("conflict_told") for values in carrying]),
            "in_date_order": summary([values.get("in_date_order") for values in carrying]),
        }
    return figures


def false_alarms(
    rows: Sequence[Row], scores: Mapping[str, Mapping[str, float | None]]
) -> dict[str, float | int | None]:
    """How often a disagreement is told of questions marked as having none, of those shown evidence."""
    return summary([_complement(scores[row["id"]].get("no_false_alarm")) for row in rows])


def _complement(value: float | None) -> float | None:
    return None if value is None else 1.0 - value


def _is_all(value: float | None) -> float | None:
    return None if value is None else float(value == 1.0)
