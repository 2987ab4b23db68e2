"""Scores and causes of rows made by hand and by the small assistant, by visible arithmetic."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eval.files import read_lines
from eval.questions import Question, parse_question
from eval.runs import open_run
from eval.scoring import METRICS, Score, score
from eval.scoring.attribution import Cause, attribute


def gold(start: int, end: int, **more: Any) -> dict[str, Any]:
    place = {
        "document": "d.txt",
        "start": start,
        "end": end,
        "whole": False,
        "date": None,
        "sentences": [[start, end]],
        "answers": [],
        "passages": [[0, 1000, 7]],
        "set_aside": None,
    }
    return {"relevance": 1, "places": [{**place, **more}], "missing": []}


def hit(start: int, end: int, document: str = "d.txt", duplicates: Any = ()) -> dict[str, Any]:
    return {
        "document": document,
        "start": start,
        "end": end,
        "row": 7,
        "score": 1.0,
        "ranker": "r",
        "ranked": [["r", 1, 1.0]],
        "duplicates": [list(d) for d in duplicates],
    }


def citation(start: int, end: int, document: str = "d.txt", **more: Any) -> dict[str, Any]:
    made = {
        "document": document,
        "start": start,
        "end": end,
        "quote": "x" * (end - start),
        "sentences": [[start, end]],
        "also_in": [],
        "verbatim": True,
        "marks": [],
        "date": None,
    }
    return {**made, **more}


def row(question_id: str = "q", **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": question_id,
        "asked": "?",
        "type": None,
        "split": None,
        "status": "answered",
        "confidence": 0.8,
        "reason": None,
        "answer": "",
        "notices": [],
        "spans": [],
        "citations": [],
        "hits": [],
        "trail": None,
        "gold": [],
    }
    return {**made, **more}


def question(**more: Any) -> Question:
    evidence = [{"any_of": [{"document": "d.txt", "quote": "x"}]}]
    return parse_question({"id": "q", "question": "?", "answers": ["May"], "evidence": evidence, **more})


def values(made: dict[str, Any], asked: Question, texts: Any = None) -> dict[str, float | None]:
    return {s.metric: s.value for s in score([made], {"q": asked}, texts or {})}


def test_a_hit_counts_from_half_of_the_quote_on() -> None:
    under = values(row(gold=[gold(100, 200)], hits=[hit(0, 149)]), question())
    at_half = values(row(gold=[gold(100, 200)], hits=[hit(0, 150)]), question())
    assert (under["hit@5"], at_half["hit@5"]) == (0.0, 1.0)


def test_a_hit_in_another_document_counts_only_through_its_duplicate() -> None:
    far = values(row(gold=[gold(0, 10)], hits=[hit(0, 10, "e.txt")]), question())
    twin = values(
        row(gold=[gold(0, 10)], hits=[hit(0, 10, "e.txt", duplicates=[("d.txt", 0, 10)])]), question()
    )
    assert (far["hit@1"], twin["hit@1"]) == (0.0, 1.0)


def test_where_documents_are_judged_each_counts_once_at_its_first_passage() -> None:
    whole = [gold(0, 900, whole=True, sentences=[], document="d.txt")]
    hits = [
        hit(0, 9, "a.txt"),
        hit(0, 9, "b.txt"),
        hit(20, 29, "a.txt"),
        hit(0, 9, "d.txt"),
        hit(30, 39, "a.txt"),
    ]
    assert values(row(gold=whole, hits=hits), question())["rr@10"] == pytest.approx(1 / 3)  # a, b, d


def test_recall_counts_pieces_and_each_once() -> None:
    pieces = [gold(0, 10), gold(100, 110), gold(200, 210)]
    found = values(row(gold=pieces, hits=[hit(0, 20), hit(0, 20), hit(95, 120)]), question())
    assert found["recall@10"] == pytest.approx(2 / 3)
    assert found["rr@10"] == 1.0


def test_a_citation_counts_when_it_takes_in_a_gold_answer_of_the_gold_sentence() -> None:
    piece = gold(100, 200, answers=[[110, 113]])
    with_answer = values(row(gold=[piece], citations=[citation(105, 115)]), question())
    without = values(row(gold=[piece], citations=[citation(114, 130)]), question())
    assert (with_answer["citation_first"], without["citation_first"]) == (1.0, 0.0)


def test_a_citation_stands_for_the_places_with_the_same_words() -> None:
    cited = citation(0, 50, "e.txt", also_in=[["d.txt", 100, 150]])
    assert values(row(gold=[gold(100, 200)], citations=[cited]), question())["citation_first"] == 1.0


def test_first_every_and_share_of_citations_tell_different_things() -> None:
    cited = [citation(0, 10), citation(500, 510), citation(100, 110)]
    found = values(row(gold=[gold(0, 10), gold(100, 110)], citations=cited), question())
    assert found["citation_first"] == 1.0
    assert found["citation_every"] == 0.0
    assert found["citation_share"] == pytest.approx(2 / 3)
    assert found["evidence_cited"] == 1.0
    assert found["sentence_precision"] == pytest.approx(2 / 3)
    assert found["sentence_recall"] == 1.0


def test_right_words_count_for_kilt_only_with_the_right_evidence() -> None:
    right = row(gold=[gold(0, 10)], citations=[citation(0, 10)], answer="in May")
    wrong = row(gold=[gold(0, 10)], citations=[citation(500, 510)], answer="in May")
    assert values(right, question())["kilt_f1"] == pytest.approx(2 / 3)
    assert values(wrong, question())["kilt_f1"] == 0.0
    assert values(wrong, question())["f1"] == pytest.approx(2 / 3)


def test_a_missing_answer_is_zero_and_what_does_not_apply_is_unmeasured() -> None:
    found = values(row(gold=[gold(0, 10)], status="abstained"), question())
    for metric in ("em", "f1", "citation_first", "kilt_f1", "answered", "hit@5", "sentence_recall"):
        assert found[metric] == 0.0, metric
    assert found["quote_verbatim"] is None
    assert found["abstained"] is None


def test_abstaining_where_nothing_is_right_is_right() -> None:
    nothing = parse_question({"id": "q", "question": "?", "answers": [], "evidence": []})
    silent = values(row(status="abstained"), nothing)
    assert (silent["abstained"], silent["right"], silent["squad_f1"], silent["f1"]) == (1.0, 1.0, 1.0, None)
    assert silent["silent"] == 1.0
    spoken = values(row(citations=[citation(0, 10)], answer="May"), nothing)
    assert (spoken["abstained"], spoken["right"], spoken["squad_f1"]) == (0.0, 0.0, 0.0)


def test_a_weak_answer_shows_evidence_and_claims_nothing() -> None:
    nothing = parse_question({"id": "q", "question": "?", "answers": [], "evidence": []})
    hedged = values(row(status="weak", citations=[citation(0, 10)], answer="May"), nothing)
    assert (hedged["abstained"], hedged["right"], hedged["silent"], hedged["squad_f1"]) == (
        1.0,
        1.0,
        0.0,
        1.0,
    )
    weak = row(status="weak", gold=[gold(0, 10)], citations=[citation(0, 10)], answer="May")
    found = values(weak, question())
    assert (found["citation_first"], found["f1"], found["shown"]) == (1.0, 1.0, 1.0)
    assert (found["answered"], found["right"], found["squad_f1"]) == (0.0, 0.0, 0.0)
    failure = attribute(weak, question())
    assert failure is not None
    assert failure.cause == Cause.CALLED_WEAK


def test_without_gold_evidence_the_first_quote_must_hold_a_gold_answer() -> None:
    asked = parse_question({"id": "q", "question": "?", "answers": ["May"]})
    good = values(row(citations=[citation(0, 6, quote="in May")], answer="May"), asked)
    assert (good["right"], good["citation_first"], good["hit@5"], good["citation_every"]) == (
        1.0,
        1.0,
        None,
        None,
    )
    assert values(row(citations=[citation(0, 7, quote="in June")], answer="June"), asked)["right"] == 0.0


def test_a_quote_that_differs_from_its_file_is_seen() -> None:
    made = row(gold=[gold(0, 10)], citations=[citation(0, 10), citation(0, 10, verbatim=False)])
    assert values(made, question())["quote_verbatim"] == 0.0
    changed = row(gold=[gold(0, 10)], citations=[citation(0, 10, verbatim=None)])
    assert values(changed, question())["quote_verbatim"] is None


def test_the_older_of_two_dated_pieces_alone_is_stale() -> None:
    pieces = [gold(0, 10, date="2016-01-01"), gold(100, 110, date="2018-01-01")]
    asked = question(type="change")
    old = values(row(type="change", gold=pieces, citations=[citation(0, 10)]), asked)
    both = values(row(type="change", gold=pieces, citations=[citation(0, 10), citation(100, 110)]), asked)
    none = values(row(type="change", gold=pieces, citations=[citation(500, 510)]), asked)
    assert (old["fresh"], both["fresh"], none["fresh"]) == (0.0, 1.0, None)


def test_a_score_is_a_fraction_or_says_why_not() -> None:
    with pytest.raises(ValueError, match=r"0\.\.1"):
        Score("q", "f1", 1.2)
    with pytest.raises(ValueError, match="says why"):
        Score("q", "f1", None)


def trail(place: int, *, read: bool) -> dict[str, Any]:
    return {
        "read": read,
        "n_read": 24,
        "place": place,
        "ranks": {"dense": 30, "bm25": 4},
        "hit": hit(0, 1000),
    }


CASES: list[tuple[dict[str, Any], Cause | None]] = [
    (row(gold=[gold(0, 10)], citations=[citation(0, 10)], answer="May"), None),
    (row(gold=[gold(0, 10)], citations=[citation(0, 10)], answer="June"), Cause.WRONG_SPAN),
    (
        row(gold=[{"relevance": 1, "places": [], "missing": [{"document": "d", "why": "gone"}]}]),
        Cause.GOLD_DOUBTFUL,
    ),
    (row(gold=[gold(0, 10)], citations=[citation(900, 950, "e.txt")], answer="May"), Cause.GOLD_DOUBTFUL),
    (row(gold=[gold(0, 10, passages=[])]), Cause.NOT_IN_SPLIT),
    (row(gold=[gold(0, 10)], trail=None), Cause.LOST_AT_RETRIEVAL),
    (row(gold=[gold(0, 10)], trail=trail(60, read=False)), Cause.LOST_AT_RETRIEVAL),
    (row(gold=[gold(0, 10)], trail=trail(3, read=False)), Cause.LEFT_OUT),
    (row(gold=[gold(0, 10)], trail=trail(14, read=True), hits=[hit(0, 9, "e.txt")]), Cause.LOST_AT_RERANK),
    (
        row(gold=[gold(0, 10)], trail=trail(1, read=True), hits=[hit(0, 99)], status="abstained"),
        Cause.WRONG_ABSTENTION,
    ),
    (
        row(
            gold=[gold(0, 10)],
            trail=trail(1, read=True),
            hits=[hit(0, 99)],
            citations=[citation(50, 60)],
            answer="x",
        ),
        Cause.WRONG_SPAN,
    ),
    (
        row(
            gold=[gold(0, 10)],
            trail=trail(2, read=True),
            hits=[hit(0, 99)],
            citations=[citation(0, 9, "e.txt")],
            answer="x",
        ),
        Cause.WRONG_EVIDENCE,
    ),
    (row(status="error", reason="too long"), Cause.REFUSED),
]


@pytest.mark.parametrize(("made", "cause"), CASES)
def test_a_failure_is_put_down_to_the_first_stage_that_lost_it(
    made: dict[str, Any], cause: Cause | None
) -> None:
    failure = attribute(made, question())
    assert (failure.cause if failure else None) == cause


def test_answering_the_unanswerable_is_a_failure_of_its_own() -> None:
    nothing = parse_question({"id": "q", "question": "?", "answers": []})
    failure = attribute(row(citations=[citation(0, 10)], answer="May"), nothing)
    assert failure is not None
    assert failure.cause == Cause.SHOULD_ABSTAIN
    assert attribute(row(status="abstained"), nothing) is None


def test_the_small_assistant_is_scored_as_a_person_would(make_run: Callable[..., Path]) -> None:
    folder = make_run("small")
    lines = {line["id"]: line for line in read_lines(folder / "scores.jsonl")}
    assert lines["q1"]["em"] == 0.0
    assert lines["q1"]["f1"] == pytest.approx(2 / 3)  # "May" of "May 2016"
    assert (
        lines["q1"]["citation_first"] == 1.0
    )  # the copy or the original: either is listed through its words
    assert lines["q4"]["abstained"] == 1.0
    assert lines["q4"]["hit@5"] is None
    assert lines["q6"]["cause"] == "not in the split corpus"
    assert lines["q7"]["cause"] == "gold doubtful"
    assert all(line["quote_verbatim"] in (1.0, None) for line in lines.values())
    figures = json.loads((folder / "aggregate.json").read_text())
    assert figures["metrics"]["quote_verbatim"]["mean"] == 1.0
    assert set(figures["by_split"]) == {"dev", "test"}
    assert list(figures["metrics"]) == list(METRICS)


def test_documents_are_named_below_their_common_folder(make_run: Callable[..., Path], corpus: Path) -> None:
    folder = make_run("named")
    names = {hit["document"] for row in open_run(folder).rows for hit in row["hits"]}
    assert "copy/2016-05-01-minutes-copy.txt" in names
    for name in ("rows.jsonl", "passages.jsonl", "scores.jsonl"):
        assert str(corpus) not in (folder / name).read_text()
