"""``rag chat`` over a pipe: a program of its own, the bundled model, plain lines."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def chat(store: Path, text: str, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("RAG_")}
    environ |= {"RAG_READER_MODEL": "similarity", "PYTHONPATH": str(ROOT), "RAG_CONFIG": ""}
    command = [sys.executable, "-m", "rag", "chat", "--store", str(store), *arguments]
    return subprocess.run(
        command, input=text, capture_output=True, text=True, cwd=cwd, env=environ, timeout=120, check=False
    )


def test_every_line_is_answered_in_order(model_store: Path, letters: Path, tmp_path: Path) -> None:
    saved = tmp_path / "s.jsonl"
    found = chat(
        model_store,
        "who is the chief executive of the trust?\n:next\n:nonsense\n"
        f"who chaired the\\\n peer review panel\n:save {saved}\n",
        letters,
    )
    assert found.returncode == 0
    assert "\x1b" not in found.stdout
    assert found.stdout.index("Paul Moffat") < found.stdout.index("> who chaired the peer review panel")
    assert found.stderr.splitlines()[:2] == ["error: there is no command :nonsense", "hint: :help lists them"]
    assert len(saved.read_text("utf-8").splitlines()) == 2


def test_a_reader_that_has_seen_enough_is_no_error(model_store: Path, letters: Path) -> None:
    many = "printf ':help\\n:sources\\n%.0s' $(seq 200)"
    command = f"{many} | {sys.executable} -m rag chat --store {model_store} | head -1"
    environ = os.environ | {"RAG_READER_MODEL": "similarity", "PYTHONPATH": str(ROOT)}
    found = subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        text=True,
        cwd=letters,
        env=environ,
        timeout=120,
        check=True,
    )
    assert found.stdout.startswith("6 documents, read ")
    assert "Traceback" not in found.stderr


def test_without_a_store_the_way_to_one_is_told(tmp_path: Path) -> None:
    found = chat(tmp_path / "none", "who?\n", tmp_path)
    assert found.returncode == 1
    assert "error: " in found.stderr
    assert "hint: rag index" in found.stderr


def test_an_empty_pipe_is_an_empty_session(model_store: Path, letters: Path) -> None:
    found = chat(model_store, "", letters)
    assert (found.returncode, found.stderr) == (0, "")
