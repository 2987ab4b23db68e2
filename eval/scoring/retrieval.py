"""Retrieval: where gold evidence stands among the hits of a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eval.metrics import hit_at, holds_answer, ranking
from eval.runs import Place
from eval.scoring.catalogue import CUTOFFS, NO_ANSWERS, NOT_ANSWERABLE, Value
from eval.scoring.judged import Judged

RankingScores = Mapping[int, Mapping[str, Mapping[str, float]] | None]  # by cutoff, row id and measure

# metric: its cutoff, and what eval.metrics.ranking calls it
RANKING_METRICS: Mapping[str, tuple[int, str]] = {
    "recall@5": (5, "recall"),
    "recall@10": (10, "recall"),
    "rr@10": (10, "rr"),
    "ndcg@10": (10, "ndcg"),
}


def ranking_scores(judged: Sequence[Judged]) -> RankingScores:
    """What ir_measures says of all rows at each cutoff, by row id; None when it is not installed."""
    with_gold = [each for each in judged if each.row["gold"]]
    held = {each.row["id"]: each.held for each in with_gold}
    relevance = {each.row["id"]: [piece["relevance"] for piece in each.row["gold"]] for each in with_gold}
    return {k: ranking(held, relevance, k) for k in (5, 10)}


def retrieval(judged: Judged, ranked: RankingScores, texts: Mapping[Place, str]) -> dict[str, Value]:
    """The retrieval metrics of one row; ``texts`` are the passages' words by place."""
    unmeasured = judged.without_evidence
    values: dict[str, Value] = {f"hit@{k}": unmeasured or hit_at(judged.held, k) for k in CUTOFFS}
    for metric, (k, name) in RANKING_METRICS.items():
        at_cutoff = ranked[k]
        if unmeasured:
            values[metric] = unmeasured
        elif at_cutoff is None:
            values[metric] = "ir_measures is not installed"
        else:
            values[metric] = at_cutoff[judged.row["id"]][name]
    values["fused_hit@5"] = unmeasured or _fused_hit(judged, 5)
    values["answer@5"] = _answer_within(judged, 5, texts)
    return values


def _fused_hit(judged: Judged, k: int) -> Value:
    """1 when the fused ranking, before reading, has gold evidence in its first k."""
    trail = judged.row["trail"]
    if trail is None:
        return 0.0
    place = trail["ranks"].get("fused", None if trail["read"] else trail["place"])
    return "the ranker is not named" if place is None else float(place <= k)


def _answer_within(judged: Judged, k: int, texts: Mapping[Place, str]) -> Value:
    """1 when a gold answer stands in the first k hits, wherever they are from."""
    question = judged.question
    if not question.answers:
        return NO_ANSWERS if question.answerable else NOT_ANSWERABLE
    first = [texts.get((hit["document"], hit["start"], hit["end"]), "") for hit in judged.row["hits"][:k]]
    return float(any(holds_answer(text, question.answers) for text in first))
