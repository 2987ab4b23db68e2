"""A user's own calibration: what is fitted, how honestly it is judged, where it is kept and when it holds."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cases import FILES, MINUTES, piece
from test_eval_cli import rag

from eval.calibrate import Case
from eval.calibrate_store import check_enough, fit, kept, lines, precision_interval
from eval.questions import Question
from rag.answering.calibration import Calibrator, load_calibrator
from rag.answering.store_calibration import (
    FILE,
    StoreCalibration,
    calibrator_of,
    calibrator_sha256,
    load,
    remove,
    save,
)
from rag.errors import StoreDamagedError, StoreFormatError, UsageError

# Confidence is the logistic function of one signal: -2, -1, 0, 1, 2 are .12, .27, .50, .73, .88.
SHIPPED = Calibrator({"relevance": 1.0}, {"relevance": 0.0}, {"relevance": 1.0}, 0.0, 0.5, {})


def cases(*groups: tuple[int, str, float, bool, bool]) -> list[Case]:
    """So many cases each: number, document, relevance, right, answerable."""
    return [
        Case(f"{document}-{relevance}-{i}", document, {"relevance": relevance}, right, answerable, True)
        for n, document, relevance, right, answerable in groups
        for i in range(n)
    ]


def test_the_threshold_is_the_lowest_that_keeps_the_precision() -> None:
    # From 2.0 on 18 of 18 are right, from 1.0 on 27 of 30 (.9), from 0.0 on 27 of 40.
    asked = cases(
        (9, "a", 2.0, True, True),
        (9, "b", 2.0, True, True),
        (9, "a", 1.0, True, True),
        (3, "b", 1.0, False, False),
        (10, "b", 0.0, False, False),
    )
    fitted = fit(asked, SHIPPED, 0.9)
    assert fitted.answered == pytest.approx(0.7310, abs=1e-4)
    assert fitted.answered <= SHIPPED.confidence({"relevance": 1.0})
    assert (fitted.after.n_right, fitted.after.n_claimed) == (27, 30)
    assert (fitted.after.n_unanswerable_claimed, fitted.after.n_unanswerable) == (3, 13)
    assert (fitted.before.n_right, fitted.before.n_claimed) == (27, 40)
    assert (fitted.slope, fitted.offset, fitted.loss_after) == (1.0, 0.0, None)


def test_no_document_helps_to_judge_itself() -> None:
    # By a's questions 1.0 is sure enough, by b's own it is not: b is judged by a's threshold and fails.
    asked = cases(
        (10, "a", 2.0, True, True),
        (10, "a", 1.0, True, True),
        (10, "b", 2.0, True, True),
        (10, "b", 1.0, False, False),
    )
    fitted = fit(asked, SHIPPED, 0.9)
    assert (fitted.after.n_right, fitted.after.n_claimed) == (20, 20)
    assert (fitted.kept_out.n_right, fitted.kept_out.n_claimed) == (20, 30)
    assert fitted.low is not None
    assert fitted.high is not None
    assert fitted.low < 2 / 3 < fitted.high


def test_of_one_document_nothing_is_kept_out_and_the_screen_says_so() -> None:
    fitted = fit(cases((20, "a", 2.0, True, True), (20, "a", -2.0, False, False)), SHIPPED, 0.9)
    assert fitted.kept_out.n_claimed == 0
    assert any("nothing is answered" in line for line in lines(fitted))


def test_what_can_be_claimed_at_no_confidence_moves_no_threshold() -> None:
    claimable = cases((20, "a", 1.0, True, True), (20, "b", 0.0, False, False))
    never = [replace(case, claimable=False) for case in cases((30, "b", 2.0, False, False))]
    assert fit([*claimable, *never], SHIPPED, 0.9).answered == fit(claimable, SHIPPED, 0.9).answered
    assert fit([*claimable, *never], SHIPPED, 0.9).after.n_claimed == 20


def test_a_precision_out_of_reach_is_refused_with_the_best_there_is() -> None:
    asked = cases((3, "a", 1.0, True, True), (1, "b", 1.0, False, False), (4, "b", 0.0, False, False))
    with pytest.raises(UsageError, match="no threshold makes 90% of the answers right: the best makes 75%"):
        fit(asked, SHIPPED, 0.9)


def test_with_fifty_of_each_a_confidence_that_exaggerates_is_refitted() -> None:
    # .88 sure and right in 3 of 5, .12 sure and right in 2 of 5, in each of four documents.
    asked = [
        case
        for document in "abcd"
        for case in cases(
            (12, document, 2.0, True, True),
            (8, document, 2.0, False, False),
            (8, document, -2.0, True, True),
            (12, document, -2.0, False, False),
        )
    ]
    fitted = fit(asked, SHIPPED, 0.6)
    assert fitted.loss_before is not None
    assert fitted.loss_after is not None
    assert fitted.loss_after < fitted.loss_before
    own = kept(fitted, SHIPPED, "reader", "encoder").applied_to(SHIPPED)
    assert own.confidence({"relevance": 2.0}) == pytest.approx(0.6, abs=0.02)
    assert own.confidence({"relevance": -2.0}) == pytest.approx(0.4, abs=0.02)
    assert own.answered <= own.confidence({"relevance": 2.0})
    assert own.answered > own.confidence({"relevance": -2.0})


def test_an_interval_says_how_little_a_few_right_answers_prove() -> None:
    low, high = precision_interval([1.0] * 5)
    assert (round(low or 0, 2), high) == (0.48, 1.0)  # 0.025 ** (1 / 5)
    few, many = precision_interval([1.0, 1.0, 0.0, 1.0] * 5), precision_interval([1.0, 1.0, 0.0, 1.0] * 50)
    assert (few[1] or 0) - (few[0] or 0) > 2 * ((many[1] or 0) - (many[0] or 0))


@pytest.mark.parametrize(("n_answerable", "n_other"), [(19, 20), (20, 19)])
def test_too_few_questions_of_a_kind_are_refused(n_answerable: int, n_other: int) -> None:
    asked = [Question(f"a{i}", "?", answers=("x",)) for i in range(n_answerable)]
    asked += [Question(f"n{i}", "?") for i in range(n_other)]
    with pytest.raises(UsageError, match=f"there are {n_answerable} and {n_other}"):
        check_enough(asked)


@pytest.fixture
def own() -> StoreCalibration:
    shipped = calibrator_sha256(load_calibrator("similarity"))
    return StoreCalibration(0.8, 0.9, "r1", "e1", shipped, 1.5, -0.25, {"n_answerable": 20})


def test_a_calibration_comes_back_as_it_was_kept_and_goes_when_told(
    own: StoreCalibration, tmp_path: Path
) -> None:
    assert load(tmp_path) is None
    assert save(tmp_path, own) == tmp_path / FILE
    assert load(tmp_path) == own
    assert (remove(tmp_path), remove(tmp_path), load(tmp_path)) == (True, False, None)


def test_it_holds_only_for_what_it_was_fitted_with(own: StoreCalibration, tmp_path: Path) -> None:
    shipped = load_calibrator("similarity")
    save(tmp_path, own)
    assert calibrator_of(tmp_path, "similarity", "r1", "e1").answered == 0.8
    assert calibrator_of(tmp_path, "similarity", "r2", "e1") == shipped
    assert calibrator_of(tmp_path, "similarity", "r1", "e2") == shipped
    save(tmp_path, replace(own, shipped="of another release"))
    assert calibrator_of(tmp_path, "similarity", "r1", "e1") == shipped


def test_the_shipped_calibration_is_told_apart_by_what_makes_a_confidence() -> None:
    assert calibrator_sha256(SHIPPED) == calibrator_sha256(replace(SHIPPED, contract="in other words"))
    assert calibrator_sha256(SHIPPED) != calibrator_sha256(replace(SHIPPED, bias=0.1))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"format": 1}', '{"format": 1, "answered": 0.5, "more": 1}']
)
def test_a_file_that_is_no_calibration_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(StoreDamagedError, match="is no calibration") as caught:
        load(tmp_path)
    assert "rag eval calibrate --reset" in caught.value.hint


def test_a_calibration_of_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('{"format": 2, "answer_at": 0.5}')
    with pytest.raises(StoreFormatError, match="of format 2"):
        load(tmp_path)


def test_from_questions_to_another_answer_and_back(tmp_path: Path) -> None:
    for name, text in FILES.items():
        path = tmp_path / "corpus" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    sentence = "Ann Carver resigned in May 2016."
    right = piece((MINUTES, sentence), ("2016-05-01-minutes-copy.txt", sentence))
    rows: list[dict[str, object]] = [
        {
            "id": f"a{i}",
            "question": f"in which month did Ann Carver resign, asked {i} times",
            "answers": ["May 2016"],
            "evidence": [right],
        }
        for i in range(20)
    ]
    rows += [{"id": f"n{i}", "question": f"who won chess cup {i}", "answers": []} for i in range(20)]
    (tmp_path / "own.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    store = ("--store", "store")

    def command(*words: str) -> subprocess.CompletedProcess[str]:
        return rag(*words, cwd=tmp_path, base=())

    def info() -> Any:
        return json.loads(command("info", "--json", *store).stdout)["calibration"]

    assert command("index", "corpus", *store).returncode == 0
    assert info() is None

    fitted = command("eval", "calibrate", "own.jsonl", *store)
    assert fitted.returncode == 0, fitted.stderr
    assert "20 answerable and 20 other questions" in fitted.stdout
    assert "The confidence is as shipped: 50 questions of each kind can refit it." in fitted.stdout
    own = load(tmp_path / "store")
    assert own is not None
    assert (info()["in_use"], info()["answered"], info()["n_answerable"]) == (True, own.answered, 20)
    assert "calibration" in command("info", *store).stdout

    ask = ("ask", "in which month did Ann Carver resign", *store)
    assert command(*ask).returncode == 0
    save(tmp_path / "store", replace(own, answered=1.0))
    assert command(*ask).returncode in (3, 4)  # nothing is sure enough any more
    assert command("index", "corpus", "--rebuild", *store).returncode == 0
    assert command(*ask).returncode in (3, 4)  # indexing anew leaves it
    assert command("eval", "calibrate", "--reset", *store).returncode == 0
    assert command(*ask).returncode == 0
    assert not (tmp_path / "store" / FILE).exists()
