"""From what the systems found to figures: scored question by question as a run of ours is, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eval.peers.registry import Peer
from eval.peers.task import Found, Outcome
from eval.questions import Question
from eval.runs import Row
from eval.runs.record import Recorder
from eval.scoring import score
from eval.scoring.aggregate import Table, latency, score_table
from eval.significance import summary
from rag.records import Answer, Hit, Passage, Status
from rag.store import Store

# By the name shown: the metric of eval.scoring, and whether only a system that reads has it.
QUALITY: Mapping[str, tuple[str, bool]] = {
    "hit@1": ("hit@1", False),
    "hit@5": ("hit@5", False),
    "mrr@10": ("rr@10", False),
    "em": ("em", True),
    "f1": ("f1", True),
    "source": ("source", True),
    "answered": ("answered", True),
    "abstained": ("abstained", True),
}
MEANINGS: Mapping[str, str] = {
    "hit@1": "the first passage holds gold evidence",
    "hit@5": "one of the first five does",
    "mrr@10": "1 / place of the first that does, within ten",
    "em": "the answer equals a gold answer (SQuAD)",
    "f1": "words shared with the best gold answer (SQuAD)",
    "source": "the passage the answer is from holds gold evidence",
    "answered": "an answerable question is claimed to be answered",
    "abstained": "an unanswerable one is not",
}


class Judge:
    """Scores what systems found in one store's passages; a passage counts for every place of its words."""

    def __init__(self, store: Store, questions: Sequence[Question], k: int) -> None:
        self._questions = {question.id: question for question in questions}
        self._passages = store.passages(store.rows)
        self._group = store.labels(store.rows)
        self._twins: dict[int, list[int]] = {}
        for row, group in enumerate(self._group):
            self._twins.setdefault(group, []).append(row)
        self._recorder = Recorder(store, lambda *_, **__: [], k=k)

    def scores(self, outcome: Outcome, *, reads: bool) -> Table:
        """Every metric of every question, None where it could not be measured or the system does not read."""
        rows = [self._row(reply.id, reply.found) for reply in outcome.replies]
        sources = [
            self._row(reply.id, Found(() if reply.found.source is None else (reply.found.source,), 0.0))
            for reply in outcome.replies
        ]
        scored = score_table(score(rows, self._questions, {}))
        where = score_table(score(sources, self._questions, {}))
        says_where = any(reply.found.source is not None for reply in outcome.replies)
        by_question: Table = {}
        for question_id, values in scored.items():
            values["source"] = where[question_id]["hit@1"] if says_where else None
            by_question[question_id] = {
                name: values[metric] if reads or not reading else None
                for name, (metric, reading) in QUALITY.items()
            }
        return by_question

    def _row(self, question_id: str, found: Found) -> Row:
        """A run's row: the gold evidence's places, the hits, and the answer without citations."""
        question = self._questions[question_id]
        asked = question.standalone or question.question
        answer = Answer(
            asked, Status.ABSTAINED, 0.0, "none", hits=tuple(self._hit(row) for row in found.rows)
        )
        row, _ = self._recorder.row(question_id, asked, question, answer)
        return row | {"answer": found.answer or "", "status": found.status or str(Status.ABSTAINED)}

    def _hit(self, row: int) -> Hit:
        twins: list[Passage] = [self._passages[t] for t in self._twins[self._group[row]] if t != row]
        return Hit(self._passages[row], row, 0.0, "peer", duplicates=tuple(twins))


def system_figures(
    peer: Peer, outcome: Outcome, scores: Table, ours: Table | None, n_passages: int
) -> dict[str, Any]:
    """One system's figures for JSON: means with intervals, the same against ours, speed and memory."""
    identity: dict[str, Any] = {
        "name": peer.name,
        "version": peer.versions()[peer.packages[0]],
        "versions": peer.versions(),
        "about": peer.about,
        "reads": peer.reads,
        "ran": not outcome.why,
        "why": outcome.why or None,
    }
    if outcome.why:
        return identity
    times = latency([{"find": r.found.find_ms, "total": r.total_ms} for r in outcome.replies])
    failures = [r for r in outcome.replies if r.found.failure]
    return identity | {
        "quality": {name: summary([values[name] for values in scores.values()]) for name in QUALITY},
        "against_ours": None if ours is None or peer.is_ours else differences(scores, ours),
        "load_seconds": outcome.load_seconds,
        "index_seconds": outcome.index_seconds,
        "passages_per_second": n_passages / outcome.index_seconds,
        "latency_ms": times,
        "memory_mb": outcome.memory_mb,
        "failures": {"n": len(failures), "first": failures[0].found.failure if failures else None},
        "rows": [
            {
                "id": reply.id,
                "hits": list(reply.found.rows),
                "answer": reply.found.answer,
                "status": reply.found.status,
                "source": reply.found.source,
                "failure": reply.found.failure,
                "find_ms": reply.found.find_ms,
                "total_ms": reply.total_ms,
                "scores": scores[reply.id],
            }
            for reply in outcome.replies
        ],
    }


def differences(theirs: Table, ours: Table) -> dict[str, dict[str, Any]]:
    """For each metric the mean of theirs minus ours over the questions both have, with its 95 % interval.

    >>> found = differences({"q1": dict.fromkeys(QUALITY, 1.0)}, {"q1": dict.fromkeys(QUALITY, 0.5)})
    >>> found["em"]["mean"], found["em"]["n"]
    (0.5, 1)
    """
    return {
        name: summary([_minus(values[name], ours[q][name]) for q, values in theirs.items()])
        for name in QUALITY
    }


def _minus(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b
