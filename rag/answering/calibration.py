"""Confidence: the probability that the first citation answers the question.

A logistic model over a few signals that a person could check, fitted on development questions only
(``eval.calibrate``) and shipped as numbers in a JSON file. Its thresholds come from the
contract stated beside them, not from taste.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources

from rag.answering.evidence import Evidence
from rag.answering.question import Kind, ParsedQuestion, can_answer, states_reason
from rag.records import Ranked
from rag.retrieval.term_weights import TermWeights
from rag.text.dates import years_in

# Signals enter the model within these bounds, so that no single one can outshout the rest.
RELEVANCE_BOUND = 12.0
MARK_BOUND = 30.0


def _bounded(value: float, bound: float) -> float:
    return max(-bound, min(bound, value))


def _score(ranked: Sequence[Ranked], ranker: str) -> float:
    return next((r.score for r in ranked if r.ranker == ranker), 0.0)


def _spread(relevances: Sequence[float]) -> float:
    """Entropy (nats) of the readings as one distribution: low when one passage stands out.

    >>> round(_spread([1.0, 1.0]), 3), round(_spread([9.0, -9.0]), 3)
    (0.693, 0.0)
    """
    highest = max(relevances)
    weights = [math.exp(value - highest) for value in relevances]
    total = sum(weights)
    return -sum(w / total * math.log(w / total) for w in weights if w > 0)


def signals(question: ParsedQuestion, ranked: Sequence[Evidence], weights: TermWeights) -> dict[str, float]:
    """The signals of one question, of the evidence that was read to its end, best first and not empty.

    Margins are of the first passage over the others; ``mark_lead`` is of its best mark over its second.
    ``agreement`` is the share of the next four passages that mark a word of the best mark; ``year_missing``
    is 1 when the question names a year that the first passage and its header do not.
    """
    first, others = ranked[0], ranked[1:]
    relevances = [evidence.reading.relevance for evidence in ranked]
    marks = first.reading.marks
    best = marks[0].score if marks else -MARK_BOUND
    rival = max((e.reading.marks[0].score for e in others if e.reading.marks), default=best)
    second = marks[1].score if len(marks) > 1 else best
    words = set(first.marked.casefold().split())
    near = others[:4]
    agreeing = sum(bool(words & set(other.marked.casefold().split())) for other in near)
    far = relevances[4:] or relevances[1:] or relevances
    return {
        "relevance": _bounded(relevances[0], RELEVANCE_BOUND),
        "margin": _bounded(relevances[0] - (relevances[1:] or relevances)[0], RELEVANCE_BOUND),
        "margin_far": _bounded(relevances[0] - sum(far) / len(far), RELEVANCE_BOUND),
        "spread": _spread(relevances),
        "relevant": float(sum(value > 0 for value in relevances)),
        "mark": _bounded(best, MARK_BOUND),
        "mark_margin": _bounded(best - rival, MARK_BOUND),
        "mark_lead": _bounded(best - second, MARK_BOUND),
        "mark_length": math.log1p(len(first.marked)),
        "mark_fits": float(can_answer(question.kind, first.marked, question.language)),
        "reason_stated": float(question.kind is Kind.WHY and states_reason(first.quoted, question.language)),
        "agreement": agreeing / len(near) if near else 0.0,
        "coverage": first.passage_coverage,
        "coverage_best": max(evidence.passage_coverage for evidence in ranked[:5]),
        "known": weights.known(question.terms),
        "question_terms": float(len(question.terms)),
        "cosine": _score(first.hit.ranked, "dense"),
        "sentence_cosine": _score(first.hit.ranked, "sentences"),
        "bm25": _score(first.hit.ranked, "bm25"),
        "found_at": math.log(first.place),
        "year_missing": float(bool(question.years - years_in(first.context))),
        **{kind.value: float(question.kind is kind) for kind in Kind if kind is not Kind.WHAT},
    }


@dataclass(frozen=True, slots=True)
class Calibrator:
    """A logistic model over signals, and the two thresholds.

    ``weights`` act on ``(signal - mean) / scale``. From ``answered`` on, an answer is given; below it the
    answer is weak if the subject is here (``subject`` weighs coverage and nearness), else none is given.
    ``contract`` says in words what the thresholds were chosen to keep.
    """

    weights: Mapping[str, float]
    mean: Mapping[str, float]
    scale: Mapping[str, float]
    bias: float
    answered: float
    subject: Mapping[str, float]
    contract: str = ""
    reader: str = ""
    fitted_on: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def load(cls, text: str) -> Calibrator:
        """The calibrator written as JSON."""
        return cls(**json.loads(text))

    def confidence(self, signals: Mapping[str, float]) -> float:
        """The probability that the first citation answers, 0..1."""
        z = self.bias + sum(
            weight * (signals[name] - self.mean[name]) / self.scale[name]
            for name, weight in self.weights.items()
        )
        return 1.0 / (1.0 + math.exp(-_bounded(z, 30.0)))

    def subject_is_here(self, signals: Mapping[str, float]) -> bool:
        """Whether the documents speak of what is asked about, though perhaps not to the point.

        >>> rule = {"coverage_best": 0.3, "sentence_cosine": 0.3}
        >>> c = Calibrator({}, {}, {}, 0.0, 0.5, rule)
        >>> c.subject_is_here({"coverage_best": 0.5, "sentence_cosine": 0.1}), c.subject_is_here(
        ...     {"coverage_best": 0.1, "sentence_cosine": 0.1})
        (True, False)
        """
        return any(signals[name] >= least for name, least in self.subject.items())


def load_calibrator(reader: str) -> Calibrator:
    """The calibrator shipped for a reader; for one without, the reader's own relevance taken at its word."""
    path = resources.files("rag.reader").joinpath("weights", f"calibration-{reader}.json")
    if not path.is_file():
        unit = {"relevance": 1.0}
        return Calibrator(
            weights=unit,
            mean={"relevance": 0.0},
            scale=unit,
            bias=0.0,
            answered=0.5,
            subject={"coverage_best": 0.5, "sentence_cosine": 0.5},
            contract="none: no questions were at hand to fit it on",
            reader=reader,
        )
    return Calibrator.load(path.read_text("utf-8"))
