"""From rows to scores: every metric for every question, each 0..1 (higher is better) or unmeasured.

Unmeasured is a third state with its reason, never a zero and never a pass. A missing answer to a question
that has one is 0.

A weak answer shows its evidence and does not claim that it answers. Reading and citation judge what is shown,
claimed or not; the decision (``answered``, ``abstained``, ``right``) is judged by what is claimed.

A *piece* of evidence is found by a hit, supported by a citation, as ``eval.questions.gold`` defines both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from eval.metrics import (
    exact_match,
    f1,
    hit_at,
    holds_answer,
    ranking,
    sentence_precision_recall,
    span_overlap,
)
from eval.questions import Question
from eval.questions.gold import holds, supports
from eval.runs import Row, base_id
from eval.scoring.traits import measures

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
    """What a question is worth by a metric, 0..1; None is unmeasured, and ``why`` says so."""

    question_id: str
    metric: str
    value: float | None
    why: str = ""

    def __post_init__(self) -> None:
        if self.value is not None and not 0.0 <= self.value <= 1.0:
            raise ValueError(f"{self.metric} of {self.question_id} must be in 0..1, got {self.value}")
        if (self.value is None) != bool(self.why):
            raise ValueError("a score says why exactly when it is unmeasured")


Value = float | str  # a value, or why there is none


def score(
    rows: Sequence[Row], questions: Mapping[str, Question], texts: Mapping[tuple[str, int, int], str]
) -> list[Score]:
    """One score for every row and every metric, rows in order; ``texts`` are the passages' words by place."""
    ranked = _ranked(rows)
    scores: list[Score] = []
    for row in rows:
        question = questions[base_id(row["id"])]
        values = {
            **_retrieval(row, question, ranked, texts),
            **_reading(row, question),
            **_citation(row, question),
            **_abstention(row, question),
            **_traits(row, question),
        }
        for metric in METRICS:
            value = values[metric]
            told = (None, value) if isinstance(value, str) else (value, "")
            scores.append(Score(row["id"], metric, *told))
    return scores


def is_shown(row: Row) -> bool:
    """Whether anything was cited, be it weakly."""
    return bool(row["citations"])


def is_claimed(row: Row) -> bool:
    """Whether what was cited is said to answer the question."""
    return bool(row["status"] == "answered")


def pieces_held(row: Row) -> list[list[int]]:
    """For each hit of a row, the numbers of the pieces it holds.

    Where all gold evidence is whole documents, hits are documents too: only the first passage of each counts.
    """
    hits = row["hits"]
    places = [place for piece in row["gold"] for place in piece["places"]]
    if places and all(place["whole"] for place in places):
        first: dict[str, Row] = {}
        for hit in hits:
            first.setdefault(hit["document"], hit)
        hits = list(first.values())
    return [[n for n, piece in enumerate(row["gold"]) if _hit_holds(hit, piece)] for hit in hits]


def citation_support(row: Row) -> list[list[int]]:
    """For each citation of a row, the numbers of the pieces it supports."""
    return [
        [
            n
            for n, piece in enumerate(row["gold"])
            if any(
                place[0] == gold["document"]
                and supports(
                    (place[1], place[2]),
                    (gold["start"], gold["end"]),
                    [(a, b) for a, b in gold["answers"]],
                    whole=gold["whole"],
                )
                for gold in piece["places"]
                for place in _places(citation, "also_in")
            )
        ]
        for citation in row["citations"]
    ]


def located(row: Row) -> bool:
    """Whether any gold evidence of the row stands in the store's documents."""
    return any(piece["places"] for piece in row["gold"])


def _places(found: Row, others: str) -> Iterable[tuple[str, int, int]]:
    """A hit's or citation's own place, then those with the same words."""
    yield found["document"], found["start"], found["end"]
    yield from found[others]


def _hit_holds(hit: Row, piece: Row) -> bool:
    return any(
        place[0] == gold["document"]
        and holds((place[1], place[2]), (gold["start"], gold["end"]), whole=gold["whole"])
        for gold in piece["places"]
        for place in _places(hit, "duplicates")
    )


def _ranked(rows: Sequence[Row]) -> dict[int, dict[str, dict[str, float]] | None]:
    """What ir_measures says at each cutoff, by row id; None when it is not installed."""
    with_gold = [row for row in rows if row["gold"]]
    found = {row["id"]: pieces_held(row) for row in with_gold}
    relevance = {row["id"]: [piece["relevance"] for piece in row["gold"]] for row in with_gold}
    return {k: ranking(found, relevance, k) for k in (5, 10)}


def _retrieval(
    row: Row,
    question: Question,
    ranked: Mapping[int, Mapping[str, Mapping[str, float]] | None],
    texts: Mapping[tuple[str, int, int], str],
) -> dict[str, Value]:
    values: dict[str, Value] = {}
    why = _no_evidence(question)
    held = pieces_held(row)
    for k in CUTOFFS:
        values[f"hit@{k}"] = why or hit_at(held, k)
    for metric, k, name in (
        ("recall@5", 5, "recall"),
        ("recall@10", 10, "recall"),
        ("rr@10", 10, "rr"),
        ("ndcg@10", 10, "ndcg"),
    ):
        measured = ranked[k]
        if why:
            values[metric] = why
        else:
            values[metric] = "ir_measures is not installed" if measured is None else measured[row["id"]][name]
    trail = row["trail"]
    fused = trail["ranks"].get("fused", None if trail["read"] else trail["place"]) if trail else None
    knows = why or (fused is None and trail is not None and trail["read"] and "the ranker is not named")
    values["fused_hit@5"] = knows or float(fused is not None and fused <= 5)
    if question.answers:
        first = [texts.get((h["document"], h["start"], h["end"]), "") for h in row["hits"][:5]]
        values["answer@5"] = float(any(holds_answer(text, question.answers) for text in first))
    else:
        values["answer@5"] = NO_ANSWERS if question.answerable else NOT_ANSWERABLE
    return values


def _no_evidence(question: Question) -> str:
    if not question.answerable:
        return NOT_ANSWERABLE
    return "" if question.evidence else NO_EVIDENCE


def _reading(row: Row, question: Question) -> dict[str, Value]:
    values: dict[str, Value] = {}
    if not question.answerable:
        values = dict.fromkeys(("em", "f1"), NOT_ANSWERABLE)
        values |= {name: float(not is_claimed(row)) for name in ("squad_em", "squad_f1")}
    elif not question.answers:
        values = dict.fromkeys(("em", "f1", "squad_em", "squad_f1"), NO_ANSWERS)
    else:
        claimed = row["answer"] if is_claimed(row) else ""
        values["em"], values["f1"] = (
            exact_match(row["answer"], question.answers),
            f1(row["answer"], question.answers),
        )
        values["squad_em"], values["squad_f1"] = (
            exact_match(claimed, question.answers),
            f1(claimed, question.answers),
        )
    why = _no_evidence(question)
    values["span_overlap"] = why or _span_overlap(row)
    if why:
        values["sentence_precision"] = values["sentence_recall"] = why
    else:
        cited = {(c["document"], (a, b)) for c in row["citations"] for a, b in c["sentences"]}
        pieces = [
            [[(gold["document"], (a, b)) for a, b in gold["sentences"]] for gold in piece["places"]]
            for piece in row["gold"]
        ]
        if not any(sentences for piece in pieces for sentences in piece) and located(row):
            values["sentence_precision"] = values["sentence_recall"] = "the evidence is whole documents"
        else:
            precision, recall = sentence_precision_recall(sorted(cited), pieces)
            values["sentence_precision"], values["sentence_recall"] = precision, recall
    told = "answers carry no polarity" if question.polarity else "the question has no polarity"
    values["polarity"] = told
    return values


def _span_overlap(row: Row) -> Value:
    """The first span against every gold answer in a sentence of the evidence."""
    wanted = [
        (gold["document"], (a, b))
        for piece in row["gold"]
        for gold in piece["places"]
        for a, b in gold["answers"]
    ]
    if not wanted:
        return "no gold answer stands in the evidence"
    if not row["spans"]:
        return 0.0
    span = row["spans"][0]
    here = [each for document, each in wanted if document == span["document"]]
    return span_overlap((span["start"], span["end"]), here)


def _citation(row: Row, question: Question) -> dict[str, Value]:
    values: dict[str, Value] = {}
    why = _no_evidence(question)
    support = citation_support(row)
    right = [bool(pieces) for pieces in support]
    cited = {n for pieces in support for n in pieces}
    values["citation_first"] = _first_right(row, question, right)
    values["citation_every"] = why or float(bool(right) and all(right))
    values["citation_share"] = why or (sum(right) / len(right) if right else 0.0)
    values["evidence_cited"] = why or len(cited) / len(row["gold"])
    proofs = [citation["verbatim"] for citation in row["citations"]]
    if not proofs:
        values["quote_verbatim"] = NO_ANSWER
    elif None in proofs and all(proof is not False for proof in proofs):
        values["quote_verbatim"] = "the file changed after it was indexed"
    else:
        values["quote_verbatim"] = float(False not in proofs)
    for name, exact in (("kilt_em", exact_match), ("kilt_f1", f1)):
        if why or not question.answers:
            values[name] = why or NO_ANSWERS
        else:
            values[name] = exact(row["answer"], question.answers) if right and right[0] else 0.0
    return values


def _first_right(row: Row, question: Question, right: Sequence[bool]) -> Value:
    if not question.answerable:
        return NOT_ANSWERABLE
    if not right:
        return 0.0
    if question.evidence:
        return float(right[0])
    return float(holds_answer(row["citations"][0]["quote"], question.answers))


def _abstention(row: Row, question: Question) -> dict[str, Value]:
    shown, claimed = is_shown(row), is_claimed(row)
    if not question.answerable:
        wrong_kind: dict[str, Value] = {"answered": NOT_ANSWERABLE, "shown": NOT_ANSWERABLE}
        fit: dict[str, Value] = {"abstained": float(not claimed), "silent": float(not shown)}
        return {**wrong_kind, **fit, "fresh": NOT_ANSWERABLE, "right": float(not claimed)}
    first = _first_right(row, question, [bool(pieces) for pieces in citation_support(row)])
    return {
        "answered": float(claimed),
        "shown": float(shown),
        "abstained": ANSWERABLE,
        "silent": ANSWERABLE,
        "fresh": _fresh(row, question),
        "right": float(claimed and first == 1.0),
    }


def _traits(row: Row, question: Question) -> dict[str, Value]:
    support = citation_support(row)
    first = _first_right(row, question, [bool(pieces) for pieces in support])
    return measures(row, question, support, claimed=is_claimed(row), first=first)


def _fresh(row: Row, question: Question) -> Value:
    """0 when an older piece is cited and no citation supports a piece of the newest date."""
    dates = [max((gold["date"] or "" for gold in piece["places"]), default="") for piece in row["gold"]]
    if question.type != "change" or len(set(dates)) < 2 or "" in dates:
        return "not a change between dated documents"
    support = {n for pieces in citation_support(row) for n in pieces}
    if not support:
        return "no evidence was cited"
    newest = {n for n, date in enumerate(dates) if date == max(dates)}
    return float(bool(support & newest))
