"""The gate over the product as it ships: planted regressions trip it, an identical rerun does not.

A part of our own development questions, large enough for each regression to be no accident. Thresholds are
shifted by what the sound run's confidences are, so that no score of the shipped reader is written down here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import pytest

from eval.questions import Question, load_questions
from eval.reports.gate import judge, load_rules, write_baseline
from eval.runs import open_run
from eval.runs.runner import run
from eval.scoring.aggregate import Table
from eval.scoring.saved import finish, load_scores
from rag.answering.calibration import load_calibrator
from rag.assistant import Assistant
from rag.reader import open_reader
from rag.retrieval.encoder import load_encoder
from rag.settings import ReaderSettings, Settings
from rag.store import Store

ROOT = Path(__file__).parents[3]
SUBJECTS = ("ansley_museum", "calder_mere", "doncaster")
N_ANSWERABLE, N_UNANSWERABLE = 70, 16  # with fewer, a retriever left with one ranker may pass for chance
DEPTH = 8


@dataclass(frozen=True)
class Bench:
    """The sound product's run as a baseline, and what asks the same of a product with something changed."""

    questions: Sequence[Question]
    baseline: Table
    confidences: dict[str, float]  # of the questions called answered
    ask: Callable[..., Table]

    def tripped(self, scores: Table) -> list[str]:
        """The metrics whose rule the gate says is broken, over the questions asked.

        Where only a part was asked, a rule that it leaves unmeasured says nothing of the change.
        """
        rules = load_rules(ROOT / "eval" / "gate.toml")
        verdicts = judge(scores, {i: self.baseline[i] for i in scores}, rules)
        broken = [verdict for verdict in verdicts if not verdict.passed]
        part = len(scores) < len(self.baseline)
        return [v.rule.split()[0] for v in broken if not (part and v.detail == "unmeasured")]


def spread(questions: Sequence[Question], n: int) -> list[Question]:
    """So many of the questions, evenly spread over their order."""
    return [questions[i * len(questions) // n] for i in range(n)]


@pytest.fixture(scope="module")
def bench(sample_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("gate")
    files = [ROOT / "eval" / "data" / "questions" / f"{name}.jsonl" for name in SUBJECTS]
    dev = [question for question in load_questions(files) if question.split == "dev"]
    questions = spread([q for q in dev if q.answerable], N_ANSWERABLE) + spread(
        [q for q in dev if not q.answerable], N_UNANSWERABLE
    )
    settings = Settings(store=sample_store)
    encoder = load_encoder(settings.encoder)
    reader = open_reader(settings.reader, lambda: encoder)
    calibrator = load_calibrator(reader.name)

    def ask(
        name: str,
        *,
        answered: float | None = None,
        unread: bool = False,
        only: Callable[[Question], bool] = lambda _: True,
    ) -> Table:
        shifted = calibrator if answered is None else replace(calibrator, answered=answered)
        readers = open_reader(ReaderSettings(model="similarity"), lambda: encoder) if unread else reader
        with Assistant(Store.open(sample_store), encoder, readers, shifted, settings) as assistant:
            run(assistant, [q for q in questions if only(q)], folder / name, info={}, depth=DEPTH)
        return finish(open_run(folder / name))[0]

    ask("sound")
    sound = open_run(folder / "sound")
    write_baseline(sound, folder / "baseline")
    claimed = {row["id"]: row["confidence"] for row in sound.rows if row["status"] == "answered"}
    return Bench(questions, load_scores(folder / "baseline")[0], claimed, ask)


def test_an_identical_rerun_passes(bench: Bench) -> None:
    again = bench.ask("again")
    assert again == bench.baseline
    assert bench.tripped(again) == []


def test_a_threshold_that_calls_half_the_answers_weak_trips_the_gate(bench: Bench) -> None:
    raised = bench.ask("raised", answered=median(bench.confidences.values()))
    assert "answered" in bench.tripped(raised)


def test_a_threshold_that_answers_what_has_no_answer_trips_the_gate(bench: Bench) -> None:
    lowered = bench.ask("lowered", answered=0.0, only=lambda question: not question.answerable)
    assert "abstained" in bench.tripped(lowered)


def test_a_product_without_its_trained_reader_trips_the_gate(bench: Bench) -> None:
    # a ranking taken out of the retriever does not, on so few questions: the reader makes up for it
    unread = bench.ask("unread", unread=True)
    assert {"right", "citation_first"} <= set(bench.tripped(unread))
