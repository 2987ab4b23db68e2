"""Question sets: what is accepted, what is refused and how it is told, and whether a set is sound."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cases import MINUTES, ROWS, piece
from hypothesis import given
from hypothesis import strategies as st
from small import SmallStore

from eval.questions import (
    GoldPlace,
    load_questions,
    parse_question,
    question_files,
    question_to_json,
)
from eval.questions.check import check
from eval.questions.gold import Library, is_tail, occurrences
from rag.errors import UsageError
from rag.records import sha256_text

DATA = Path(__file__).parents[3] / "eval" / "data"
GOOD: dict[str, object] = {"id": "q", "question": "who?", "answers": ["Ann"]}
BAD: list[tuple[dict[str, object], str]] = [
    ({"question": "who?", "answers": []}, '"id" must be'),
    ({"id": "q", "question": " ", "answers": []}, '"question" must be'),
    ({"id": "q", "question": "who?"}, 'one of "answers" and "evidence"'),
    ({**GOOD, "answers": "Ann"}, '"answers" must be a list'),
    ({**GOOD, "answers": [""]}, '"answers" must be a list'),
    ({**GOOD, "type": "whom"}, '"type" must be one of'),
    ({**GOOD, "split": "train"}, '"split" must be one of'),
    ({**GOOD, "polarity": "maybe"}, '"polarity" must be one of'),
    ({**GOOD, "anwsers": []}, "unknown keys anwsers"),
    ({**GOOD, "evidence": [{"any_of": []}]}, "evidence 1 must be"),
    ({**GOOD, "evidence": [{"any_of": [{"quote": "x"}]}]}, 'must name its "document"'),
    ({**GOOD, "evidence": [{"any_of": [{"document": "d", "start": 3}]}]}, "must be a non-empty range"),
    ({**GOOD, "evidence": [{"any_of": [{"document": "d", "qoute": "x"}]}]}, "unknown keys qoute"),
    ({**GOOD, "nearest": "d"}, '"nearest" must be a list'),
    ({**GOOD, "traits": "as_of"}, '"traits" must be a list'),
    ({**GOOD, "traits": ["wrong_town"]}, '"traits" must be out of'),
    ({**GOOD, "traits": ["as_of", "as_of"]}, "names one twice"),
]


@pytest.mark.parametrize(("made", "told"), BAD)
def test_a_faulty_question_is_refused_with_its_fault(made: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        parse_question(made)


@pytest.mark.parametrize(("made", "told"), [pair for pair in BAD if pair[1] != "must be a non-empty range"])
def test_the_schema_refuses_what_the_code_refuses(made: dict[str, object], told: str) -> None:
    import jsonschema

    schema = json.loads((DATA / "question.schema.json").read_text(encoding="utf-8"))
    assert not jsonschema.Draft202012Validator(schema).is_valid(made), told


def test_the_schema_accepts_what_the_code_accepts() -> None:
    import jsonschema

    validator = jsonschema.Draft202012Validator(
        json.loads((DATA / "question.schema.json").read_text(encoding="utf-8"))
    )
    for row in [*ROWS, GOOD]:
        parse_question(row)
        assert validator.is_valid(row), row
    for path in sorted((DATA / "questions").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert validator.is_valid(json.loads(line)), line


@pytest.mark.parametrize("row", ROWS)
def test_a_question_written_and_read_is_the_same(row: dict[str, object]) -> None:
    question = parse_question(row)
    assert parse_question(question_to_json(question)) == question


def test_all_faults_of_a_file_are_told_together(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(
        '{"id": "a", "question": "x", "answers": []}\n{torn\n\n{"id": "a", "question": "y"}\n[]\n'
    )
    with pytest.raises(UsageError) as caught:
        load_questions([path])
    told = caught.value.message
    assert "line 2: not JSON" in told
    assert "line 4: one of" in told
    assert "line 5: a question must be a JSON object" in told


def test_an_id_used_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(2 * '{"id": "a", "question": "x", "answers": []}\n')
    with pytest.raises(UsageError, match=r"stands already at set\.jsonl line 1"):
        load_questions([path])


def test_a_folder_stands_for_its_question_files(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a.jsonl", "notes.txt"):
        (tmp_path / name).write_text("")
    assert [path.name for path in question_files([tmp_path])] == ["a.jsonl", "b.jsonl"]
    with pytest.raises(UsageError, match="no questions at"):
        question_files([tmp_path / "none"])


@given(st.lists(st.sampled_from(["Ann", "left.", "in", "May"]), min_size=1, max_size=4), st.data())
def test_a_quote_is_found_whatever_white_space_stands_between_its_words(
    words: list[str], data: st.DataObject
) -> None:
    blanks = st.sampled_from([" ", "\n", "  ", "\t\n", "\u00a0"])
    text = "".join(word + data.draw(blanks) for word in words)
    (found, *_) = occurrences(f"So {text}", " ".join(words))
    assert f"So {text}"[slice(*found)].split() == words


def test_a_document_is_named_by_the_tail_of_its_path_in_whole_parts() -> None:
    assert is_tail("a/b.txt", "/x/a/b.txt")
    assert not is_tail("b.txt", "/x/ab.txt")
    assert not is_tail("z/a/b.txt", "/a/b.txt")


def test_a_range_is_held_to_its_hashes(corpus: Path) -> None:
    library = Library(SmallStore(corpus).documents())
    text = (corpus / MINUTES).read_text()
    start = text.index("Ann Carver")
    good = GoldPlace(MINUTES, start=start, end=start + 10, quote_sha256=sha256_text("Ann Carver"))
    ranges, missing = library.place(good)
    assert (ranges[0].start, ranges[0].end, missing) == (start, start + 10, None)
    assert text[slice(*ranges[0].sentences[0])] == "Ann Carver resigned in May 2016."
    for place, why in (
        (GoldPlace(MINUTES, start=0, end=10, quote_sha256=sha256_text("Ann Carver")), "other words stand"),
        (GoldPlace(MINUTES, quote="Ann Carver", sha256="0" * 64), "another version"),
        (GoldPlace("gone.txt", quote="Ann"), "not in the corpus"),
        (GoldPlace(MINUTES, quote="Ann Carvers"), "does not stand"),
    ):
        found, missing = library.place(place)
        assert not found
        assert missing is not None
        assert why in missing.why


def checked(corpus: Path, *rows: dict[str, object]) -> list[tuple[str, str]]:
    library = Library(SmallStore(corpus).documents())
    found = check([parse_question(row) for row in rows], library)
    return [(finding.level, finding.message) for finding in found.findings]


def test_a_sound_question_has_no_finding(corpus: Path) -> None:
    assert checked(corpus, ROWS[0]) == []


@pytest.mark.parametrize(
    ("change", "level", "told"),
    [
        ({"evidence": [piece((MINUTES, "Ann Carver resigned in June"))]}, "error", "does not stand"),
        ({"answers": ["the weather"]}, "warning", "no answer stands word for word"),
        ({"type": "unanswerable"}, "error", "yet it has answers or evidence"),
        ({"type": "yes_no"}, "warning", "without polarity"),
        ({"type": "follow_up"}, "error", 'needs "previous"'),
        ({"evidence": []}, "warning", "no evidence"),
        ({"nearest": [{"document": MINUTES, "quote": "nowhere"}]}, "warning", "nearest"),
    ],
)
def test_an_unsound_question_is_found(corpus: Path, change: dict[str, object], level: str, told: str) -> None:
    assert any(
        found == level and told in message for found, message in checked(corpus, {**ROWS[0], **change})
    )


def test_the_same_question_twice_is_an_error_and_nearly_the_same_a_warning(corpus: Path) -> None:
    again = {**ROWS[0], "id": "again", "question": "ann carver resigned in?"}
    near = {**ROWS[0], "id": "near", "question": "Ann Carver resigned in when"}
    assert ("error", "asks the same as q1") in checked(corpus, ROWS[0], again)
    assert ("warning", "asks nearly the same as q1") in checked(corpus, ROWS[0], near)


def test_our_own_set_is_sound_in_form() -> None:
    questions = load_questions(question_files([DATA / "questions"]))
    wrong = [f for f in check(questions, None).findings if f.level == "error"]
    assert wrong == []
