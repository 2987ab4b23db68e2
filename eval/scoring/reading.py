"""Reading: the words of an answer, and the sentences it cites, beside the gold ones."""

from __future__ import annotations

from eval.metrics import exact_match, f1, sentence_precision_recall, span_overlap
from eval.scoring.catalogue import NO_ANSWERS, NOT_ANSWERABLE, Value
from eval.scoring.judged import Judged, is_located


def reading(judged: Judged) -> dict[str, Value]:
    """The reading metrics of one row."""
    unmeasured = judged.without_evidence
    has_polarity = judged.question.polarity is not None
    return {
        **_words(judged),
        "span_overlap": unmeasured or _span_overlap(judged),
        **_sentences(judged),
        "polarity": "answers carry no polarity" if has_polarity else "the question has no polarity",
    }


def _words(judged: Judged) -> dict[str, Value]:
    """Exact match and F1 of what is shown, and as SQuAD 2.0 has it of what is claimed."""
    question, answer = judged.question, judged.row["answer"]
    if not question.answerable:
        silent = float(not judged.claimed)
        return {"em": NOT_ANSWERABLE, "f1": NOT_ANSWERABLE, "squad_em": silent, "squad_f1": silent}
    if not question.answers:
        return dict.fromkeys(("em", "f1", "squad_em", "squad_f1"), NO_ANSWERS)
    claimed = answer if judged.claimed else ""
    return {
        "em": exact_match(answer, question.answers),
        "f1": f1(answer, question.answers),
        "squad_em": exact_match(claimed, question.answers),
        "squad_f1": f1(claimed, question.answers),
    }


def _sentences(judged: Judged) -> dict[str, Value]:
    """How far the sentences cited are the gold ones, and how far the gold ones are cited."""
    row = judged.row
    gold = [
        [[(place["document"], (a, b)) for a, b in place["sentences"]] for place in piece["places"]]
        for piece in row["gold"]
    ]
    unmeasured = judged.without_evidence
    if not unmeasured and is_located(row) and not any(sentences for piece in gold for sentences in piece):
        unmeasured = "the evidence is whole documents"
    if unmeasured:
        return {"sentence_precision": unmeasured, "sentence_recall": unmeasured}
    cited = {(c["document"], (a, b)) for c in row["citations"] for a, b in c["sentences"]}
    precision, recall = sentence_precision_recall(sorted(cited), gold)
    return {"sentence_precision": precision, "sentence_recall": recall}


def _span_overlap(judged: Judged) -> Value:
    """The first span against every gold answer in a sentence of the evidence."""
    row = judged.row
    gold_answers = [
        (place["document"], (a, b))
        for piece in row["gold"]
        for place in piece["places"]
        for a, b in place["answers"]
    ]
    if not gold_answers:
        return "no gold answer stands in the evidence"
    if not row["spans"]:
        return 0.0
    span = row["spans"][0]
    same_document = [answer for document, answer in gold_answers if document == span["document"]]
    return span_overlap((span["start"], span["end"]), same_document)
