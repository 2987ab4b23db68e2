"""The README and docs/: every command in them runs and says what is shown; their tables are the code's.

A ``console`` block is a session: under ``$ command`` stands what it writes; a line ``...`` ends that.
``<!-- exit 3 -->`` before a block gives the status of its last command. After a change that is meant:
RAG_REWRITE_DOCS=1 python -m pytest tests/test_docs.py, and read what has changed.

The pages are read in one home, the README first: what it indexed is there for the others.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from eval.questions import load_questions
from rag.cli.exits import ExitStatus
from rag.output.json_lines import schema
from rag.settings import environment_name, rules

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGES = [README, *sorted(DOCS.glob("*.md"))]
REWRITE = bool(os.environ.get("RAG_REWRITE_DOCS"))
BLOCK = re.compile(r"(?:<!-- exit (?P<status>\d+) -->\n)?```console\n(?P<body>.*?)```", re.DOTALL)
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)
WIDTH = "80"


@dataclass(frozen=True)
class Step:
    """A command, the lines shown under it, and its expected status."""

    command: str
    shown: list[str]
    status: int


def steps(block: re.Match[str]) -> list[Step]:
    """The commands of a block with what is shown under each."""
    parts = re.split(r"^\$ ", block["body"], flags=re.MULTILINE)[1:]
    found = [(part.split("\n")[0], part.rstrip("\n").split("\n")[1:]) for part in parts]
    last = len(found) - 1
    return [
        Step(command, shown, int(block["status"] or 0) if number == last else 0)
        for number, (command, shown) in enumerate(found)
    ]


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    home = tmp_path_factory.mktemp("home")
    (home / "eval").symlink_to(ROOT / "eval")
    command = home / "bin" / "rag"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m rag "$@"\n')
    command.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAG_")}
    kept.pop("NO_COLOR", None)
    kept.pop("FORCE_COLOR", None)
    return kept | {
        "HOME": str(home),
        "PWD": str(home),
        "XDG_DATA_HOME": str(home / ".local" / "share"),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "COLUMNS": WIDTH,
        "PYTHONPATH": str(ROOT),
        "PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}",
    }


def written(output: str, home: str) -> list[str]:
    """What a command wrote, with what differs from run to run evened out."""
    output = output.replace(home, "/home/you")
    output = re.sub(r"\d+\.\d s\b", "2.0 s", output)
    output = re.sub(r"(?m)^(since \S+) \(\d+ \w+ \d{4}\)", r"\1 (3 March 2026)", output)
    return [line.rstrip() for line in output.splitlines()]


def evened(lines: list[str]) -> list[str]:
    """Lines as they are compared: scores may differ in their last digits from one processor to another."""
    return [re.sub(r"\d+%|-?\d+\.\d{4}", "#", line) for line in lines]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_runs_and_says_what_is_shown(page: Path, env: dict[str, str]) -> None:
    text = page.read_text(encoding="utf-8")
    if page != README and BLOCK.search(text):
        _indexed(env)
    wrong: list[str] = []

    def played(block: re.Match[str]) -> str:
        lines_out = [f"<!-- exit {block['status']} -->\n"] if block["status"] else []
        lines_out.append("```console\n")
        for step in steps(block):
            done = subprocess.run(
                ["bash", "-c", step.command],
                cwd=env["HOME"],
                env=env,
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
            lines = written(done.stdout, env["HOME"])
            cut = step.shown.index("...") if "..." in step.shown else None
            if done.returncode != step.status:
                wrong.append(f"{step.command}: status {done.returncode}, not {step.status}: {done.stderr}")
            if done.stderr:
                wrong.append(f"{step.command}: said on stderr {done.stderr!r}")
            if not REWRITE and evened(lines[:cut]) != evened(step.shown[:cut]):
                wrong.append("\n".join([f"{step.command}: now writes", *lines]))
            shown = lines if cut is None else [*lines[: cut or 6], "..."]
            lines_out.append("\n".join([f"$ {step.command}", *shown]) + "\n")
        return "".join(lines_out) + "```"

    new = BLOCK.sub(played, text)
    if REWRITE:
        page.write_text(new, encoding="utf-8")
    assert not wrong, "\n\n".join(wrong)


def _indexed(env: dict[str, str]) -> None:
    """The README's store, also where a page is tested alone."""
    if not (Path(env["XDG_DATA_HOME"]) / "rag" / "store").exists():
        command = ["bash", "-c", "rag index eval/data/corpus/doncaster"]
        subprocess.run(command, cwd=env["HOME"], env=env, capture_output=True, check=True)


def test_every_link_between_pages_leads_somewhere() -> None:
    for page in (*PAGES, ROOT / "CONTRIBUTING.md"):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_question_shown_is_a_sound_one(tmp_path: Path) -> None:
    text = (DOCS / "evaluation.md").read_text(encoding="utf-8")
    file = tmp_path / "shown.jsonl"
    file.write_text("".join(re.findall(r"```json\n(.*?)```", text, re.DOTALL)), encoding="utf-8")
    assert [question.id for question in load_questions([file])] == ["vac-16"]


def test_the_python_example_runs(env: dict[str, str]) -> None:
    (code,) = PYTHON.findall(README.read_text(encoding="utf-8"))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=env["HOME"], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "decommission" in done.stdout


def status_rows() -> Iterator[str]:
    yield "| status | says |\n|---|---|"
    for status in ExitStatus:
        yield f"| {int(status)} | {status.meaning} |"


def setting_rows() -> Iterator[str]:
    yield "| setting | default | unit | reason |\n|---|---|---|---|"
    for name, (rule, _, default) in rules().items():
        value = str(default).lower() if isinstance(default, bool) else str(default)
        yield f"| `{name}` | {f'`{value}`' if value else 'none'} | {rule.unit} | {rule.reason} |"


@pytest.mark.parametrize(
    ("page", "name", "rows"), [("commands", "statuses", status_rows), ("settings", "settings", setting_rows)]
)
def test_a_table_is_the_code_s(page: str, name: str, rows: Callable[[], Iterator[str]]) -> None:
    path = DOCS / f"{page}.md"
    text = path.read_text(encoding="utf-8")
    table = f"<!-- {name} -->\n" + "\n".join(rows()) + "\n<!-- end -->"
    if REWRITE:
        text = re.sub(rf"<!-- {name} -->\n.*?<!-- end -->", lambda _: table, text, count=1, flags=re.DOTALL)
        path.write_text(text, encoding="utf-8")
    assert table in text


def test_every_json_key_is_documented() -> None:
    text = (DOCS / "json.md").read_text(encoding="utf-8")
    answer = schema("answer")
    keys = {
        *answer["properties"],
        *answer["$defs"]["citation"]["properties"],
        *answer["$defs"]["hit"]["properties"],
    }
    assert {key for key in keys if f"`{key}`" not in text} == set()


def test_every_command_is_documented() -> None:
    import typer.main

    from rag.cli import app

    text = README.read_text(encoding="utf-8")
    for name in typer.main.get_command(app).commands:  # type: ignore[attr-defined]
        assert f"`rag {name} " in text or f"`rag {name}`" in text, name


def test_environment_names_are_as_said() -> None:
    assert environment_name("retrieval.k") == "RAG_RETRIEVAL_K"
