"""``rag export`` as a command: forms, files, bad input. No store is needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hand_made import abstained, answered

from rag.output.json_lines import to_json

ROOT = Path(__file__).parents[3]
LINES = "".join(json.dumps(to_json(one, str)) + "\n" for one in (answered(), abstained()))


def run(*arguments: str, given: bytes = b"", home: Path) -> subprocess.CompletedProcess[bytes]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAG_")}
    return subprocess.run(
        [sys.executable, "-m", "rag", "export", *arguments],
        input=given,
        env=kept | {"HOME": str(home), "PYTHONPATH": str(ROOT)},
        cwd=home,
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    path = tmp_path / "answers.jsonl"
    path.write_text(LINES)
    return path


BEGINS = {
    "md": b"# Questions and what the documents say\n",
    "csl": b"[\n  {\n",
    "docx": b"PK",
    "html": b"<!doctype html>",
    "bibtex": b"@misc{note-2022,\n",
}


@pytest.mark.parametrize("form", BEGINS)
def test_a_form_goes_to_stdout_or_to_a_file_the_same_each_time(
    form: str, answers: Path, tmp_path: Path
) -> None:
    done = run(str(answers), "--to", form, home=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(BEGINS[form])
    again = run("-", "--to", form, "--output", "out", given=LINES.encode(), home=tmp_path)
    assert (again.returncode, again.stdout) == (0, b"")
    assert (tmp_path / "out").read_bytes() == done.stdout
    if form == "docx":
        assert zipfile.ZipFile(tmp_path / "out").testzip() is None


def test_a_line_that_could_not_be_asked_is_named(tmp_path: Path) -> None:
    error = json.dumps({"line": 1, "question": "?", "status": "error", "error": "x", "hint": ""}) + "\n"
    done = run("-", "--to", "md", given=(LINES + error).encode(), home=tmp_path)
    assert done.returncode == 0
    assert done.stderr == b"note: line 3 holds an error in the place of an answer, and is left out\n"


def test_a_changed_quotation_is_not_exported(tmp_path: Path) -> None:
    given = LINES.replace("voted to decommission", "refused to decommission")
    done = run("-", "--to", "md", given=given.encode(), home=tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"-:1: citation 1: the quote does not match its own checksum" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "given", "said"),
    [
        (["-", "--to", "pdf"], b"", b"no form 'pdf'"),
        (["nothing.jsonl", "--to", "md"], b"", b"nothing.jsonl cannot be read"),
        (["-", "--to", "md"], b"\xff", b"it is not UTF-8 text"),
        (["-", "--to", "md"], b"{}\n", b"-:1: no 'question'"),
        (["-", "--to", "md", "--output", "no/such/folder/x.md"], b"", b"cannot be written"),
        (["answers.jsonl", "--to", "md", "--output", "answers.jsonl"], b"", b"holds the answers themselves"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_hint(
    arguments: list[str], given: bytes, said: bytes, answers: Path, tmp_path: Path
) -> None:
    done = run(*arguments, given=given, home=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert b"hint: " in done.stderr
    assert b"Traceback" not in done.stderr
    assert answers.read_text() == LINES
