"""A session takes whatever is entered: any command with any argument, and never ends in a traceback.

By default three hundred entries; RAG_SESSION_STEPS=5000 enters that many in one session.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from driven import Driven
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from rag.output.lines import Look
from rag.session.commands import COMMANDS

STEPS = int(os.environ.get("RAG_SESSION_STEPS", "300"))
STEPS_AT_ONCE = 100  # hypothesis gives an example so much chance and no more; the session goes on in the next
QUESTIONS = (
    "who is the chief executive of the trust?",
    "why was the trust decommissioned?",
    "who led it?",
    "and in 2017?",
    "who said that?",
    "how many of them?",
    "how do I boil an egg",
    "what about the peer review",
    "and before that?",
    "who chaired the panel as of June 2017",
    "what changed after:2016 in:*.md",
    "rating before:2015-13",
    "in: after: before:",
)
ARGUMENTS = (
    "", "1", "2", "99", "0", "-1", "md", "bib", "csl", "Paul Moffat", "the trust", "after 2016", "after none",
    "before 2030", "in *.txt", "in *.pdf", "in none", "k 3", "k 0", "followups off", "followups on",
    "as-of 2015", "as-of none", "/proc/x.md", "note.txt", "x" * 300, "“”", '"', "who led the trust?",
)  # fmt: skip
NAMES = [one.name for one in COMMANDS if one.name not in ("quit", "save")]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


class RandomSession(RuleBasedStateMachine):
    """A person at their worst, in a window they keep resizing. The test sets ``driven`` and ``aside``."""

    driven: Driven
    aside: Path
    entered = 0

    @initialize(width=st.sampled_from([None, 80, 40, 20]), colour=st.booleans())
    def resize(self, width: int | None, colour: bool) -> None:
        self.driven.session.screen._look = lambda: Look(width, colour, True, self.driven.folder)

    def enter(self, line: str) -> None:
        type(self).entered += 1
        shown = self.driven.type(line)
        plain = re.sub(r"\x1b\[[\d;]*m", "", shown)
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", plain)

    @rule(question=st.sampled_from(QUESTIONS))
    def ask(self, question: str) -> None:
        self.enter(question)

    @rule(name=st.sampled_from(NAMES), argument=st.sampled_from(ARGUMENTS))
    def command(self, name: str, argument: str) -> None:
        self.enter(f":{name} {argument}")

    @rule(name=st.sampled_from(NAMES), cut=st.integers(1, 4), argument=TEXT)
    def short_command(self, name: str, cut: int, argument: str) -> None:
        self.enter(f":{name[:cut]} {argument}")

    @rule(line=TEXT)
    def anything(self, line: str) -> None:
        if not ":quit".startswith(line.strip()[:5]) or not line.strip():
            self.enter(line)

    @rule(suffix=st.sampled_from([".md", ".html", ".jsonl", ".txt", ""]))
    def save(self, suffix: str) -> None:
        self.enter(f":save {self.aside}/{self.entered % 7}{suffix}")


def test_a_random_session_never_ends_in_a_traceback(
    fresh: Callable[..., Driven], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    kind = type("Here", (RandomSession,), {"driven": fresh(), "aside": tmp_path})
    chance = settings(
        max_examples=10,
        stateful_step_count=STEPS_AT_ONCE,
        deadline=None,
        derandomize="RAG_SESSION_STEPS" not in os.environ,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    while kind.entered < STEPS:  # type: ignore[attr-defined]
        run_state_machine_as_test(kind, settings=chance)
