"""SECURITY.md promises nothing that no test holds."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_every_test_that_a_promise_names_is_there() -> None:
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    named = set(re.findall(r"`(test_\w+)`", text))
    sources = [path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
    there = {name for source in sources for name in re.findall(r"^def (test_\w+)", source, re.MULTILINE)}
    assert len(named) > 30
    assert named - there == set()


def test_every_promise_names_a_test() -> None:
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    promises = re.split(r"^## ", text, flags=re.MULTILINE)[1:-1]
    assert len(promises) == 6
    assert all("`test_" in promise for promise in promises)
