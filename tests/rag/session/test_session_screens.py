"""Screens of whole sessions, to the character; ``golden`` holds them.

After a change that is meant: RAG_REWRITE_GOLDEN=1 python -m pytest tests/rag/session/test_session_screens.py,
and read what has changed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from driven import Driven, lines_wider_than

GOLDEN = Path(__file__).parent / "golden"
SESSIONS = {
    "reading": (
        "who is the chief executive of the trust?",
        ":next",
        ":next",
        ":prev",
        ":more",
        ":more",
        ":open",
        ":copy",
        ":copy md",
        ":copy bib",
        ":copy csl",
        ":copy rtf",
    ),
    "asking_on": (
        "who chaired the peer review panel",
        "and the other members?",
        "when did the trust take over",
        "who led it?",
        "and in 2017?",
        "who said that?",
        ":ask and in 2017?",
    ),
    "no_answer": (
        "how do I boil an egg",
        ":next",
        ":why",
        "who was the director of the decomissioned service",
        ":good",
        ":why 9",
    ),
    "filters": (
        "who led the trust after:2017 in:*.html",
        "who led the trust after:2030",
        "who led the trust after:soon",
        "who led the trust as of December 2014",
        ":set after 2017-03",
        ":set",
        "who led the trust",
        ":set after none",
        ":set k many",
        ":set colour red",
    ),
    "why": (
        "how many children were looked after in March 2017?",
        ":why",
        ":why 2",
        ":whynot the transition team closes",
        ":whynot we use cookies to remember",
        ":whynot the dodo",
        ":whynot",
    ),
    "about": (
        ":help",
        ":help wh",
        ":help why",
        ":sources",
        ":sources trust",
        ":sources dodo",
        ":info",
        ":again",
    ),
    "mistakes": (
        ":",
        ":sa",
        ":nxet",
        ":next",
        ":expect nothing like it",
        ":save",
        ":edit",
        "   ",
        "after:2016",
    ),
}


def settled(shown: str) -> str:
    """The screen without what differs from run to run: when the store was made, and where."""
    shown = re.sub(r"(made)\s+\d+\s+\w+\s+\d{4},\s+\d\d:\d\d", r"\1 TODAY", shown)
    shown = re.sub(r"(?<=\n)(Added in\s+)\S+(?:\n\S+)*?(?=\nrag eval)", r"\1PATH", shown)
    return re.sub(r"(?<=\n)((?:store|questions) *\n? +)\S+(?:\n +\S+)*", r"\1PATH", shown)


@pytest.mark.parametrize("width", [80, 40])
@pytest.mark.parametrize("name", SESSIONS)
def test_a_session_is_drawn_to_the_character(name: str, width: int, fresh: Callable[..., Driven]) -> None:
    shown = settled(fresh(width=width).type(*SESSIONS[name]))
    path = GOLDEN / f"{name}_{width}.txt"
    if os.environ.get("RAG_REWRITE_GOLDEN"):
        path.write_text(shown, encoding="utf-8")
    assert shown == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [80, 40])
@pytest.mark.parametrize("name", SESSIONS)
def test_every_line_of_ours_fits_the_width(name: str, width: int, fresh: Callable[..., Driven]) -> None:
    entries = [entry for entry in SESSIONS[name] if not entry.startswith(":copy")]  # a copy keeps its lines
    assert lines_wider_than(width, fresh(width=width).type(*entries).splitlines()) == []


def test_colour_changes_no_word(fresh: Callable[..., Driven]) -> None:
    entries = SESSIONS["asking_on"]
    plain = fresh().type(*entries)
    coloured = fresh(colour=True, links=True).type(*entries)
    stripped = re.sub(r"\x1b\]8;[^\x1b]*\x1b\\|\x1b\[[\d;]*m", "", coloured)
    assert "\x1b[" in coloured
    assert "".join(stripped.split()) == "".join(plain.replace("»", "").replace("«", "").split())


def test_links_are_written_only_where_the_terminal_has_them(fresh: Callable[..., Driven]) -> None:
    question = "who is the chief executive of the trust?"
    assert "\x1b]8;" in fresh(colour=True, links=True).type(question)
    assert "\x1b]8;" not in fresh(colour=True, links=False).type(question)


def test_the_same_entries_give_the_same_screen_twice(fresh: Callable[..., Driven]) -> None:
    entries = SESSIONS["reading"]
    assert fresh().type(*entries) == fresh().type(*entries)
