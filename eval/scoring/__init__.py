"""Scoring: from the rows of a run to a value for every question and metric, or why there is none."""

from eval.scoring.catalogue import HEADLINE, METRICS, Score
from eval.scoring.judged import citation_support, is_claimed, is_located, is_shown, pieces_held
from eval.scoring.per_question import score

__all__ = [
    "HEADLINE",
    "METRICS",
    "Score",
    "citation_support",
    "is_claimed",
    "is_located",
    "is_shown",
    "pieces_held",
    "score",
]
