"""The decision to answer, to hedge or to be silent, and the outcome it makes of a question."""

from __future__ import annotations

from eval.scoring.catalogue import ANSWERABLE, NOT_ANSWERABLE, Value
from eval.scoring.judged import Judged


def decision(judged: Judged) -> dict[str, Value]:
    """The metrics of abstention and outcome of one row."""
    claimed, shown = float(judged.claimed), float(judged.shown)
    if not judged.question.answerable:
        return {
            "answered": NOT_ANSWERABLE,
            "shown": NOT_ANSWERABLE,
            "abstained": 1.0 - claimed,
            "silent": 1.0 - shown,
            "fresh": NOT_ANSWERABLE,
            "right": 1.0 - claimed,
        }
    return {
        "answered": claimed,
        "shown": shown,
        "abstained": ANSWERABLE,
        "silent": ANSWERABLE,
        "fresh": _fresh(judged),
        "right": float(judged.claimed and judged.first_right == 1.0),
    }


def _fresh(judged: Judged) -> Value:
    """0 when an older piece is cited and no citation supports a piece of the newest date."""
    pieces = judged.row["gold"]
    dates = [max((place["date"] or "" for place in piece["places"]), default="") for piece in pieces]
    if judged.question.type != "change" or len(set(dates)) < 2 or "" in dates:
        return "not a change between dated documents"
    cited_pieces = {n for supported in judged.supported for n in supported}
    if not cited_pieces:
        return "no evidence was cited"
    newest = {n for n, date in enumerate(dates) if date == max(dates)}
    return float(bool(cited_pieces & newest))
