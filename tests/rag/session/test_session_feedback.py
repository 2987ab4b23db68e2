"""Judged questions become rows of an evaluation set that eval itself reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from driven import Driven

from eval.questions import Question, load_questions

CHIEF = "who is the chief executive of the trust?"
PLACE = "letters/2014-10-03-trust-takes-over.txt"
QUOTE = (
    "The trust is led by its chief executive, Paul Moffat, and works from the Blue\nBuilding in High Street."
)


def only(driven: Driven) -> Question:
    (row,) = load_questions([driven.session.options.questions])
    return row


def test_good_keeps_the_cited_quote_as_evidence(fresh: Callable[..., Driven]) -> None:
    driven = fresh()
    driven.type(CHIEF, ":good")
    row = only(driven)
    place = row.evidence[0].any_of[0]
    assert (row.question, row.type, row.split) == (CHIEF, "who", "dev")
    assert place.document == PLACE
    assert place.quote is not None
    assert " ".join(place.quote.split()) == " ".join(QUOTE.split())
    text = (driven.folder / "2014-10-03-trust-takes-over.txt").read_text("utf-8")
    assert place.quote in text
    assert row.answers
    assert row.answers[0] in " ".join(place.quote.split())


def test_good_keeps_the_evidence_on_the_screen_not_the_first(fresh: Callable[..., Driven]) -> None:
    driven = fresh()
    driven.type(CHIEF, ":next", ":good")
    first, second = driven.session.last().answer.citations[:2]
    assert only(driven).evidence[0].any_of[0].quote == second.quote != first.quote


def test_bad_says_what_must_not_be_answered(fresh: Callable[..., Driven]) -> None:
    driven = fresh()
    driven.type(CHIEF, ":bad")
    row = only(driven)
    assert not row.answerable
    assert row.must_not is not None
    assert "Paul Moffat" in row.must_not
    assert row.nearest[0].document == PLACE


def test_unanswerable_expects_no_answer(fresh: Callable[..., Driven]) -> None:
    driven = fresh()
    driven.type("how do I boil an egg", ":unanswerable")
    row = only(driven)
    assert (row.type, row.answerable) == ("unanswerable", False)


def test_expected_words_are_found_wherever_they_stand(fresh: Callable[..., Driven]) -> None:
    driven = fresh()
    driven.type("who was on the panel?", ':expect "moira   tennant"')
    row = only(driven)
    places = row.evidence[0].any_of
    assert row.answers == ("moira tennant",)
    assert {place.document for place in places} == {"letters/peer-review-letter.txt"}
    text = (driven.folder / "peer-review-letter.txt").read_text("utf-8")
    assert all(place.quote is not None and place.quote in text for place in places)
    assert all(place.quote is not None and "Moira Tennant" in place.quote for place in places)


def test_words_that_stand_nowhere_are_not_kept(fresh: Callable[..., Driven]) -> None:
    driven = fresh()
    shown = driven.type(CHIEF, ":expect the dodo")
    assert "error: these words stand in no document" in shown
    assert not driven.session.options.questions.exists()


def test_judging_again_replaces_the_row(fresh: Callable[..., Driven]) -> None:
    driven = fresh()
    driven.type(CHIEF, ":bad", CHIEF, ":good", "why was the trust decommissioned?", ":good")
    rows = load_questions([driven.session.options.questions])
    assert [row.question for row in rows] == [CHIEF, "why was the trust decommissioned?"]
    assert rows[0].answerable


def test_a_follow_up_is_kept_as_it_was_completed(fresh: Callable[..., Driven]) -> None:
    driven = fresh()
    driven.type("when did the trust take over", "who led it?", ":unanswerable")
    assert only(driven).question == "who led the trust?"


def test_other_rows_of_the_file_are_left_alone(fresh: Callable[..., Driven]) -> None:
    driven = fresh()
    path = driven.session.options.questions
    mine = json.dumps({"id": "mine", "question": "who?", "answers": []})
    path.write_text(f"{mine}\n\n# a note of mine\n", "utf-8")
    driven.type(CHIEF, ":good")
    lines = path.read_text("utf-8").splitlines()
    assert lines[:2] == [mine, "# a note of mine"]
    assert json.loads(lines[2])["question"] == CHIEF


@pytest.mark.parametrize("name", ["folder", "missing/questions.jsonl"])
def test_a_file_that_cannot_be_written_is_an_error_with_a_hint(
    name: str, fresh: Callable[..., Driven], tmp_path: Path
) -> None:
    driven = fresh()
    (tmp_path / "folder").mkdir()
    (tmp_path / "missing").write_text("a file where a folder is wanted")
    shown = driven.type(CHIEF, f":set questions {tmp_path / name}", ":good")
    assert "cannot be written" in shown.replace("\n", " ") or "cannot be" in shown
    assert "hint: :set questions FILE" in shown
