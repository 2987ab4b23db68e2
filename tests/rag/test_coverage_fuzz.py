"""Every generated test can be fed by a fuzzer that watches which code its input reaches."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("coverage_fuzz.py")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": ""},
    )


def test_every_generated_test_is_a_target() -> None:
    listed = run().stdout.split()
    assert "any_bytes_under_any_suffix_are_a_draft_or_refused_in_words" in listed
    assert len(listed) >= 12
    assert run("nothing").returncode == 1


@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is not installed: pip install '.[fuzz]'")
def test_a_target_is_fed_input_that_reaches_new_code(tmp_path: Path) -> None:
    ended = run("sentences_lie_in_order_and_lose_no_word", "-runs=300", str(tmp_path))
    assert ended.returncode == 0, ended.stderr
    assert any(tmp_path.iterdir())
