"""Citation: whether what is quoted is the evidence, and stands in its file word for word."""

from __future__ import annotations

from eval.metrics import exact_match, f1
from eval.scoring.catalogue import NO_ANSWER, NO_ANSWERS, Value
from eval.scoring.judged import Judged


def citation(judged: Judged) -> dict[str, Value]:
    """The citation metrics of one row."""
    unmeasured = judged.without_evidence
    right = [bool(pieces) for pieces in judged.supported]
    cited_pieces = {n for pieces in judged.supported for n in pieces}
    return {
        "citation_first": judged.first_right,
        "citation_every": unmeasured or float(bool(right) and all(right)),
        "citation_share": unmeasured or (sum(right) / len(right) if right else 0.0),
        "evidence_cited": unmeasured or len(cited_pieces) / len(judged.row["gold"]),
        "quote_verbatim": _quote_verbatim(judged),
        **_kilt(judged, first_right=bool(right) and right[0]),
    }


def _quote_verbatim(judged: Judged) -> Value:
    proofs = [citation["verbatim"] for citation in judged.row["citations"]]
    if not proofs:
        return NO_ANSWER
    if False in proofs:
        return 0.0
    return "the file changed after it was indexed" if None in proofs else 1.0


def _kilt(judged: Judged, *, first_right: bool) -> dict[str, Value]:
    """The answer's words count only with the right evidence (Petroni et al. 2021)."""
    answer, golds = judged.row["answer"], judged.question.answers
    unmeasured = judged.without_evidence or ("" if golds else NO_ANSWERS)
    if unmeasured:
        return {"kilt_em": unmeasured, "kilt_f1": unmeasured}
    return {
        "kilt_em": exact_match(answer, golds) if first_right else 0.0,
        "kilt_f1": f1(answer, golds) if first_right else 0.0,
    }
