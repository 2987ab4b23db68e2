"""Traits: marked by hand or brought by the type, measured apart, unmeasured where nothing is known."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cases import MINUTES, REVIEW, ROWS, piece
from rich.console import Console
from small import SmallStore
from test_eval_scoring import citation, gold, row

from eval.questions import TRAITS, Question, load_questions, parse_question
from eval.questions.check import check
from eval.questions.gold import Library
from eval.reports import html
from eval.reports.tables import show
from eval.runs import Row, open_run
from eval.scoring import score
from eval.scoring.aggregate import aggregate, score_table
from eval.scoring.saved import finish
from eval.scoring.traits import FIGURES, by_trait

DATA = Path(__file__).parents[3] / "eval" / "data"
TWO_SIDES = [gold(0, 10), gold(100, 110, document="e.txt")]
BOTH_CITED = [citation(0, 10), citation(100, 110, "e.txt"), citation(500, 510)]


def asked(**more: Any) -> Question:
    evidence = [{"any_of": [{"document": "d.txt", "quote": "x"}]}]
    return parse_question({"id": "q", "question": "?", "answers": ["May"], "evidence": evidence, **more})


def value(made: Row, question: Question, metric: str) -> float | None:
    return score_table(score([made], {"q": question}, {}))["q"][metric]


def figures(*pairs: tuple[Row, Question]) -> dict[str, Any]:
    """What a run over these rows would report."""
    rows, questions = [], {}
    for number, (made, question) in enumerate(pairs):
        name = f"q{number}"
        rows.append({**made, "id": name, "type": question.type, "traits": list(question.all_traits)})
        questions[name] = question
    return aggregate(rows, score_table(score(rows, questions, {})), dict.fromkeys(questions))


def test_a_type_brings_its_trait_and_what_is_not_marked_is_unknown() -> None:
    assert asked(type="change").all_traits == ("change",)
    assert asked(type="what").traits is None
    assert asked(type="what", traits=[]).traits == ()


def test_a_conflict_is_told_when_a_disagreement_is_between_its_sides() -> None:
    question = asked(traits=["conflict"])
    between = row(gold=TWO_SIDES, citations=BOTH_CITED, disagreements=[[0, 1]])
    beside = row(gold=TWO_SIDES, citations=BOTH_CITED, disagreements=[[0, 2]])
    silent = row(gold=TWO_SIDES, citations=BOTH_CITED, disagreements=[])
    one_side = row(gold=TWO_SIDES, citations=[citation(0, 10), citation(2, 9)], disagreements=[[0, 1]])
    told = [value(made, question, "conflict_told") for made in (between, beside, silent, one_side)]
    assert told == [1.0, 0.0, 0.0, 0.0]


def test_a_disagreement_told_is_a_false_alarm_only_where_none_is_marked() -> None:
    alarmed = row(gold=[gold(0, 10)], citations=BOTH_CITED, disagreements=[[0, 1]])
    calm = row(gold=[gold(0, 10)], citations=BOTH_CITED, disagreements=[])
    assert value(alarmed, asked(traits=[]), "no_false_alarm") == 0.0
    assert value(calm, asked(traits=[]), "no_false_alarm") == 1.0
    assert value(alarmed, asked(traits=["conflict"]), "no_false_alarm") is None
    assert value(alarmed, asked(), "no_false_alarm") is None
    nothing_shown = row(gold=[gold(0, 10)], status="abstained", disagreements=[])
    assert value(nothing_shown, asked(traits=[]), "no_false_alarm") is None


def test_evidence_of_a_change_is_in_order_when_no_later_date_comes_first() -> None:
    def cited(*dates: str | None) -> Row:
        return row(gold=[gold(0, 10)], citations=[citation(0, 10, date=date) for date in dates])

    change = asked(type="change")
    assert value(cited("2016-04-12", None, "2018-07-20"), change, "in_date_order") == 1.0
    assert value(cited("2018-07-20", "2016-04-12"), change, "in_date_order") == 0.0
    assert value(cited("2016-04-12", "2016-04-12", None), change, "in_date_order") is None
    assert value(cited("2018-07-20", "2016-04-12"), asked(type="what"), "in_date_order") is None


def test_claiming_is_wrong_without_a_right_first_citation_and_silence_never_is() -> None:
    nothing = parse_question({"id": "q", "question": "?", "answers": [], "must_not": "31 is another year's"})
    right = row(gold=[gold(0, 10)], citations=[citation(0, 10)])
    wrong = row(gold=[gold(0, 10)], citations=[citation(500, 510)])
    hedged = row(gold=[gold(0, 10)], citations=[citation(500, 510)], status="weak")
    answered = row(citations=[citation(0, 10)])
    assert [value(made, asked(), "no_wrong_claim") for made in (right, wrong, hedged)] == [1.0, 0.0, 1.0]
    assert value(answered, nothing, "no_wrong_claim") == 0.0
    assert value(row(status="abstained"), nothing, "no_wrong_claim") == 1.0


def test_each_trait_has_its_own_figures() -> None:
    nothing = parse_question(
        {"id": "q", "question": "?", "answers": [], "must_not": "x", "traits": ["wrong_year"]}
    )
    found = figures(
        (row(gold=[gold(0, 10)], citations=[citation(0, 10)]), asked(traits=["wrong_year"])),
        (row(gold=[gold(0, 10)], citations=[citation(500, 510)]), asked(traits=["wrong_year", "as_of"])),
        (row(citations=[citation(0, 10)]), nothing),
        (row(gold=TWO_SIDES, citations=BOTH_CITED, disagreements=[[0, 1]]), asked(traits=["conflict"])),
        (row(gold=[gold(0, 10)], citations=[citation(0, 10)], disagreements=[]), asked(traits=[])),
    )
    years = found["by_trait"]["wrong_year"]
    assert (years["n"], years["answerable"]) == (3, 2)
    assert (years["first_right"]["mean"], years["first_right"]["n"]) == (0.5, 2)
    assert years["answered_wrongly"]["mean"] == pytest.approx(2 / 3)
    assert found["by_trait"]["as_of"]["first_right"]["mean"] == 0.0
    assert found["by_trait"]["conflict"]["conflict_told"]["mean"] == 1.0
    assert found["by_trait"]["conflict"]["all_cited"]["mean"] == 1.0
    assert (found["false_alarms"]["mean"], found["false_alarms"]["n"]) == (0.0, 1)
    assert list(found["by_trait"]) == ["wrong_year", "conflict", "as_of"]


def test_what_no_question_could_show_is_unmeasured_and_never_zero() -> None:
    found = figures((row(gold=[gold(0, 10)], citations=[citation(0, 10)]), asked(traits=["wrong_year"])))
    values = found["by_trait"]["wrong_year"]
    for name in ("conflict_told", "in_date_order"):
        assert (values[name]["mean"], values[name]["n"]) == (None, 0), name
    assert found["false_alarms"]["mean"] is None  # the row does not say what disagreed
    unmarked = row(gold=[gold(0, 10)])
    assert by_trait([unmarked], score_table(score([unmarked], {"q": asked()}, {}))) == {}


def test_the_screen_and_the_page_show_the_traits(make_run: Callable[..., Path], questions_file: Path) -> None:
    marked = [{**each, "traits": ["wrong_person"] if each["id"] == "q1" else []} for each in ROWS]
    questions_file.write_text("".join(json.dumps(each) + "\n" for each in marked))
    run = open_run(make_run("marked"))
    scores, found = finish(run)
    out = io.StringIO()
    show(run, found, Console(file=out, width=160))
    page = html.render(run, scores, found)
    for words in ("by trait", "wrong_person", "change", "100.0 (1)", "unmeasured", "False alarms: "):
        assert words in out.getvalue(), words
    assert "<h2>By trait, per cent (of so many)</h2>" in page
    assert '<span class="tag">wrong_person</span>' in page
    assert all(name.replace("_", " ") in page for name in FIGURES)


def test_without_marks_false_alarms_are_unmeasured(
    make_run: Callable[..., Path], questions_file: Path
) -> None:
    questions_file.write_text("".join(json.dumps({**each, "traits": None}) + "\n" for each in ROWS))
    run = open_run(make_run("plain"))
    scores, found = finish(run)
    assert list(found["by_trait"]) == ["change"]  # by its type alone
    assert "False alarms of a disagreement are unmeasured" in html.render(run, scores, found)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"traits": ["conflict"]}, "has not two pieces"),
        ({"traits": ["false_presupposition"]}, "yet it has answers or evidence"),
        ({"traits": ["as_of"]}, "names no year"),
        ({"traits": ["wrong_body"], "answers": [], "evidence": [], "type": "unanswerable"}, "would be wrong"),
    ],
)
def test_a_trait_without_what_it_needs_is_an_error(
    corpus: Path, change: dict[str, object], told: str
) -> None:
    library = Library(SmallStore(corpus).documents())
    found = check([parse_question({**ROWS[0], **change})], library)
    assert any(f.level == "error" and told in f.message for f in found.findings)
    assert not found.sound


def test_marked_questions_that_have_what_they_need_are_sound(corpus: Path) -> None:
    sides = [
        piece((MINUTES, "The caseload was 24 children per worker.")),
        piece((REVIEW, "The caseload was 14 children per worker in June 2018.")),
    ]
    rows: list[dict[str, object]] = [
        {"id": "a", "question": "as of 2018 whats the load?", "answers": ["14"], "evidence": sides[1:]},
        {"id": "b", "question": "so which load is it", "answers": ["24", "14"], "evidence": sides},
        {
            "id": "c",
            "question": "load in 1999",
            "answers": [],
            "must_not": "24 is 2016",
            "type": "unanswerable",
        },
    ]
    marks = (["as_of"], ["conflict"], ["wrong_year"])
    questions = [parse_question({**each, "traits": traits}) for each, traits in zip(rows, marks, strict=True)]
    found = check(questions, Library(SmallStore(corpus).documents()))
    assert found.findings == ()
    assert found.by_trait == {"wrong_year": 1, "conflict": 1, "as_of": 1}


def test_our_own_development_questions_are_marked_ten_and_more_a_trait() -> None:
    subjects = [
        DATA / "questions" / f"{name}.jsonl" for name in ("ansley_museum", "calder_mere", "doncaster")
    ]
    own = [q for q in load_questions(subjects) if q.split == "dev"]
    assert [q.id for q in own if q.traits is None] == []
    n = {trait: sum(trait in q.all_traits for q in own) for trait in TRAITS}
    assert all(count >= 10 for count in n.values()), n


def test_the_schema_and_the_description_of_the_data_name_every_trait() -> None:
    schema = json.loads((DATA / "question.schema.json").read_text(encoding="utf-8"))
    told = (DATA / "README.md").read_text(encoding="utf-8")
    assert schema["properties"]["traits"]["items"]["enum"] == list(TRAITS)
    for trait, meaning in TRAITS.items():
        assert f"| `{trait}` | {meaning} |" in told
