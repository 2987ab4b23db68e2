"""From rows to scores: every metric for every question, each 0..1 (higher is better) or unmeasured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eval.questions import Question
from eval.runs import Place, Row
from eval.scoring.catalogue import METRICS, Score
from eval.scoring.citation import citation
from eval.scoring.decision import decision
from eval.scoring.judged import Judged
from eval.scoring.reading import reading
from eval.scoring.retrieval import ranking_scores, retrieval
from eval.scoring.traits import trait_metrics


def score(rows: Sequence[Row], questions: Mapping[str, Question], texts: Mapping[Place, str]) -> list[Score]:
    """One score for every row and every metric, rows in order; ``texts`` are the passages' words by place."""
    all_judged = [Judged.of(row, questions) for row in rows]
    ranked = ranking_scores(all_judged)
    scores: list[Score] = []
    for judged in all_judged:
        values = {
            **retrieval(judged, ranked, texts),
            **reading(judged),
            **citation(judged),
            **decision(judged),
            **trait_metrics(judged),
        }
        scores += [Score.of(judged.row["id"], metric, values[metric]) for metric in METRICS]
    return scores
