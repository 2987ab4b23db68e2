"""Every metric there is, by stage, and the record of a score.

Unmeasured is a third state with its reason, never a zero and never a pass. A missing answer to a question
that has one is 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Value = float | str  # a value, or why there is none

CUTOFFS = (1, 3, 5, 10)

# What every metric says, by stage. The order is that of the tables.
METRICS: Mapping[str, tuple[str, str]] = {
    **{f"hit@{k}": ("retrieval", f"a piece of evidence is in the first {k} hits") for k in CUTOFFS},
    "recall@5": ("retrieval", "share of the pieces of evidence in the first 5 hits"),
    "recall@10": ("retrieval", "share of the pieces of evidence in the first 10 hits"),
    "rr@10": ("retrieval", "1 / place of the first hit with evidence, within 10"),
    "ndcg@10": ("retrieval", "nDCG over pieces of evidence, within 10"),
    "answer@5": ("retrieval", "a gold answer stands in the first 5 hits, wherever they are from"),
    "fused_hit@5": ("retrieval", "the same as hit@5 before the reader reorders"),
    "em": ("reading", "the answer equals a gold answer (SQuAD normalisation)"),
    "f1": ("reading", "words shared with the best gold answer (SQuAD F1)"),
    "squad_em": (
        "reading",
        "em of what is claimed; 1 for claiming nothing where nothing is right (SQuAD 2.0)",
    ),
    "squad_f1": (
        "reading",
        "f1 of what is claimed; 1 for claiming nothing where nothing is right (SQuAD 2.0)",
    ),
    "span_overlap": ("reading", "characters shared with a gold answer in its evidence (Jaccard)"),
    "sentence_precision": ("reading", "share of cited sentences that are gold evidence"),
    "sentence_recall": ("reading", "share of gold sentences that are cited"),
    "polarity": ("reading", "yes or no as in the gold"),
    "citation_first": ("citation", "the first citation supports the evidence (none given: holds an answer)"),
    "citation_every": ("citation", "every citation does"),
    "citation_share": ("citation", "share of the citations that do"),
    "evidence_cited": ("citation", "share of the pieces of evidence that a citation supports"),
    "quote_verbatim": ("citation", "every quote stands in its file, character for character"),
    "kilt_em": ("citation", "em where the first citation is right, else 0 (KILT)"),
    "kilt_f1": ("citation", "f1 where the first citation is right, else 0 (KILT)"),
    "answered": ("abstention", "an answerable question is answered, not weakly"),
    "shown": ("abstention", "an answerable question is shown evidence, answered or weakly"),
    "abstained": ("abstention", "an unanswerable question is not claimed to be answered"),
    "silent": ("abstention", "an unanswerable question is shown nothing at all"),
    "fresh": ("abstention", "of several dated pieces, the older is not cited without the newest"),
    "no_wrong_claim": ("traits", "nothing is called answered but with a right first citation"),
    "conflict_told": ("traits", "where sources disagree the answer says so and cites both sides"),
    "no_false_alarm": ("traits", "where they do not, no disagreement is told with the evidence shown"),
    "in_date_order": ("traits", "evidence of a change over time is cited in order of date"),
    "right": ("outcome", "answered with a right first citation, or nothing claimed where nothing is right"),
}
HEADLINE = ("right", "hit@5", "ndcg@10", "f1", "citation_first", "kilt_f1", "answered", "abstained")

NOT_ANSWERABLE = "nothing is right to answer"
ANSWERABLE = "something is right to answer"
NO_EVIDENCE = "no gold evidence"
NO_ANSWERS = "no gold answers"
NO_ANSWER = "nothing was answered"


@dataclass(frozen=True, slots=True)
class Score:
    """What a question scores by a metric, 0..1; None is unmeasured, and ``why`` says so."""

    question_id: str
    metric: str
    value: float | None
    why: str = ""

    def __post_init__(self) -> None:
        if self.value is not None and not 0.0 <= self.value <= 1.0:
            raise ValueError(f"{self.metric} of {self.question_id} must be in 0..1, got {self.value}")
        if (self.value is None) != bool(self.why):
            raise ValueError("a score says why exactly when it is unmeasured")

    @classmethod
    def of(cls, question_id: str, metric: str, value: Value) -> Score:
        """The score a metric's function gave."""
        return (
            cls(question_id, metric, None, value)
            if isinstance(value, str)
            else cls(question_id, metric, value)
        )
