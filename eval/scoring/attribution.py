"""Why a question went wrong: the first stage at which its evidence was lost."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from eval.metrics import exact_match, f1
from eval.questions import Question
from eval.runs import Row
from eval.scoring import citation_support, is_claimed, is_located, is_shown, pieces_held


class Cause(StrEnum):
    """What a failure is put down to, in the order of the stages."""

    REFUSED = "refused"
    GOLD_DOUBTFUL = "gold doubtful"
    NOT_IN_SPLIT = "not in the split corpus"
    LEFT_OUT = "left out by a filter"
    LOST_AT_RETRIEVAL = "lost at retrieval"
    LOST_AT_RERANK = "lost at rerank"
    WRONG_ABSTENTION = "wrong abstention"
    WRONG_EVIDENCE = "wrong evidence"
    WRONG_SPAN = "wrong span"
    CALLED_WEAK = "right but called weak"
    SHOULD_ABSTAIN = "should have abstained"


@dataclass(frozen=True, slots=True)
class Failure:
    """A cause and one sentence with its figures."""

    cause: Cause
    detail: str


def attribute(row: Row, question: Question) -> Failure | None:
    """Why a row failed; None when it did not.

    A row fails when an unanswerable question is claimed to be answered, or when the first citation supports
    no gold evidence, or supports it while the answer shares no word with any gold answer (wrong span), or is
    all right yet called weak. An exact gold answer cited from a place the gold does not list makes the gold
    doubtful, as does evidence that does not stand where the gold says.
    """
    if row["status"] == "error":
        return Failure(Cause.REFUSED, row["reason"])
    if not question.answerable:
        if not is_claimed(row):
            return None
        return Failure(
            Cause.SHOULD_ABSTAIN, f"answered with confidence {row['confidence']:.2f}: {_short(row)}"
        )
    if not question.evidence:
        return _by_words(row, question)
    support = citation_support(row)
    if support and support[0]:
        if question.answers and f1(row["answer"], question.answers) == 0:
            return Failure(
                Cause.WRONG_SPAN, f"right evidence, but {_short(row)} shares no word with the gold"
            )
        return _hedged(row)
    if not is_located(row):
        missing = [f"{m['document']}: {m['why']}" for piece in row["gold"] for m in piece["missing"]]
        return Failure(Cause.GOLD_DOUBTFUL, "; ".join(missing))
    if is_shown(row) and question.answers and exact_match(row["answer"], question.answers):
        cited = row["citations"][0]["document"]
        return Failure(
            Cause.GOLD_DOUBTFUL, f"the gold answer, cited from {cited}: another place that counts?"
        )
    return _lost(row)


def _lost(row: Row) -> Failure:
    """Where evidence that is in the documents was lost."""
    places = [gold for piece in row["gold"] for gold in piece["places"]]
    if not any(gold["passages"] or gold["whole"] for gold in places):
        aside = next((gold["set_aside"] for gold in places if gold["set_aside"]), None)
        detail = f"set aside as {aside}" if aside else "no passage takes in half of the quote"
        return Failure(Cause.NOT_IN_SPLIT, f"{places[0]['document']}: {detail}")
    trail = row["trail"]
    ranks = ", ".join(f"{name} {rank}" for name, rank in trail["ranks"].items()) if trail else ""
    if trail is None:
        return Failure(Cause.LOST_AT_RETRIEVAL, "no ranker brought the gold passage up at all")
    if not trail["read"] and trail["place"] <= trail["n_read"]:
        detail = f"{trail['place']} would have been read ({ranks}): does the question name a date?"
        return Failure(Cause.LEFT_OUT, f"gold passage at place {detail}")
    if not trail["read"]:
        return Failure(Cause.LOST_AT_RETRIEVAL, f"gold passage at place {trail['place']} ({ranks})")
    if not any(pieces_held(row)):
        return Failure(Cause.LOST_AT_RERANK, f"read, and put at place {trail['place']} ({ranks})")
    if not is_shown(row):
        return Failure(
            Cause.WRONG_ABSTENTION,
            f"gold passage at place {trail['place']}, confidence {row['confidence']:.2f}",
        )
    if _cited_gold_passage(row):
        return Failure(Cause.WRONG_SPAN, f"gold passage cited at other words: {_short(row)}")
    return Failure(
        Cause.WRONG_EVIDENCE,
        f"gold passage at place {trail['place']} ({ranks}), cited instead: {_short(row)}",
    )


def _by_words(row: Row, question: Question) -> Failure | None:
    """Without gold evidence only the words can be judged."""
    if not is_shown(row):
        return Failure(Cause.WRONG_ABSTENTION, f"confidence {row['confidence']:.2f}")
    if f1(row["answer"], question.answers) == 0:
        return Failure(Cause.WRONG_SPAN, f"{_short(row)} shares no word with the gold")
    return _hedged(row)


def _hedged(row: Row) -> Failure | None:
    if is_claimed(row):
        return None
    return Failure(Cause.CALLED_WEAK, f"confidence {row['confidence']:.2f}: {_short(row)}")


def _cited_gold_passage(row: Row) -> bool:
    first = row["citations"][0]
    return any(
        gold["document"] == first["document"] and start <= first["start"] and first["end"] <= end
        for piece in row["gold"]
        for gold in piece["places"]
        for start, end, _ in gold["passages"]
    )


def _short(row: Row, limit: int = 70) -> str:
    words = " ".join(row["answer"].split())
    return f"“{words[:limit]}…”" if len(words) > limit else f"“{words}”"
