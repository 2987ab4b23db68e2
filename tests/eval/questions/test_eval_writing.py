"""A question file written at the prompt: sound rows, near misses, a walk that goes on where it stopped."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from cases import FILES
from small import SmallStore
from test_eval_cli import rag, variables

from eval.questions import load_questions
from eval.questions.check import check
from eval.questions.gold import Library
from eval.questions.writing import near_misses, passages_of, write_questions

CARVER = "The board met on Tuesday. Ann Carver resigned in May 2016."


class Typist:
    """Types lines one after another, and keeps what was said and asked."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self.screen: list[str] = []

    def ask(self, prompt: str) -> str | None:
        self.screen.append(prompt)
        return next(self._lines, None)

    def say(self, text: str) -> None:
        self.screen.append(text)


@pytest.fixture
def store(tmp_path: Path) -> SmallStore:
    folder = tmp_path / "long"
    folder.mkdir()
    for number, year in enumerate((2016, 2018, 2020)):
        text = (
            f"The board met on a Tuesday and heard reports. Ann Carver counted {number + 41} posts in {year}."
        )
        (folder / f"{year}-01-02-report.txt").write_text(text)
    return SmallStore(folder)


def test_a_question_typed_becomes_a_sound_row_with_its_near_misses(store: SmallStore, tmp_path: Path) -> None:
    passages = passages_of(store)
    year, posts = passages[0].document[:4], passages[0].text.split(" posts")[0].split()[-1]
    path = tmp_path / "own.jsonl"
    typist = Typist([f"how many posts in {year}?", "99", posts, "n", "", "how many posts by May?", "q"])
    assert write_questions(path, passages, typist.ask, typist.say) == 3
    asked, miss, own = load_questions([path])
    assert (asked.question, asked.answers, asked.type) == (f"how many posts in {year}?", (posts,), "how_many")
    assert asked.evidence[0].any_of[0].quote == f"Ann Carver counted {posts} posts in {year}."
    assert not miss.answerable
    assert miss.question in near_misses(asked.question, passages[0].text, [p.text for p in passages[1:]])
    assert (own.question, own.type, own.must_not is not None) == (
        "how many posts by May?",
        "unanswerable",
        True,
    )
    assert "These words do not stand in the passage." in typist.screen
    found = check(load_questions([path]), Library(store.documents()))
    assert [finding for finding in found.findings if finding.level == "error"] == []


def test_a_walk_goes_on_where_it_stopped_and_asks_nothing_twice(store: SmallStore, tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    passages = passages_of(store)
    first = Typist(["", "q"])
    assert write_questions(path, passages, first.ask, first.say) == 0
    second = Typist([])
    write_questions(path, passages, second.ask, second.say)
    assert passages[0].document in first.screen[0]
    assert passages[1].document in second.screen[0]  # the first is done with, the second was only shown
    year, answer = passages[1].document[:4], passages[1].text.split(" posts")[0].split()[-1]
    third = Typist([f"how many in {year}?", answer, "", "", "", f"HOW MANY in {year}?", "q"])
    assert write_questions(path, passages, third.ask, third.say) == 1
    assert "That is asked in the file already." in third.screen


def test_every_document_has_its_turn_before_one_has_a_second(corpus: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (corpus / name).write_text("\n\n".join(f"Part {i}: {'word ' * 20}" for i in range(3)))
    order = [passage.document for passage in passages_of(SmallStore(corpus))]
    long = [name for name in order if name in ("a.txt", "b.txt")]
    assert [set(long[i : i + 2]) for i in (0, 2, 4)] == [{"a.txt", "b.txt"}] * 3


def test_a_near_miss_is_of_what_the_passage_does_not_hold() -> None:
    others = ["In 2018 Bo Lind led it.", "Bo Lind left in 2016.", "The year 2018 again."]
    assert near_misses("what did Ann Carver do in 2016?", CARVER, others) == [
        "what did Ann Carver do in 2018?",
        "what did Bo Lind do in 2016?",
    ]
    assert near_misses("what happened then?", CARVER, others) == []


def test_lines_from_a_pipe_do_as_well_as_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    text = "The board met on a Tuesday in the old hall. " + FILES["2016-05-01-minutes.txt"].split("\n")[0]
    (tmp_path / "corpus" / "a.txt").write_text(text)
    assert rag("index", "corpus", "--store", "store", cwd=tmp_path, base=()).returncode == 0
    done = subprocess.run(
        [sys.executable, "-m", "rag", "eval", "new", "own.jsonl", "--store", "store"],
        cwd=tmp_path,
        env=variables(tmp_path),
        input="when did Ann Carver resign?\nMay 2016\n\n",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "1 questions written to own.jsonl" in done.stderr
    assert load_questions([tmp_path / "own.jsonl"])[0].answers == ("May 2016",)
    checked = rag("check", "own.jsonl", "--store", "store", cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout
