"""The short form of ``make eval``: a question of every type, asked of the product as it ships."""

from __future__ import annotations

import json
from pathlib import Path

from eval.questions import TYPES, load_questions, question_files
from eval.runs import open_run
from eval.runs.runner import run
from eval.scoring.saved import finish

QUESTIONS = Path(__file__).parents[3] / "eval" / "data" / "questions"


def test_a_question_of_every_type_is_answered_in_words_that_stand_in_the_files(
    sample_store: Path, tmp_path: Path
) -> None:
    from rag.assistant import Assistant

    asked = [q for q in load_questions(question_files([QUESTIONS])) if q.split == "dev"]
    chosen = [next(q for q in asked if q.type == name) for name in TYPES]
    with Assistant.open(sample_store) as assistant:
        run(assistant, chosen, tmp_path / "run", info={}, depth=24)
    scores, figures = finish(open_run(tmp_path / "run"))
    assert len(scores) == len(TYPES)
    assert figures["metrics"]["quote_verbatim"]["mean"] == 1.0
    assert figures["metrics"]["hit@10"]["mean"] >= 0.75
    assert "gold doubtful" not in json.dumps(figures["failures"])
