"""Follow-ups by rules: what is completed, what is left alone, and how much it helps on the question sets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.measure.followups import measure
from rag.session.followups import Earlier, complete

TRUST = Earlier(
    "when did the trust take over",
    "October 2014",
    ("The trust, led by Paul Moffat, took over in October 2014.",),
    ("The trust, led by Paul Moffat, took over in October 2014. Mrs Jones welcomed it.",),
    "2014-10-03",
)
RATING = Earlier("what rating did Doncaster get in november 2015", "inadequate", ("It was inadequate.",))
QUOTE = Earlier("what did sadiq say", "You cannot stop a river with a drawing", ())
PIECES = Earlier("how many farrow pieces did the museum keep", "148", ("The museum keeps 148 pieces.",))


@pytest.mark.parametrize(
    ("typed", "before", "completed"),
    [
        ("who led it?", TRUST, "who led the trust?"),
        ("and who led it?", TRUST, "who led the trust?"),
        ("why?", TRUST, "why did the trust take over?"),
        ("where was he before?", TRUST, "where was Paul Moffat before?"),
        ("when did she welcome it", TRUST, "when did Mrs Jones welcome it?"),
        ("and in 2017?", RATING, "what rating did Doncaster get in 2017?"),
        ("3 years earlier", RATING, "what rating did Doncaster get in 2012?"),
        ("what about a year later", RATING, "what rating did Doncaster get in november 2016?"),
        ("and now?", RATING, "what rating did Doncaster get now?"),
        ("what about leadership", RATING, "what rating did Doncaster get in november 2015: leadership?"),
        ("and Slough?", RATING, "what rating did Slough get in november 2015"),
        ("and then?", TRUST, "what happened after this: when did the trust take over?"),
        ("who else?", TRUST, "who else: when did the trust take over?"),
        ("who said that?", QUOTE, "who said “You cannot stop a river with a drawing”?"),
        ("how many went to the niece?", PIECES, "how many farrow pieces went to the niece?"),
        ("how many of them were sold?", PIECES, "how many of farrow pieces were sold?"),
        ("how many paintings?", PIECES, "how many paintings did the museum keep?"),
    ],
)
def test_a_leaning_question_is_completed(typed: str, before: Earlier, completed: str) -> None:
    found = complete(typed, [before])
    assert found.text == completed
    assert found.changed
    assert found.why


@pytest.mark.parametrize(
    "typed",
    [
        "who is the director now",
        "why was the trust decommissioned?",
        "how did edmund farrow make his money",
        "keeper of ceramics before he became director?",
        "attendance in 2017",
        "vacancies in march 2018?",
        "how many visits in 2021",
        "what tax problem do trusts have that councils dont",
        "who said their letters read like parking fines",
        "is it true that the trust closed?",
        "was there a report on the flood?",
        "",
        "  ",
    ],
)
@pytest.mark.parametrize("before", [TRUST, RATING, QUOTE, PIECES])
def test_a_question_that_stands_alone_is_left_alone(typed: str, before: Earlier) -> None:
    found = complete(typed, [before])
    assert (found.text, found.changed) == (typed, False)


def test_without_a_question_before_nothing_is_completed() -> None:
    assert not complete("and in 2017?", []).changed


@given(typed=st.text(max_size=60), asked=st.text(max_size=60), answer=st.text(max_size=60))
def test_completing_never_fails_and_never_loses_the_question(typed: str, asked: str, answer: str) -> None:
    found = complete(typed, [Earlier(asked, answer, (answer,), (answer,), None)])
    assert isinstance(found.text, str)
    if not found.changed:
        assert found.text.split() == typed.split()


def rows(sample_corpus: Path) -> list[dict[str, object]]:
    files = sorted((sample_corpus.parent / "questions").glob("*.jsonl"))
    lines = [line for path in files for line in path.read_text("utf-8").splitlines()]
    return [json.loads(line) for line in lines if line.strip()]


@pytest.mark.parametrize(("split", "most"), [("dev", 4), ("test", 2)])
def test_questions_of_the_sets_that_stand_alone_are_not_changed(
    split: str, most: int, sample_corpus: Path
) -> None:
    """The two of the test split say "they" of nobody in particular ("why did they get rid of the post").

    Those of the development split count people without a word for them ("how many came to the late night"),
    as a follow-up counts what was last spoken of; one says "they" as well.
    """
    alone = [row for row in rows(sample_corpus) if row["type"] != "follow_up" and row["split"] == split]
    typed = {str(row["question"]) for row in alone}
    changed = {
        question
        for before in (TRUST, RATING, QUOTE, PIECES)
        for question in typed
        if complete(question, [before]).changed
    }
    assert len(typed) > 100
    assert len(changed) <= most, changed


def test_completion_finds_evidence_that_the_typed_question_misses(sample_store: Path) -> None:
    """Over all three subjects at once, on the development split; see `eval.measure.followups`."""
    followed = measure(sample_store, "dev")
    typed, completed, _ = (sum(row.found[at] for row in followed) for at in range(3))
    assert len(followed) >= 15
    assert completed - typed >= 4, [row for row in followed if not row.found[1]]
    assert completed >= 0.8 * len(followed), [row for row in followed if not row.found[1]]
