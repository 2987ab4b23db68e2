"""Fit the assistant's confidence on development questions, by cross-fitting, and say how honest it is.

    python -m eval.calibrate --out FILE [SUBJECT:]QUESTIONS=STORE ...

Only rows of split "dev" are used. Every question is asked with the thresholds out of the way; the label is
whether the first citation supports the gold evidence. The figures printed are of predictions made by models
that had seen no question about the same documents: one fold a SUBJECT, which is the question file's name
where none is given.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eval.questions import load_questions, question_files
from eval.runs.record import Recorder
from eval.scoring import citation_support
from eval.scoring.confidence import auroc, calibration_error
from rag.answering.calibration import Calibrator
from rag.assistant import Assistant
from rag.settings import load_settings

Floats = NDArray[np.float64]

# What confidence goes by: what speaks for the first passage, and against it. More of them fitted the
# questions they were fitted on better, and those about other documents no better.
SIGNALS = (
    "relevance",
    "margin",
    "spread",
    "mark",
    "mark_margin",
    "mark_fits",
    "agreement",
    "coverage",
    "sentence_cosine",
    "reason_stated",
    "why",
    "year_missing",
)
PENALTY = 20.0  # of squared weights on standardised signals: some 700 questions bear no more freedom
PRECISION = 0.70  # the contract: of the development questions answered, at least this share is right
SUBJECT_KEPT = 0.985  # share of answerable questions that must be recognised as on the subject
SUBJECT_SIGNALS = ("coverage_best", "sentence_cosine", "relevance")


# Gives every question its nearest evidence, however doubtful: what is measured is which of it is right.
ANSWERS_ALL = Calibrator(weights={}, mean={}, scale={}, bias=0.0, answered=0.0, subject={"known": 0.0})


@dataclass(frozen=True, slots=True)
class Case:
    """One development question: its signals, and whether its first citation is right.

    ``subject`` is shared by the questions about the same documents.
    """

    id: str
    subject: str
    signals: dict[str, float]
    right: bool
    answerable: bool
    on_subject: bool


def fit_logistic(x: Floats, y: Floats, penalty: float) -> Floats:
    """Weights (d + 1,) of a ridge-penalised logistic model, the bias last and free; by Newton's method.

    Shapes: x (n, d) standardised, y (n,) of 0 and 1.

    >>> w = fit_logistic(np.array([[-1.0], [-1.0], [1.0], [1.0]]), np.array([0.0, 1.0, 1.0, 1.0]), 1.0)
    >>> bool(w[0] > 0)
    True
    """
    design = np.hstack([x, np.ones((len(x), 1))])
    ridge = np.diag([penalty] * x.shape[1] + [0.0])
    weights = np.zeros(design.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-design @ weights))
        gradient = design.T @ (p - y) + ridge @ weights
        curvature = (design * (p * (1 - p))[:, None]).T @ design + ridge + 1e-9 * np.eye(len(weights))
        step = np.linalg.solve(curvature, gradient)
        weights -= step
        if np.abs(step).max() < 1e-9:
            break
    return weights


def cross_fitted(x: Floats, y: Floats, subjects: Sequence[str], penalty: float = PENALTY) -> Floats:
    """Each row's probability (n,) by a model fitted without the rows of the same subject."""
    out = np.zeros(len(x))
    for subject in sorted(set(subjects)):
        held = np.array([other == subject for other in subjects])
        mean, scale = _standard(x[~held])
        weights = fit_logistic((x[~held] - mean) / scale, y[~held], penalty)
        out[held] = 1 / (1 + np.exp(-(((x[held] - mean) / scale) @ weights[:-1] + weights[-1])))
    return out


def _standard(x: Floats) -> tuple[Floats, Floats]:
    scale = x.std(axis=0)
    return x.mean(axis=0), np.where(scale > 1e-9, scale, 1.0)


def least_threshold(confidence: Floats, right: Floats, precision: float) -> float:
    """The lowest threshold from which on the answers given are right in at least that share.

    >>> least_threshold(np.array([0.9, 0.8, 0.6, 0.2]), np.array([1.0, 1.0, 0.0, 1.0]), 0.9)
    0.8
    """
    order = np.argsort(-confidence, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    kept = np.flatnonzero(share >= precision)
    return float(confidence[order][kept[-1]]) if len(kept) else 1.0


def gather(pairs: Sequence[tuple[str, Path, Path]]) -> tuple[list[Case], str]:
    """Ask every development question of its store, whatever the confidence; also the reader's name."""
    cases: list[Case] = []
    reader = ""
    for subject, questions, store in pairs:
        settings = load_settings({"store": store}).settings
        with Assistant.open(store, settings=settings, calibrator=ANSWERS_ALL) as opened:
            recorder = Recorder(opened.store, opened.search, k=10)
            for question in load_questions(question_files([questions])):
                if question.split != "dev":
                    continue
                asked = question.standalone or question.question
                answer = opened.ask(asked)
                reader = str(answer.store["reader"])
                row, _ = recorder.row(question.id, asked, question, answer)
                support = citation_support(row)
                right = bool(question.evidence and support and support[0])
                on_subject = question.type != "off_subject"
                signals = dict(answer.signals)
                cases.append(Case(question.id, subject, signals, right, bool(question.evidence), on_subject))
    return cases, reader


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


def _passes(case: Case, rule: dict[str, float]) -> bool:
    return any(case.signals[name] >= least for name, least in rule.items())


def calibrate(cases: Sequence[Case], reader: str) -> tuple[Calibrator, dict[str, object]]:
    """The calibrator fitted on all cases, and the figures of its cross-fitted twin."""
    names = [name for name in SIGNALS if name in cases[0].signals]
    x = np.array([[case.signals[name] for name in names] for case in cases])
    y = np.array([float(case.right) for case in cases])
    subjects = [case.subject for case in cases]
    out = cross_fitted(x, y, subjects)
    threshold = least_threshold(out, y, PRECISION)
    answered = out >= threshold
    mean, scale = _standard(x)
    weights = fit_logistic((x - mean) / scale, y, PENALTY)
    rule = subject_rule(cases)
    off = [case for case in cases if not case.on_subject]
    figures: dict[str, object] = {
        "questions": len(cases),
        "subjects": len(set(subjects)),
        "first_citation_right": float(y.mean()),
        "first_citation_right_of_answerable": float(y[[c.answerable for c in cases]].mean()),
        "auroc_right": auroc(out.tolist(), [c.right for c in cases]),
        "auroc_answerable": auroc(out.tolist(), [c.answerable for c in cases]),
        "calibration_error": calibration_error(out.tolist(), [c.right for c in cases]),
        "answered": float(answered.mean()),
        "precision_of_answered": float(y[answered].mean()) if answered.any() else None,
        "answerable_answered": float(answered[[c.answerable for c in cases]].mean()),
        "off_subject_abstained": float(np.mean([not _passes(c, rule) for c in off])) if off else None,
        "answerable_abstained": float(np.mean([not _passes(c, rule) for c in cases if c.answerable])),
    }
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
