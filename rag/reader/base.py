"""What a reader is, its interface and its records.

Shown a question and candidate passages, it says how well each answers, and where.

The interface is this narrow so that readers can be exchanged and measured against each other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

# What two quotations that answer one question are to each other: they cannot both be the whole truth, they
# agree, or they tell of different matters (another year, another body, a part and the whole).
PAIR_LABELS = ("conflict", "same", "apart")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage to be read: its own words, and the header (title, date, heading) it stands under.

    ``prior`` is what speaks for it before it is read; a reader may go by it when it leaves some unread.
    """

    text: str
    header: str = ""
    prior: float = 0.0


@dataclass(frozen=True, slots=True)
class Mark:
    """Characters ``start``..``end`` of a candidate's text that may answer; a higher score is better.

    Scores of one reader compare across the candidates of one question.
    """

    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader says of one candidate.

    ``relevance`` is a logit: above 0 the reader holds that the passage answers the question. ``marks`` are
    disjoint, best first, and may be empty. A reader may leave off early what promises less than the others:
    then it is not ``finished``, has no marks, and its relevance is a first opinion, to be compared with none
    but its like. ``evidence`` is (start, end, logit) of each token of the text, in order: above 0 the token
    belongs to what should be shown, provided that the passage answers. It is empty where the reader does not
    judge this.
    """

    relevance: float
    marks: tuple[Mark, ...] = ()
    finished: bool = True
    evidence: tuple[tuple[int, int, float], ...] = ()

    def evidence_of(self, start: int, end: int) -> float | None:
        """The probability that a sentence or an item belongs to what should be shown.

        It is that of characters ``start``..``end``; None where the reader does not judge it.

        It is the sigmoid of the mean logit of the tokens that begin there, given that the passage answers.

        >>> reading = Reading(1.0, evidence=((0, 4, 2.0), (5, 9, 0.0), (10, 12, -3.0)))
        >>> round(reading.evidence_of(0, 9), 3), round(reading.evidence_of(10, 12), 3)
        (0.731, 0.047)
        >>> Reading(1.0).evidence_of(0, 9) is None
        True
        """
        logits = [logit for first, _, logit in self.evidence if start <= first < end]
        return 1 / (1 + math.exp(-sum(logits) / len(logits))) if logits else None


@dataclass(frozen=True, slots=True)
class Judgement:
    """How likely two quotations are each of PAIR_LABELS to each other; the three add up to 1."""

    conflict: float
    same: float
    apart: float


class Reader(Protocol):
    """Reads candidates for a question."""

    @property
    def name(self) -> str:
        """What it is called in settings and reports."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever its readings would."""

    def read(
        self, question: str, candidates: Sequence[Candidate], *, thorough: bool = False
    ) -> list[Reading]:
        """One reading a candidate, in the order given; ``thorough`` where none is to be left off early."""

    @property
    def judges_pairs(self) -> bool:
        """Whether ``judge`` may be called."""

    def judge(self, question: str, pairs: Sequence[tuple[Candidate, Candidate]]) -> list[Judgement]:
        """What the two quotations of each pair are to each other, in the order given."""
