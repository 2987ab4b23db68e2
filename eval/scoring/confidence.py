"""How well confidence tells right answers from wrong ones, over a whole set of questions.

``confidence[i]`` belongs to question i; ``right[i]`` says whether what was answered is right. A question
without an answer is never right. Ties in confidence are one step: nobody can answer half of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


def auroc(score: Sequence[float], positive: Sequence[bool]) -> float | None:
    """The chance that a positive scores above a negative, ties counting half; None without both kinds.

    >>> auroc([0.9, 0.8, 0.3, 0.1], [True, False, True, False])  # 3 of the 4 pairs are in order
    0.75
    """
    import numpy as np
    from scipy.stats import rankdata

    positives = np.asarray(positive, bool)
    n_positive, n_negative = int(positives.sum()), int((~positives).sum())
    if n_positive == 0 or n_negative == 0:
        return None
    # Mann and Whitney's count of pairs in order; the middle rank for ties.
    above = rankdata(score)[positives].sum() - n_positive * (n_positive + 1) / 2
    return float(above / (n_positive * n_negative))


@dataclass(frozen=True, slots=True)
class CoveragePoint:
    """Answering at ``threshold`` or surer covers ``coverage`` of the questions, ``risk`` of them wrongly."""

    threshold: float
    coverage: float
    risk: float


def risk_coverage(confidence: Sequence[float], right: Sequence[bool]) -> list[CoveragePoint]:
    """The share of wrong answers as ever less sure ones are let through, one point a distinct confidence.

    >>> [(p.coverage, p.risk) for p in risk_coverage([0.9, 0.5, 0.5, 0.1], [True, True, False, False])]
    [(0.25, 0.0), (0.75, 0.3333333333333333), (1.0, 0.5)]
    """
    import numpy as np

    if not len(confidence):
        return []
    scores = np.asarray(confidence, float)
    order = np.argsort(-scores, kind="stable")
    scores, wrong = scores[order], np.cumsum(~np.asarray(right, bool)[order])
    last = np.flatnonzero(np.append(scores[1:] != scores[:-1], True))  # the last question of each step
    return [
        CoveragePoint(float(scores[i]), float((i + 1) / len(scores)), float(wrong[i] / (i + 1))) for i in last
    ]


def risk_coverage_area(confidence: Sequence[float], right: Sequence[bool]) -> float | None:
    """The mean risk over all coverages, 0 best (El-Yaniv and Wiener 2010); None for no questions.

    Each question adds the risk of the step it stands in, so ties cannot be ordered to advantage.

    >>> risk_coverage_area([0.9, 0.5, 0.5, 0.1], [True, True, False, False])  # (0 + 1/3 + 1/3 + 1/2) / 4
    0.29166666666666663
    """
    area = before = 0.0
    for point in risk_coverage(confidence, right):
        area += (point.coverage - before) * point.risk
        before = point.coverage
    return area if len(confidence) else None


def coverage_at(precision: float, confidence: Sequence[float], right: Sequence[bool]) -> float:
    """The largest share of questions that can be answered with at least this share of them right.

    >>> coverage_at(0.6, [0.9, 0.5, 0.5, 0.1], [True, True, False, False])
    0.75
    >>> coverage_at(0.9, [0.9, 0.5, 0.5, 0.1], [False, True, True, True])
    0.0
    """
    good = [p.coverage for p in risk_coverage(confidence, right) if 1 - p.risk >= precision - 1e-12]
    return max(good, default=0.0)


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers with confidence in ``low``..``high``: how many, how sure and how often right on average."""

    low: float
    high: float
    n: int
    confidence: float
    right: float


def reliability(confidence: Sequence[float], right: Sequence[bool], n_bins: int = 10) -> list[Bin]:
    """Answers in bins of equal width by confidence, empty bins left out; 1.0 belongs to the last bin.

    >>> [(b.low, b.n, b.right) for b in reliability([0.05, 0.95, 1.0], [False, True, False])]
    [(0.0, 1, 0.0), (0.9, 2, 0.5)]
    """
    rows: dict[int, list[tuple[float, bool]]] = {}
    for sure, good in zip(confidence, right, strict=True):
        rows.setdefault(min(int(sure * n_bins), n_bins - 1), []).append((sure, good))
    return [
        Bin(
            number / n_bins,
            (number + 1) / n_bins,
            len(group),
            sum(sure for sure, _ in group) / len(group),
            sum(good for _, good in group) / len(group),
        )
        for number, group in sorted(rows.items())
    ]


def calibration_error(confidence: Sequence[float], right: Sequence[bool], n_bins: int = 10) -> float | None:
    """The mean distance between confidence and how often it is right (ECE, Guo et al. 2017), 0 best.

    >>> round(calibration_error([0.1, 0.9, 0.9], [False, True, False]), 4)  # 1/3 * 0.1 + 2/3 * 0.4
    0.3
    """
    if not len(confidence):
        return None
    bins = reliability(confidence, right, n_bins)
    return sum(b.n * abs(b.confidence - b.right) for b in bins) / len(confidence)


def answering(
    answered: Sequence[bool], right: Sequence[bool], answerable: Sequence[bool]
) -> dict[str, float | None]:
    """Precision (right among answered) and recall (right among answerable); None where nothing counts.

    >>> answering([True, True, False], [True, False, False], [True, False, True])
    {'precision': 0.5, 'recall': 0.5}
    """
    n_right = sum(a and r for a, r in zip(answered, right, strict=True))
    return {
        "precision": n_right / sum(answered) if any(answered) else None,
        "recall": n_right / sum(answerable) if any(answerable) else None,
    }
