"""Text of others in each sink: fuzzed, and read back by what reads that sink."""

from __future__ import annotations

import json
import os
import subprocess
import unicodedata
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from rag.text.sinks import clean, file_name, json_line, shell_word, without_unseen

ANY = st.text() | st.text(st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Zs", "Po", "Ps"]))
# Signs before a number in Arabic, Syriac and the like are called formats and are seen all the same.
SEEN = {chr(code) for code in [*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2]}


def unseen(text: str) -> set[str]:
    categories = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return {c for c in text if unicodedata.category(c) in categories and c not in SEEN}


def test_every_control_format_and_separator_of_unicode_is_in_the_set() -> None:
    every = "".join(map(chr, range(0x110000)))
    assert unseen(clean(every)) == set()
    assert unseen(without_unseen(every)) == set()
    assert unseen(file_name(every)) == set()


@given(ANY)
def test_what_reaches_a_terminal_is_one_line_without_what_it_acts_on(text: str) -> None:
    assert unseen(clean(text)) == set()
    assert "\n" not in clean(text)
    assert clean(clean(text)) == clean(text)


HALVES = {chr(code) for code in range(0xD800, 0xE000)}
WHOLE = ANY.filter(HALVES.isdisjoint)  # two halves side by side come back as one character
LEAVES = WHOLE | st.none() | st.integers()


@given(st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(WHOLE, inner), max_leaves=10))
def test_json_is_read_back_as_it_was_and_holds_no_raw_control(value: object) -> None:
    line = json_line(value)
    assert json.loads(line) == value
    assert unseen(line) == set()
    line.encode()
    assert json_line("\ud800") == '"\\ud800"'


NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=40)
AWKWARD = [
    "$(touch pwned)",
    "`touch pwned`",
    "a b",
    "a  b",
    "it's",
    '"',
    "\\",
    "-rf",
    "~",
    "*",
    "\n; touch pwned",
    "\t",
    "a\u202eb",
    "é\u0301",
    "#",
    "!!",
    "${HOME}",
    "\x1b[2J",
    "1\n2",
    "\x7f",
    "x\x01f0",
]


def words_in_a_shell(line: str, folder: Path) -> list[bytes]:
    done = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {line}"],
        capture_output=True,
        check=True,
        cwd=folder,
        env={"HOME": "/root"},
    )
    return done.stdout.split(b"\0")[:-1]


def test_a_pasted_path_is_one_word_and_runs_nothing(tmp_path: Path) -> None:
    line = clean(" ".join(shell_word(name) for name in AWKWARD))
    assert words_in_a_shell(line, tmp_path) == [name.encode() for name in AWKWARD]
    assert list(tmp_path.iterdir()) == []


@settings(deadline=None, max_examples=15)
@given(st.lists(NAMES, min_size=1, max_size=60))
def test_any_path_is_one_word_of_a_pasted_line(names: list[str]) -> None:
    line = clean(" ".join(map(shell_word, names)))
    assert words_in_a_shell(line, Path("/")) == [name.encode() for name in names]


def test_bytes_that_are_no_utf_8_stay_those_bytes_in_a_shell() -> None:
    name = os.fsdecode(b"caf\xe9 \xff")
    assert words_in_a_shell(shell_word(name), Path("/")) == [b"caf\xe9 \xff"]
