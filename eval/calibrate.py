"""Fit the assistant's confidence on development questions, by cross-fitting, and say how honest it is.

    python -m eval.calibrate --out FILE [SUBJECT:]QUESTIONS=STORE ...

Only rows of split "dev" are used. Every question is asked with the thresholds out of the way; the label is
whether the first citation supports the gold evidence. The figures printed are of predictions made by models
that had seen no question about the same documents: one fold a SUBJECT, which is the question file's name
where none is given.

This makes the calibration that is shipped. ``rag eval calibrate`` (eval.calibrate_store) fits that one to a
user's own questions.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eval.questions import Question, load_questions, question_files
from eval.runs.record import Recorder
from eval.scoring.confidence import auroc, calibration_error, risk_coverage
from eval.scoring.judged import Judged
from rag.answering.calibration import Calibrator
from rag.assistant import Assistant
from rag.records import Status
from rag.settings import load_settings

Floats = NDArray[np.float64]

# What confidence goes by. Chosen one after another, while it grew better on questions about other documents:
# log loss, cross-fitted by subject, .601 with the first alone, .554 with these nine, .578 with all of 30.
SIGNALS = (
    "relevance",
    "found_at",
    "why",
    "mark_margin",
    "agreement",
    "change",
    "mark_fits",
    "year_missing",
    "mark",
)
PENALTY = 20.0  # of squared weights on standardised signals: some 700 questions bear no more freedom
PRECISION = 0.8  # the contract: of the development questions answered, at least this share is right
SUBJECT_KEPT = 0.985  # share of answerable questions that must be recognised as on the subject
SUBJECT_SIGNALS = ("coverage_best", "sentence_cosine", "relevance")


# Gives every question its nearest evidence, however doubtful: what is measured is which of it is right.
ANSWERS_ALL = Calibrator(weights={}, mean={}, scale={}, bias=0.0, answered=0.0, subject={"known": 0.0})


@dataclass(frozen=True, slots=True)
class Case:
    """One development question: its signals, and whether its first citation is right.

    ``subject`` is shared by the questions about the same documents. What is not ``claimable`` is called weak
    whatever the confidence: a sentence that states no reason, say, where why was asked.
    """

    id: str
    subject: str
    signals: dict[str, float]
    right: bool
    answerable: bool
    on_subject: bool
    claimable: bool = True


def fit_logistic(x: Floats, y: Floats, penalty: float) -> Floats:
    """Weights (d + 1,) of a ridge-penalised logistic model, the bias last and free.

    Shapes: x (n, d) standardised, y (n,) of 0 and 1, both among them.

    >>> w = fit_logistic(np.array([[-1.0], [-1.0], [1.0], [1.0]]), np.array([0.0, 1.0, 1.0, 1.0]), 1.0)
    >>> bool(w[0] > 0)
    True
    """
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1 / penalty, solver="newton-cholesky", tol=1e-9).fit(x, y)
    return np.append(model.coef_[0], model.intercept_[0])


def cross_fitted(x: Floats, y: Floats, subjects: Sequence[str], penalty: float = PENALTY) -> Floats:
    """Each row's probability (n,) by a model fitted without the rows of the same subject."""
    out = np.zeros(len(x))
    for kept, held in folds(subjects):
        mean, scale = _standard(x[kept])
        weights = fit_logistic((x[kept] - mean) / scale, y[kept], penalty)
        out[held] = 1 / (1 + np.exp(-(((x[held] - mean) / scale) @ weights[:-1] + weights[-1])))
    return out


def folds(subjects: Sequence[str]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """The rows to fit on and the rows held out, a fold for each subject, in the order of their names.

    >>> [(kept.tolist(), held.tolist()) for kept, held in folds(["b", "a", "b"])]
    [([0, 2], [1]), ([1], [0, 2])]
    """
    from sklearn.model_selection import LeaveOneGroupOut

    yield from LeaveOneGroupOut().split(np.zeros(len(subjects)), groups=subjects)


def _standard(x: Floats) -> tuple[Floats, Floats]:
    scale = x.std(axis=0)
    return x.mean(axis=0), np.where(scale > 1e-9, scale, 1.0)


def least_threshold(confidence: Floats, right: Floats, precision: float) -> float:
    """The lowest threshold from which on the answers given are right in at least that share; 1.0 for none.

    Answers of one confidence are given together.

    >>> least_threshold(np.array([0.9, 0.8, 0.6, 0.2]), np.array([1.0, 1.0, 0.0, 1.0]), 0.9)
    0.8
    >>> least_threshold(np.array([0.9, 0.8, 0.8]), np.array([1.0, 1.0, 0.0]), 0.9)
    0.9
    """
    points = risk_coverage(confidence.tolist(), right.astype(bool).tolist())
    kept = [point.threshold for point in points if 1 - point.risk >= precision - 1e-12]
    return min(kept, default=1.0)


def gather(pairs: Sequence[tuple[str, Path, Path]]) -> tuple[list[Case], str]:
    """Ask every development question of its store, whatever the confidence; also the reader's name."""
    cases: list[Case] = []
    reader = ""
    for subject, questions, store in pairs:
        settings = load_settings({"store": store}).settings
        development = [q for q in load_questions(question_files([questions])) if q.split == "dev"]
        with Assistant.open(store, settings=settings, calibrator=ANSWERS_ALL) as assistant:
            cases += asked_cases(assistant, development, subject)
        reader = settings.reader.model
    return cases, reader


def asked_cases(
    assistant: Assistant, questions: Iterable[Question], subject: str | None = None
) -> Iterator[Case]:
    """The case of each question, asked of an assistant that answers all, however unsure.

    Without a ``subject`` it is the document cited first.
    """
    recorder = Recorder(assistant.store, assistant.search, k=10)
    for question in questions:
        asked = question.standalone or question.question
        answer = assistant.ask(asked)
        row, _ = recorder.row(question.id, asked, question, answer)
        cited = row["citations"][0]["document"] if row["citations"] else ""
        yield Case(
            question.id,
            cited if subject is None else subject,
            dict(answer.signals),
            right=Judged.of(row, {question.id: question}).first_right == 1.0,
            answerable=question.answerable,
            on_subject=question.type != "off_subject",
            claimable=answer.status is Status.ANSWERED,
        )


def subject_rule(cases: Sequence[Case]) -> dict[str, float]:
    """Least values of which one must be reached, set to keep out as much that is off subject as can be.

    They start above nine tenths of the off-subject questions and sink until SUBJECT_KEPT of the answerable
    ones pass; where nothing answers, silence is as true as the nearest evidence.
    """
    on = [case for case in cases if case.answerable]
    off = [case for case in cases if not case.on_subject] or list(cases)
    for share in np.linspace(0.9, 0.0, 19):
        rule = {
            name: round(float(np.quantile([case.signals[name] for case in off], share)), 3)
            for name in SUBJECT_SIGNALS
        }
        if np.mean([_passes(case, rule) for case in on]) >= SUBJECT_KEPT:
            break
    return rule


def _passes(case: Case, rule: Mapping[str, float]) -> bool:
    return any(case.signals[name] >= least for name, least in rule.items())


def calibrate(cases: Sequence[Case], reader: str) -> tuple[Calibrator, dict[str, object]]:
    """The calibrator fitted on all cases, and the figures of its cross-fitted twin."""
    names = [name for name in SIGNALS if name in cases[0].signals]
    x = np.array([[case.signals[name] for name in names] for case in cases])
    y = np.array([float(case.right) for case in cases])
    cross = cross_fitted(x, y, [case.subject for case in cases])
    threshold = least_threshold(cross, y, PRECISION)
    mean, scale = _standard(x)
    weights = fit_logistic((x - mean) / scale, y, PENALTY)
    rule = subject_rule(cases)
    figures = figures_of(cases, cross, threshold, rule)
    calibrator = Calibrator(
        weights={name: round(float(w), 5) for name, w in zip(names, weights[:-1], strict=True)},
        mean={name: round(float(m), 5) for name, m in zip(names, mean, strict=True)},
        scale={name: round(float(s), 5) for name, s in zip(names, scale, strict=True)},
        bias=round(float(weights[-1]), 5),
        answered=round(threshold, 4),
        subject=rule,
        contract=f"of the development questions answered, at least {PRECISION:.0%} cite right evidence first",
        reader=reader,
        fitted_on=figures,
    )
    return calibrator, figures


def figures_of(
    cases: Sequence[Case], cross: Floats, threshold: float, rule: Mapping[str, float]
) -> dict[str, object]:
    """How good the cross-fitted probabilities (n,) are, and what the thresholds let through."""
    right = [case.right for case in cases]
    answerable = np.array([case.answerable for case in cases])
    y = np.array(right, float)
    answered = cross >= threshold
    off = [case for case in cases if not case.on_subject]
    return {
        "questions": len(cases),
        "subjects": len({case.subject for case in cases}),
        "first_citation_right": float(y.mean()),
        "first_citation_right_of_answerable": float(y[answerable].mean()),
        "auroc_right": auroc(cross.tolist(), right),
        "auroc_answerable": auroc(cross.tolist(), answerable.tolist()),
        "calibration_error": calibration_error(cross.tolist(), right),
        "answered": float(answered.mean()),
        "precision_of_answered": float(y[answered].mean()) if answered.any() else None,
        "answerable_answered": float(answered[answerable].mean()),
        "off_subject_abstained": float(np.mean([not _passes(c, rule) for c in off])) if off else None,
        "answerable_abstained": float(np.mean([not _passes(c, rule) for c in cases if c.answerable])),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit, write and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "pairs", nargs="+", help="[SUBJECT:]QUESTIONS=STORE: a question file, the store it is about"
    )
    parser.add_argument("--out", type=Path, required=True, help="the calibration file to write")
    parser.add_argument("--cases", type=Path, help="keep the cases here, to look at")
    options = parser.parse_args(arguments)
    pairs = []
    for pair in options.pairs:
        named, _, store = pair.partition("=")
        subject, _, questions = named.rpartition(":")
        pairs.append((subject or Path(questions).stem, Path(questions), Path(store)))
    cases, reader = gather(pairs)
    calibrator, figures = calibrate(cases, reader)
    written = {name: getattr(calibrator, name) for name in calibrator.__slots__}
    options.out.write_text(json.dumps(written, indent=1) + "\n", "utf-8")
    if options.cases:
        rows = [
            {
                "id": c.id,
                "subject": c.subject,
                "right": c.right,
                "answerable": c.answerable,
                "on_subject": c.on_subject,
                **c.signals,
            }
            for c in cases
        ]
        options.cases.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
