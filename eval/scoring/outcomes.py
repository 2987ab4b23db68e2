"""What became of each question, and how well the confidence of a whole set tells right from wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval.runs import Row
from eval.scoring.confidence import answering, auroc, calibration_error, coverage_at, risk_coverage_area
from eval.scoring.judged import is_claimed, is_shown
from eval.significance import bootstrap_statistic

PRECISIONS = (0.80, 0.90, 0.95)
NOT_SHOWN = -1.0  # below every confidence


@dataclass(frozen=True, slots=True)
class Outcomes:
    """A set of questions as lists of one order: how sure, right or not, shown, claimed, answerable.

    ``right`` says that the first citation is right, ``shown`` that there is one, ``claimed`` that the
    question is called answered, ``answerable`` that something could be right.
    """

    confidence: list[float]
    right: list[bool]
    shown: list[bool]
    claimed: list[bool]
    answerable: list[bool]

    @classmethod
    def of(cls, rows: Sequence[Row], scores: Mapping[str, Mapping[str, float | None]]) -> Outcomes:
        """The outcomes of a run's rows, in their order."""
        return cls(
            confidence=[float(row["confidence"]) for row in rows],
            right=[scores[row["id"]]["citation_first"] == 1.0 for row in rows],
            shown=[is_shown(row) for row in rows],
            claimed=[is_claimed(row) for row in rows],
            answerable=[scores[row["id"]]["answered"] is not None for row in rows],
        )

    def take(self, numbers: Iterable[int]) -> Outcomes:
        """The outcomes of these questions, by number, in the order given; a number may come twice.

        >>> Outcomes([0.9, 0.1], [True, False], [True, True], [True, False], [True, True]).take([1, 1]).right
        [False, False]
        """
        numbers = list(numbers)
        return Outcomes(
            [self.confidence[n] for n in numbers],
            [self.right[n] for n in numbers],
            [self.shown[n] for n in numbers],
            [self.claimed[n] for n in numbers],
            [self.answerable[n] for n in numbers],
        )

    def __len__(self) -> int:
        return len(self.confidence)

    @property
    def of_shown(self) -> Outcomes:
        """The outcomes of the questions that were shown evidence."""
        return self.take(n for n, shown in enumerate(self.shown) if shown)

    @property
    def ranked_confidence(self) -> list[float]:
        """Confidence, with what was not shown last: at no threshold can it be covered."""
        return [sure if shown else NOT_SHOWN for sure, shown in zip(self.confidence, self.shown, strict=True)]

    def auroc(self) -> float | None:
        """How well confidence tells answerable questions from others, abstentions included."""
        return auroc(self.confidence, self.answerable)

    def risk_coverage_area(self) -> float | None:
        """The area under risk and coverage; an unanswered question is not right and last in line."""
        return risk_coverage_area(self.ranked_confidence, self.right)


def confidence_figures(outcomes: Outcomes) -> dict[str, Any]:
    """How well confidence separates, with intervals by resampling questions.

    Coverage counts an unanswered question as not right and as last in line. Calibration and ``auroc_right``
    are over the answers shown.
    """
    shown, claimed = outcomes.of_shown, outcomes.claimed
    claimed_right = [c and r for c, r in zip(claimed, outcomes.right, strict=True)]
    n = len(outcomes)
    return {
        "auroc": outcomes.auroc(),
        "auroc_right": auroc(shown.confidence, shown.right),
        "risk_coverage_area": outcomes.risk_coverage_area(),
        "calibration_error": calibration_error(shown.confidence, shown.right),
        "answered_or_weak": answering(outcomes.shown, outcomes.right, outcomes.answerable),
        "answered_only": answering(claimed, claimed_right, outcomes.answerable),
        **{
            f"coverage_at_{round(100 * precision)}": coverage_at(
                precision, outcomes.ranked_confidence, outcomes.right
            )
            for precision in PRECISIONS
        },
        "intervals": {
            "auroc": bootstrap_statistic(
                lambda drawn: outcomes.take(drawn).auroc(), n, n_resamples=resamples(n)
            ),
            "risk_coverage_area": bootstrap_statistic(
                lambda drawn: outcomes.take(drawn).risk_coverage_area(), n, n_resamples=resamples(n)
            ),
        },
    }


def resamples(n: int) -> int:
    """1000 for a set of the usual size; fewer for thousands of questions, whose intervals are narrow."""
    return 1000 if n <= 1000 else 200
