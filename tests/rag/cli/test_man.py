"""The manual page is that of the help texts, the same everywhere, and one that man can print."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import typer.main

from rag.cli import app
from rag.cli.man import page

PAGE = Path(__file__).parents[3] / "docs" / "rag.1"


def test_the_page_is_the_one_of_these_help_texts() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "make man writes it anew"


def test_the_page_is_the_same_whatever_the_terminal_and_the_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = page()
    for name, value in {
        "COLUMNS": "33",
        "HOME": str(tmp_path),
        "RAG_STORE": "/elsewhere",
        "TERM": "dumb",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    assert page() == before


def test_every_command_has_its_section_with_its_example() -> None:
    text = page()
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        assert f'.SS "rag {name}"' in text
        if command.epilog:
            assert command.epilog.replace("-", "\\-") in text


@pytest.mark.skipif(shutil.which("man") is None, reason="there is no man on this machine")
def test_man_prints_the_page_without_a_warning() -> None:
    done = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-l", str(PAGE)], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    printed = re.sub(r".\x08", "", done.stdout)
    assert "--store <path>" in printed
    assert "\n       130    interrupted with Ctrl-C\n" in printed
