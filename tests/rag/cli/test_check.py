"""``rag check`` as a command: streams, statuses, bad input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from rag.output.json_lines import schema

ROOT = Path(__file__).parents[3]
GOOD = 'The panel "was chaired by Alan Crossfield".\n'
BAD = 'The panel "was never chaired by anyone at all".\n'


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    import os

    home = tmp_path_factory.mktemp("home")
    docs = home / "docs"
    docs.mkdir()
    (docs / "letter.txt").write_text(
        "14 July 2017\n\nPeer review\n\nThe panel was chaired by Alan Crossfield, an officer of the council. "
        "A notice \x1b[2J about the bridge on Canal Street was put up.\n"
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAG_")}
    chosen = kept | {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "RAG_STORE": str(home / "store"),
        "RAG_READER_MODEL": "similarity",
        "PYTHONPATH": str(ROOT),
    }
    done = run(["index", str(docs)], chosen)
    assert done.returncode == 0, done.stderr
    return chosen


def run(arguments: list[str], env: dict[str, str], given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "rag", *arguments]
    return subprocess.run(command, input=given, env=env, capture_output=True, timeout=120, check=False)


def test_the_status_says_whether_all_stands(env: dict[str, str]) -> None:
    good, bad = (run(["check", "-"], env, text.encode()) for text in (GOOD, BAD))
    assert (good.returncode, good.stderr) == (0, b"")
    assert good.stdout == b"1 looked up: 1 verbatim\n"
    assert bad.returncode == 9
    assert bad.stdout.startswith("nowhere  line 1, quotation “was never".encode())


def test_json_is_one_finding_a_line(env: dict[str, str]) -> None:
    done = run(["check", "-", "--json"], env, (GOOD + BAD).encode())
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    for line in lines:
        jsonschema.validate(line, schema("check"))
    assert [line["verdict"] for line in lines] == ["verbatim", "nowhere"]
    assert done.stderr == b"2 looked up: 1 verbatim, 1 nowhere\n"


def test_markdown_is_the_text_with_footnotes(env: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "draft.md"
    path.write_bytes("\ufeffTab\there, blanks  \n".encode() + GOOD.encode())
    done = run(["check", str(path), "--markdown"], env)
    assert done.stdout.decode().startswith(
        'Tab\there, blanks  \nThe panel "was chaired by Alan Crossfield"[^rag-1].\n\n[^rag-1]: Verbatim'
    )


def test_one_kind_alone_can_be_asked_for(env: dict[str, str]) -> None:
    done = run(["check", "-", "--only", "name"], env, b"Canal Street was not shut for 31 days.\n")
    assert done.stdout == b"1 looked up: 1 verbatim\n"


def test_no_control_of_a_document_or_text_reaches_the_terminal(env: dict[str, str]) -> None:
    text = b'It said "A notice \x1b[2J about the bridge" and "\x1b]0;owned\x07 all that was".\n'
    for form in ([], ["--all"], ["--json"], ["--markdown"]):
        done = run(["check", "-", *form], env, text)
        assert b"\x1b" not in done.stdout + done.stderr
        assert b"\x07" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "given", "said"),
    [
        (["-"], b"\xff\xfe", b"- cannot be read: it is not UTF-8 text"),
        (["/no/such/file"], b"", b"cannot be read: No such file"),
        (["-", "--only", "verb"], b"", b"no kind 'verb'"),
        (["-", "--json", "--markdown"], b"", b"two forms of one output"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_hint(
    env: dict[str, str], arguments: list[str], given: bytes, said: bytes
) -> None:
    done = run(["check", *arguments], env, given)
    assert done.returncode == 2
    assert said in done.stderr
    assert b"hint: " in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_text_without_claims_says_so(env: dict[str, str]) -> None:
    done = run(["check", "-"], env, b"\n")
    assert (done.returncode, done.stdout[:16]) == (0, b"nothing in this ")
