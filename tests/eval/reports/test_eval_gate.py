"""Comparing runs and the gate: a planted regression is caught, an identical rerun is not."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from eval.reports.compare import compare
from eval.reports.compare_screen import show
from eval.reports.gate import Rules, judge, load_rules, write_baseline
from eval.runs import open_run
from eval.runs.environment import conditions_changed
from eval.scoring import METRICS
from eval.scoring.aggregate import Table
from eval.scoring.saved import load_scores
from rag.errors import UsageError

NOTHING: dict[str, str | None] = {}
RULES = Rules(floors={"quote_verbatim": 1.0}, drops={"right": 0.02, "f1": 0.02})


def made(n: int, share: float, *, seed: int = 1, metric: str = "right") -> Table:
    """Scores of n questions, of which a share is right; every other metric is 1."""
    rng = random.Random(seed)
    everything = dict.fromkeys(METRICS, 1.0)
    return {f"q{i}": {**everything, metric: float(rng.random() < share)} for i in range(n)}


def lowered(scores: Table, n: int, metric: str = "right") -> Table:
    """The same scores, n of the right questions now wrong."""
    chosen = [i for i, row in scores.items() if row[metric] == 1.0][:n]
    return {i: {**row, metric: 0.0} if i in chosen else row for i, row in scores.items()}


def test_an_identical_rerun_passes_and_differs_in_nothing(make_run: Callable[..., Path]) -> None:
    a, b = make_run("a"), make_run("b")
    (one, causes_one), (two, causes_two) = load_scores(a), load_scores(b)
    found = compare(one, two, causes_one, causes_two, metrics=tuple(METRICS))
    assert found.flips == ()
    measured = [c for c in found.changes if c.n]
    assert len(measured) > len(METRICS) / 2
    assert {(c.difference, c.p) for c in measured} == {(0.0, 1.0)}
    assert all(verdict.passed for verdict in judge(two, one, RULES))


def test_a_planted_regression_trips_the_gate() -> None:
    before = made(200, 0.7)
    verdicts = {v.rule: v for v in judge(lowered(before, 20), before, RULES)}
    tripped = [rule for rule, verdict in verdicts.items() if not verdict.passed]
    assert tripped == ["right drops at most 2 points"]
    assert "+0 −20" in verdicts[tripped[0]].detail


def test_thresholds_shifted_in_the_assistant_trip_the_gate(corpus: Path, tmp_path: Path) -> None:
    import json

    from small import SmallAssistant

    from eval.questions import load_questions
    from eval.runs.runner import run
    from eval.scoring.saved import finish

    rows = [
        {
            "id": f"q{i}",
            "question": f"when did Ann Carver resign, asked {i} times",
            "answers": ["May 2016"],
            "evidence": [
                {
                    "any_of": [
                        {"document": "2016-05-01-minutes.txt", "quote": "Ann Carver resigned in May 2016."}
                    ]
                }
            ],
        }
        for i in range(12)
    ]
    path = tmp_path / "twelve.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    scores = []
    for name, threshold in (("sound", 0.2), ("shifted", 0.9)):
        run(SmallAssistant(corpus, threshold=threshold), load_questions([path]), tmp_path / name, info={})
        scores.append(finish(open_run(tmp_path / name))[0])
    rules = Rules(floors={}, drops={"shown": 0.02})
    assert not all(v.passed for v in judge(scores[1], scores[0], rules))
    assert all(v.passed for v in judge(scores[0], scores[0], rules))


def test_a_drop_that_may_be_chance_is_noted_and_passes() -> None:
    before = made(50, 0.7)
    (verdict,) = [v for v in judge(lowered(before, 3), before, RULES) if v.rule.startswith("right")]
    assert (verdict.passed, verdict.noted) == (True, True)
    assert "chance" in verdict.detail


def test_a_sure_drop_within_what_is_allowed_passes() -> None:
    before = made(1000, 0.9)
    rules = Rules(floors={}, drops={"right": 0.05})
    assert all(v.passed for v in judge(lowered(before, 20), before, rules))


def test_a_floor_trips_whatever_the_baseline_says() -> None:
    before = made(50, 0.7)
    broken = {i: {**row, "quote_verbatim": 0.0 if i == "q7" else 1.0} for i, row in before.items()}
    verdicts = {v.rule: v.passed for v in judge(broken, broken, RULES)}
    assert verdicts["quote_verbatim at least 100 %"] is False


def test_what_is_not_measured_has_not_passed() -> None:
    before = made(50, 0.7)
    unmeasured = {i: {**row, "right": None, "quote_verbatim": None} for i, row in before.items()}
    verdicts = {v.rule: v for v in judge(unmeasured, before, RULES)}
    assert not verdicts["right drops at most 2 points"].passed
    assert not verdicts["quote_verbatim at least 100 %"].passed
    partly = {i: {**row, "f1": None if i == "q3" else row["f1"]} for i, row in before.items()}
    verdicts = {v.rule: v for v in judge(partly, before, RULES)}
    assert "1 questions measured before are not now" in verdicts["f1 drops at most 2 points"].detail
    assert not verdicts["f1 drops at most 2 points"].passed


def test_a_question_without_a_row_trips_the_gate() -> None:
    before = made(50, 0.7)
    short = {i: row for i, row in before.items() if i != "q9"}
    verdict = judge(short, before, RULES)[0]
    assert not verdict.passed
    assert "q9" in verdict.detail


def test_the_gate_seldom_trips_on_pure_chance() -> None:
    tripped = 0
    for seed in range(60):  # two runs of the same quality, wrong on different questions
        a, b = made(200, 0.7, seed=seed), made(200, 0.7, seed=1000 + seed)
        tripped += not all(v.passed for v in judge(b, a, RULES))
    assert tripped <= 6  # 5 % two-sided, and only drops count


def test_flips_come_first_and_worse_before_better() -> None:
    a, b = made(30, 1.0), made(30, 1.0)
    a["q1"]["right"] = b["q2"]["right"] = b["q3"]["right"] = 0.0
    found = compare(a, b, NOTHING, {"q1": "wrong span", "q2": "wrong span", "q3": "wrong span"})
    assert [(flip.question_id, flip.better) for flip in found.flips] == [
        ("q2", False),
        ("q3", False),
        ("q1", True),
    ]
    assert found.flips[0].cause == "wrong span"
    out = io.StringIO()
    show(found, {"q1": "who?", "q2": "why?", "q3": "when?"}, ("a", "b"), Console(file=out, width=200))
    told = out.getvalue()
    assert told.index("q1") < told.index("metric")
    assert "McNemar" in told
    assert "80 % sees" in told


def test_a_change_is_told_with_all_that_makes_it_sure() -> None:
    before = made(100, 0.8)
    (change,) = compare(before, lowered(before, 8), NOTHING, NOTHING, metrics=("right",)).changes
    assert change.difference == pytest.approx(-0.08)
    assert (change.wins, change.losses, change.ties) == (0, 8, 92)
    assert change.p == change.p_holm == pytest.approx(2 / 2**8)
    assert change.low is not None
    assert change.high is not None
    assert change.low < -0.08 < change.high < 0
    assert change.detectable is not None
    assert change.detectable >= 6 / 100


def test_several_metrics_are_corrected_together() -> None:
    before = made(100, 0.8)
    after = lowered(before, 6)
    (right, _) = compare(before, after, NOTHING, NOTHING, metrics=("right", "f1")).changes
    assert right.p == pytest.approx(2 / 2**6)
    assert right.p_holm == pytest.approx(2 * 2 / 2**6)


def test_what_the_runs_were_made_with_is_told_number_by_number() -> None:
    before = {"seed": 1, "store": "/a", "ranking": {"bm25_weight": 1.5, "depth": 100}}
    after = {"seed": 1, "store": "/b", "ranking": {"bm25_weight": 2.0, "depth": 100}}
    assert conditions_changed(before, after) == ["ranking.bm25_weight: 1.5 → 2.0"]


def test_runs_without_a_question_in_common_cannot_be_compared() -> None:
    with pytest.raises(UsageError, match="no question in common"):
        compare(made(3, 1.0), {"other": {}}, NOTHING, NOTHING)


def test_rules_are_read_and_their_faults_told_together(tmp_path: Path) -> None:
    path = tmp_path / "gate.toml"
    path.write_text("alpha = 0.1\n[floors]\nquote_verbatim = 1.0\n[drops]\nright = 0.02\n")
    assert load_rules(path) == Rules({"quote_verbatim": 1.0}, {"right": 0.02}, 0.1)
    path.write_text("alpha = 2\nbeta = 1\n[floors]\nrigth = 1.0\n[drops]\nright = 3\n")
    with pytest.raises(UsageError) as caught:
        load_rules(path)
    for words in (
        'unknown key "beta"',
        "alpha must be",
        'no metric is called "rigth"',
        "drops.right must be 0..1",
    ):
        assert words in caught.value.message


def test_our_own_rules_can_be_read() -> None:
    rules = load_rules(Path(__file__).parents[3] / "eval" / "gate.toml")
    assert rules.floors["quote_verbatim"] == 1.0
    assert rules.drops


def test_a_baseline_names_no_path_and_serves_as_one(make_run: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_run("kept")
    write_baseline(open_run(folder), tmp_path / "baseline")
    for path in (tmp_path / "baseline").iterdir():
        assert str(tmp_path) not in path.read_text()
    assert load_scores(tmp_path / "baseline") == load_scores(folder)


def test_an_unfinished_run_is_no_baseline(make_run: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_run("short")
    lines = (folder / "rows.jsonl").read_text().splitlines(keepends=True)
    (folder / "rows.jsonl").write_text("".join(lines[:-1]))
    with pytest.raises(UsageError, match="lacks 1 rows"):
        write_baseline(open_run(folder), tmp_path / "baseline")
