"""``rag eval new``: a question file written by walking the passages of a store with a person.

A passage is shown, a question and its answer words are asked for, and near misses of the question are
proposed: the same question of another year or another name, to be refused because the documents do not answer
it. Each row is written at once; the passages seen stand beside the file, so that a walk that was stopped goes
on.
"""

from __future__ import annotations

import os
import random
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from eval.files import appending, cut_torn_line, dump, read_lines
from eval.metrics import overlap
from eval.questions.files import load_questions
from eval.questions.gold import answer_ranges
from eval.questions.parsing import question_to_json
from eval.questions.records import GoldPlace, Piece, Question
from rag.answering.question import Kind, kind_of
from rag.records import Document, Passage, sha256_text
from rag.text.dates import years_in
from rag.text.names import names_in
from rag.text.sentences import sentences
from rag.text.sinks import clean

SEED = 1
STOP = "q"
LEAST_WORDS = 12  # in a passage: headings and captions answer little
MOST_PROPOSED = 3  # near misses a question
WIDTH = 78

Ask = Callable[[str], str | None]  # a prompt in, what was typed out; None at the end of input
Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Shown:
    """A passage to ask about: the document as a question file names it, and its text."""

    document: str
    date: str | None
    start: int
    end: int
    text: str


def write_questions(path: Path, passages: Sequence[Shown], ask: Ask, say: Say) -> int:
    """Walk the passages not seen yet and append what is typed; the number of rows written now."""
    seen_path = path.with_name(path.name + ".seen")
    for each in (path, seen_path):
        cut_torn_line(each)
    known = {q.question.casefold() for q in load_questions([path])} if path.exists() else set()
    seen = {(row["document"], row["start"], row["end"]) for row in read_lines(seen_path)}
    path.parent.mkdir(parents=True, exist_ok=True)
    n_written = 0
    with appending(path) as file, appending(seen_path) as seen_file:
        for passage in passages:
            if (passage.document, passage.start, passage.end) in seen:
                continue
            say(shown(passage))
            typed = _asked(ask, "question (empty: next passage, q: stop)> ")
            if typed is None or typed == STOP:
                break
            questions = _questions_of(typed, passage, passages, known, ask, say) if typed else []
            for question in questions:
                if question.question.casefold() in known:
                    continue
                known.add(question.question.casefold())
                file.write(dump(question_to_json(question)) + "\n")
                file.flush()
                n_written += 1
            place = {"document": passage.document, "start": passage.start, "end": passage.end}
            seen_file.write(dump(place) + "\n")
            seen_file.flush()
    return n_written


def passages_of(store: Any, seed: int = SEED) -> list[Shown]:
    """The passages of a store worth asking about: shuffled, one document after another, then round again."""
    by_document: dict[str, list[Passage]] = {}
    for passage in store.passages(store.rows):
        if len(passage.text.split()) >= LEAST_WORDS:
            by_document.setdefault(passage.document_id, []).append(passage)
    documents: dict[str, Document] = {document: store.document(document) for document in by_document}
    folders = [str(PurePath(document.path).parent) for document in documents.values()]
    root = os.path.commonpath(folders) if folders else "/"
    rng = random.Random(seed)
    order = sorted(by_document, key=lambda document: documents[document].path)
    rng.shuffle(order)
    for each in order:
        rng.shuffle(by_document[each])
    rounds = max(map(len, by_document.values()), default=0)
    return [
        Shown(
            PurePath(os.path.relpath(documents[each].path, root)).as_posix(),
            documents[each].date,
            by_document[each][number].start,
            by_document[each][number].end,
            by_document[each][number].text,
        )
        for number in range(rounds)
        for each in order
        if number < len(by_document[each])
    ]


def shown(passage: Shown) -> str:
    """A passage as a screen shows it, with where it is from."""
    head = clean(passage.document) + (f" · {passage.date}" if passage.date else "")
    paragraphs = [textwrap.fill(clean(each), WIDTH) for each in passage.text.split("\n\n")]
    return "\n".join(["", head, "", *paragraphs, ""])


def near_misses(question: str, passage: str, others: Sequence[str]) -> list[str]:
    """The question of another year or another name that the passage does not hold.

    Years and names come from the other passages, those that come up most first.

    >>> near_misses("how many posts were vacant in 2016?", "In 2016, 24 posts.", ["A review of 2018."])
    ['how many posts were vacant in 2018?']
    """
    proposed: dict[str, None] = {}
    for found_in in (lambda text: sorted(years_in(text)), names_in):
        counted: dict[str, int] = {}
        for text in others:
            for other in found_in(text):
                counted[other] = counted.get(other, 0) + 1
        strangers = sorted((other for other in counted if other not in passage), key=lambda o: -counted[o])
        for asked in found_in(question):
            for stranger in strangers[:MOST_PROPOSED]:
                proposed[question.replace(asked, stranger)] = None
    return list(proposed)[:MOST_PROPOSED]


def _questions_of(
    typed: str, passage: Shown, passages: Sequence[Shown], known: set[str], ask: Ask, say: Say
) -> list[Question]:
    """The question typed with its near misses; none where its answer is not given."""
    if typed.casefold() in known:
        say("That is asked in the file already.")
        return []
    answer = _answer(passage, ask, say)
    if not answer:
        return []
    quote = _sentences_with(passage.text, answer)
    place = GoldPlace(passage.document, quote=quote)
    asked = _question(typed, answers=(answer,), evidence=(Piece((place,)),))
    must_not = f"“{answer}” answers “{typed}”, not this"
    misses = _misses(typed, passage, passages, ask)
    return [asked, *(_question(miss, nearest=(place,), must_not=must_not) for miss in misses)]


def _answer(passage: Shown, ask: Ask, say: Say) -> str:
    """Answer words that stand in the passage; empty when the person gives the question up."""
    while True:
        answer = _asked(ask, "answer, in the passage's words (empty: drop the question)> ")
        if not answer:
            return ""
        if answer_ranges(passage.text, (0, len(passage.text)), [answer]):
            return answer
        say("These words do not stand in the passage.")


def _misses(question: str, passage: Shown, passages: Sequence[Shown], ask: Ask) -> Iterator[str]:
    """The near misses that the person says the documents do not answer, proposed and own."""
    others = [other.text for other in passages if other is not passage]
    for proposed in near_misses(question, passage.text, others):
        reply = _asked(ask, f"do the documents answer: {clean(proposed)} (n: no, keep it; empty: skip)> ")
        if reply and reply.casefold() in ("n", "no"):
            yield proposed
    own = _asked(ask, "a question like it that they do not answer (empty: none)> ")
    if own:
        yield own


def _question(text: str, **more: Any) -> Question:
    kind = kind_of(text)
    name = "unanswerable" if "must_not" in more else "what" if kind is Kind.WHERE else kind.value
    return Question(f"own-{sha256_text(text.casefold())[:12]}", text, type=name, split="dev", **more)


def _sentences_with(text: str, answer: str) -> str:
    """The sentence, or the sentences, that an answer first stands in."""
    place = answer_ranges(text, (0, len(text)), [answer])[0]
    inside = [each for each in sentences(text) if overlap(each, place)] or [(0, len(text))]
    return text[inside[0][0] : inside[-1][1]]


def _asked(ask: Ask, prompt: str) -> str | None:
    typed = ask(prompt)
    return None if typed is None else typed.strip()
