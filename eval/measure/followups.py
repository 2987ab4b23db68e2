"""Follow-ups with and without completion: is the gold evidence among the first five passages?

Each follow-up is played as a session would have it: the questions before it are asked in turn, completed by
the same rules, and it is completed from their answers.

    python -m eval.measure.followups STORE --split dev
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from eval.questions import Question, load_questions, question_files
from eval.questions.gold import Library, holds
from rag.assistant import Assistant
from rag.records import Hit
from rag.session.followups import Earlier, complete
from rag.settings import ReaderSettings, Settings

QUESTIONS = Path(__file__).resolve().parents[1] / "data" / "questions"
K = 5


@dataclass(frozen=True, slots=True)
class Followed:
    """One follow-up: its three wordings, and for each whether gold evidence is among the first five."""

    id: str
    typed: str
    completed: str
    standalone: str
    found: tuple[bool, bool, bool]


def measure(store: Path, split: str) -> list[Followed]:
    """Every follow-up of a split that has evidence."""
    with Assistant.open(
        settings=Settings(store=store, reader=ReaderSettings(model="similarity"))
    ) as assistant:
        every = {question.id: question for question in load_questions(question_files([QUESTIONS]))}
        library = Library(assistant.store.documents())
        return [
            _follow(assistant, library, every, question)
            for question in every.values()
            if question.type == "follow_up" and question.split == split and question.evidence
        ]


def _follow(
    assistant: Assistant, library: Library, every: dict[str, Question], question: Question
) -> Followed:
    completed = complete(question.question, _before(assistant, every, question)).text
    wordings = (question.question, completed, question.standalone or question.question)
    gold = [gold for ranges, _ in library.pieces(question) for gold in ranges]

    def held(hit: Hit) -> bool:
        return any(
            passage.document_id == place.document
            and holds((passage.start, passage.end), (place.start, place.end))
            for passage in (hit.passage, *hit.duplicates)
            for place in gold
        )

    found = tuple(any(held(hit) for hit in assistant.search(words, k=K)) for words in wordings)
    return Followed(question.id, *wordings, (found[0], found[1], found[2]))


def _before(assistant: Assistant, every: dict[str, Question], question: Question) -> list[Earlier]:
    """What a session remembers when the question is typed."""
    previous = every[question.previous or ""]
    typed = previous.question
    if previous.type == "follow_up":
        typed = complete(typed, _before(assistant, every, previous)).text
    answer = assistant.ask(typed)
    date = answer.citations[0].date if answer.citations else None
    quotes = tuple(citation.quote for citation in answer.citations)
    return [Earlier(typed, answer.answer, quotes, tuple(hit.passage.text for hit in answer.hits), date)]


def main() -> None:
    """Print every follow-up and the three shares."""
    options = argparse.ArgumentParser(
        prog="python -m eval.measure.followups",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("store", type=Path, help="a store over eval/data/corpus")
    options.add_argument("--split", default="dev", choices=("dev", "test"), help="which follow-ups")
    given = options.parse_args()
    rows = measure(given.store, given.split)
    if not rows:
        raise SystemExit(f"no follow-up of the split {given.split} has evidence")
    for row in rows:
        marks = " ".join("x" if found else "." for found in row.found)
        print(f"{marks}  {row.id}  {row.typed}  ->  {row.completed}")
    for name, at in (("as typed", 0), ("completed", 1), ("written out by hand", 2)):
        n = sum(row.found[at] for row in rows)
        print(f"hit@{K} {name:<20} {n} of {len(rows)} ({n / len(rows):.0%})")


if __name__ == "__main__":
    main()
