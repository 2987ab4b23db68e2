"""``rag eval calibrate``: the shipped confidence fitted to a user's own questions of one store.

From so few questions no weights can be learnt. What is fitted is the threshold from which on an answer is
claimed, and with enough questions two numbers more: slope and offset of the shipped confidence's logit (Platt
1999), which leave the order of confidences as it is. How good that is, is measured on kept-out documents: the
threshold for a question is chosen without any question whose first citation is from the same document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eval.calibrate import ANSWERS_ALL, Case, asked_cases, fit_logistic, folds, least_threshold
from eval.questions import Question
from eval.significance import bootstrap_interval
from rag.answering.calibration import Calibrator, load_calibrator
from rag.answering.store_calibration import StoreCalibration, calibrator_sha256
from rag.assistant import Assistant
from rag.errors import UsageError
from rag.reader import reader_fingerprint
from rag.settings import Settings

Floats = NDArray[np.float64]

LEAST = 20  # answerable questions, and others: fewer cannot tell a better threshold from luck
LEAST_TO_SCALE = 50  # of each, for two numbers more
PRECISION = 0.9  # share of right answers among those claimed
PENALTY = 1.0  # of the squared slope of a standardised logit


@dataclass(frozen=True, slots=True)
class Decision:
    """What is claimed of a set of questions: how many, how many of them rightly, and of which kind."""

    n_claimed: int
    n_right: int
    n_answerable: int
    n_answerable_claimed: int
    n_unanswerable: int
    n_unanswerable_claimed: int

    @property
    def precision(self) -> float | None:
        """The share of right answers among those claimed."""
        return self.n_right / self.n_claimed if self.n_claimed else None


@dataclass(frozen=True, slots=True)
class Fit:
    """A threshold and a scaling, with what they do beside what is shipped.

    ``kept_out`` judges every question by a threshold chosen without its document; ``low``..``high`` is the
    95 % interval of its precision. ``loss_before`` and ``loss_after`` are the kept-out log losses (nats) of
    the confidence unscaled and scaled, None where there are too few questions to scale.
    """

    precision: float
    answered_before: float
    answered: float
    slope: float
    offset: float
    before: Decision
    after: Decision
    kept_out: Decision
    low: float | None
    high: float | None
    n_documents: int
    loss_before: float | None = None
    loss_after: float | None = None

    @property
    def scaled(self) -> bool:
        """Whether the confidence itself was refitted, not its threshold alone."""
        return (self.slope, self.offset) != (1.0, 0.0)


def calibrate_store(
    settings: Settings,
    questions: Sequence[Question],
    precision: float = PRECISION,
    asked: Callable[[int, int], object] = lambda done, n: None,
) -> tuple[StoreCalibration, Fit]:
    """Ask every question of the store and fit; ``asked`` is called with (done, all).

    Raises UsageError where the questions are too few, or no threshold makes enough of the answers right.
    """
    check_enough(questions)
    with Assistant.open(settings=settings, calibrator=ANSWERS_ALL) as assistant:
        cases = []
        for case in asked_cases(assistant, questions):
            cases.append(case)
            asked(len(cases), len(questions))
        encoder = assistant.store.manifest.encoder_fingerprint
    shipped = load_calibrator(settings.reader.model)
    fitted = fit(cases, shipped, precision)
    return kept(fitted, shipped, reader_fingerprint(settings.reader, encoder), encoder), fitted


def check_enough(questions: Sequence[Question]) -> None:
    """Raise UsageError where there are too few questions of either kind."""
    n_answerable = sum(question.answerable for question in questions)
    n_other = len(questions) - n_answerable
    if min(n_answerable, n_other) < LEAST:
        raise UsageError(
            f"{LEAST} answerable and {LEAST} unanswerable questions are needed, "
            f"there are {n_answerable} and {n_other}",
            "write more of them; an unanswerable one has empty answers and evidence",
        )


def fit(cases: Sequence[Case], shipped: Calibrator, precision: float) -> Fit:
    """The lowest threshold that keeps the precision, and where it helps a scaling of the confidence.

    Raises UsageError where no threshold keeps it.
    """
    right = np.array([float(case.right) for case in cases])
    confidence = np.array([shipped.confidence(case.signals) for case in cases])
    claimable = np.array([case.claimable for case in cases])
    documents = [case.subject for case in cases]
    threshold = chosen_threshold(confidence[claimable], right[claimable], precision)
    slope, offset, loss_before, loss_after = _scaling(cases, confidence, right, documents)
    kept_out = claimable & _kept_out_claims(confidence, right, claimable, documents, precision)
    low, high = precision_interval(right[kept_out].tolist())
    return Fit(
        precision=precision,
        answered_before=shipped.answered,
        answered=_rounded_down(float(_sigmoid(slope * _logit(threshold) + offset))),
        slope=slope,
        offset=offset,
        before=decision(cases, claimable & (confidence >= shipped.answered)),
        after=decision(cases, claimable & (confidence >= threshold)),
        kept_out=decision(cases, kept_out),
        low=low,
        high=high,
        n_documents=len(set(documents)),
        loss_before=loss_before,
        loss_after=loss_after,
    )


def decision(cases: Sequence[Case], claimed: NDArray[np.bool_]) -> Decision:
    """What these claims (n,) amount to."""
    made = [case for case, is_claimed in zip(cases, claimed, strict=True) if is_claimed]
    return Decision(
        n_claimed=len(made),
        n_right=sum(case.right for case in made),
        n_answerable=sum(case.answerable for case in cases),
        n_answerable_claimed=sum(case.answerable for case in made),
        n_unanswerable=sum(not case.answerable for case in cases),
        n_unanswerable_claimed=sum(not case.answerable for case in made),
    )


def precision_interval(right: Sequence[float]) -> tuple[float | None, float | None]:
    """The 95 % interval of the share of right answers, None for no answers.

    By the bootstrap; where all answers are alike it has no width, and the exact binomial one is taken.

    >>> [round(bound, 2) for bound in precision_interval([1.0] * 20)]  # all right; 0.025 ** (1 / 20)
    [0.83, 1.0]
    >>> precision_interval([])
    (None, None)
    """
    from scipy.stats import binomtest

    if not right:
        return None, None
    if len(set(right)) > 1:
        return bootstrap_interval(right)
    interval = binomtest(int(sum(right)), len(right)).proportion_ci()
    return float(interval.low), float(interval.high)


def kept(fitted: Fit, shipped: Calibrator, reader: str, encoder: str) -> StoreCalibration:
    """What is kept in the store of a fit."""
    from datetime import UTC, datetime

    return StoreCalibration(
        answered=fitted.answered,
        precision=fitted.precision,
        reader=reader,
        encoder=encoder,
        shipped=calibrator_sha256(shipped),
        slope=fitted.slope,
        offset=fitted.offset,
        fitted_on={
            "fitted": datetime.now(UTC).date().isoformat(),
            "n_answerable": fitted.after.n_answerable,
            "n_unanswerable": fitted.after.n_unanswerable,
            "n_documents": fitted.n_documents,
            "kept_out_precision": fitted.kept_out.precision,
            "low": fitted.low,
            "high": fitted.high,
        },
    )


def lines(fitted: Fit) -> Iterator[str]:
    """The fit as a screen says it: shipped beside fitted, then how sure that is."""
    before, after, kept_out = fitted.before, fitted.after, fitted.kept_out
    yield (
        f"{after.n_answerable} answerable and {after.n_unanswerable} other questions, "
        f"cited from {fitted.n_documents} documents"
    )
    yield f"{'':24}{'shipped':>12}{'yours':>12}"
    yield f"{'answers from':24}{fitted.answered_before:>12.2f}{fitted.answered:>12.2f}"
    yield f"{'of those right':24}{_share(before):>12}{_share(after):>12}"
    yield f"{'answerable answered':24}{_of(before, True):>12}{_of(after, True):>12}"
    yield f"{'others answered':24}{_of(before, False):>12}{_of(after, False):>12}"
    if kept_out.precision is None or fitted.low is None or fitted.high is None:
        yield "Judged by thresholds chosen without the document asked about, nothing is answered."
    else:
        yield (
            f"Judged by thresholds chosen without the document asked about: {kept_out.n_right} of "
            f"{kept_out.n_claimed} right, {kept_out.precision:.0%} (95 % interval "
            f"{fitted.low:.0%} to {fitted.high:.0%}), {_of(kept_out, True)} answerable answered."
        )
    yield _scaling_line(fitted)


def _scaling_line(fitted: Fit) -> str:
    if fitted.loss_before is None or fitted.loss_after is None:
        return f"The confidence is as shipped: {LEAST_TO_SCALE} questions of each kind can refit it."
    losses = f"kept-out log loss {fitted.loss_before:.3f} as shipped, {fitted.loss_after:.3f} refitted"
    return f"The confidence is {'refitted' if fitted.scaled else 'as shipped'}: {losses}."


def _share(decision: Decision) -> str:
    return "–" if decision.precision is None else f"{decision.n_right}/{decision.n_claimed}"


def _of(decision: Decision, answerable: bool) -> str:
    if answerable:
        return f"{decision.n_answerable_claimed}/{decision.n_answerable}"
    return f"{decision.n_unanswerable_claimed}/{decision.n_unanswerable}"


def chosen_threshold(confidence: Floats, right: Floats, precision: float) -> float:
    """The lowest threshold from which on that share of answers is right.

    >>> chosen_threshold(np.array([0.9, 0.6, 0.3]), np.array([1.0, 1.0, 0.0]), 0.9)
    0.6
    """
    threshold = least_threshold(confidence, right, precision)
    if threshold == 1.0:
        best = max((right[confidence >= value].mean() for value in set(confidence)), default=0.0)
        raise UsageError(
            f"no threshold makes {precision:.0%} of the answers right: the best makes {best:.0%}",
            "ask for less with --precision, or see why they are wrong: rag eval run, rag eval report",
        )
    return threshold


def _kept_out_claims(
    confidence: Floats,
    right: Floats,
    claimable: NDArray[np.bool_],
    documents: Sequence[str],
    precision: float,
) -> NDArray[np.bool_]:
    """What (n,) is sure enough by a threshold chosen without its document; of one document, nothing."""
    sure = np.zeros(len(confidence), dtype=bool)
    if len(set(documents)) < 2:
        return sure
    for kept_rows, held in folds(documents):
        rows = kept_rows[claimable[kept_rows]]
        sure[held] = confidence[held] >= least_threshold(confidence[rows], right[rows], precision)
    return sure


def _rounded_down(threshold: float) -> float:
    """To four digits, downwards: the least sure answer that counts must still reach it."""
    return float(np.floor(threshold * 1e4) / 1e4)


def _scaling(
    cases: Sequence[Case], confidence: Floats, right: Floats, documents: Sequence[str]
) -> tuple[float, float, float | None, float | None]:
    """Slope and offset of the logit (1 and 0 where they do not help), kept-out log loss without and with."""
    n_answerable = sum(case.answerable for case in cases)
    enough = min(n_answerable, len(cases) - n_answerable) >= LEAST_TO_SCALE
    if not enough or len(set(documents)) < 2 or len(set(right.tolist())) < 2:
        return 1.0, 0.0, None, None
    logits = np.array([_logit(value) for value in confidence])
    scaled = np.zeros(len(logits))
    for kept_rows, held in folds(documents):
        slope, offset = _platt(logits[kept_rows], right[kept_rows])
        scaled[held] = _sigmoid(slope * logits[held] + offset)
    before, after = _log_loss(confidence, right), _log_loss(scaled, right)
    slope, offset = _platt(logits, right)
    return (slope, offset, before, after) if after < before and slope > 0 else (1.0, 0.0, before, after)


def _platt(logits: Floats, right: Floats) -> tuple[float, float]:
    """Slope and offset (Platt 1999) fitted to these; 1 and 0 where all are alike."""
    if len(set(right.tolist())) < 2:
        return 1.0, 0.0
    mean, deviation = float(logits.mean()), float(logits.std()) or 1.0
    weight, bias = fit_logistic(((logits - mean) / deviation)[:, None], right, PENALTY)
    return float(weight / deviation), float(bias - weight * mean / deviation)


def _log_loss(confidence: Floats, right: Floats) -> float:
    sure = np.clip(confidence, 1e-6, 1 - 1e-6)
    return float(-np.mean(right * np.log(sure) + (1 - right) * np.log(1 - sure)))


def _logit(confidence: float) -> float:
    bounded = min(max(float(confidence), 1e-13), 1 - 1e-13)
    return float(np.log(bounded / (1 - bounded)))


def _sigmoid(logit: Floats | float) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.asarray(logit))))


def store_of(settings: Settings) -> Path:
    """The store's folder; raises UsageError where there is no store."""
    from rag.store import Store

    if not Store.exists(settings.store):
        raise UsageError(f"there is no store at {settings.store}", "rag index PATH")
    return settings.store
