"""A small corpus, questions about it, and runs of the small assistant over them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cases import FILES, ROWS
from small import SmallAssistant


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def questions_file(tmp_path: Path) -> Path:
    path = tmp_path / "questions.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    return path


@pytest.fixture
def make_run(corpus: Path, questions_file: Path, tmp_path: Path) -> Callable[..., Path]:
    """Runs the small assistant over the questions into a folder of this name and scores it."""
    from eval.questions import load_questions
    from eval.runs import open_run
    from eval.runs.runner import run
    from eval.scoring.saved import finish

    def make(name: str, *, threshold: float = 0.5, **options: bool) -> Path:
        folder = tmp_path / name
        assistant = SmallAssistant(corpus, threshold=threshold)
        run(assistant, load_questions([questions_file]), folder, info={"seed": 1}, **options)
        finish(open_run(folder))
        return folder

    return make
