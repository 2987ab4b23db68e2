"""Why one question went as it did: the gold passage beside the one cited, and words that would have told."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval.questions import Question
from eval.questions.check import words
from eval.reports.tables import plain
from eval.runs import AS_TYPED, Row, Run, base_id
from eval.scoring.attribution import Failure, attribute
from rag.errors import UsageError
from rag.records import Hit

N_WORDS = 6  # telling words listed
DEEP = 300  # places searched for the gold passage


@dataclass(frozen=True, slots=True)
class Side:
    """A passage as every ranker saw it: (ranker, rank, score), and its words."""

    document: str
    place: str
    ranked: tuple[tuple[str, int, float], ...]
    text: str


@dataclass(frozen=True, slots=True)
class Finder:
    """A word of the gold passage that the question lacks; ``place`` is the gold passage's with it added."""

    word: str
    weight: float
    place: int | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Gold passage and winner side by side, the words each shares, and words that would have found it."""

    row: Row
    question: Question
    failure: Failure | None
    gold: Side | None
    winner: Side | None
    shared_gold: tuple[str, ...]
    shared_winner: tuple[str, ...]
    finders: tuple[Finder, ...]


def explain(run: Run, row_id: str, *, search: Callable[..., list[Hit]] | None = None) -> Explanation:
    """The explanation of one row; with ``search`` each finding word is tried, not only guessed.

    A word's weight is its inverse document frequency over the passages the run knows.
    """
    row = next((row for row in run.rows if row["id"] == row_id), None)
    if row is None:
        raise UsageError(
            f'{run.folder} has no question "{row_id}"', "ids stand in rows.jsonl and in the report"
        )
    question = run.question[base_id(row_id)]
    gold, winner = _gold_side(run, row), _winner(run, row)
    asked = set(words(row["asked"]))
    counted = Counter(word for text in run.passages.values() for word in set(words(text)))

    def weight(word: str) -> float:
        return math.log((len(run.passages) + 1) / (counted[word] + 0.5))

    def shared(side: Side | None) -> tuple[str, ...]:
        return tuple(sorted(asked & set(words(side.text)), key=lambda w: (-weight(w), w))) if side else ()

    finders: list[Finder] = []
    if gold is not None:
        lacking = set(words(gold.text)) - asked - set(words(winner.text if winner else ""))
        likely = sorted((w for w in lacking if len(w) > 2), key=lambda w: (-weight(w), w))[:N_WORDS]
        finders = [Finder(word, weight(word), _place_with(search, row, word)) for word in likely]
    return Explanation(
        row, question, attribute(row, question), gold, winner, shared(gold), shared(winner), tuple(finders)
    )


def _side(run: Run, hit: Row, place: str) -> Side:
    text = run.passages.get((hit["document"], hit["start"], hit["end"]), "")
    return Side(hit["document"], place, tuple((n, r, s) for n, r, s in hit["ranked"]), text)


def _gold_side(run: Run, row: Row) -> Side | None:
    trail = row["trail"]
    if trail is not None:
        place = f"place {trail['place']}" + ("" if trail["read"] else " before reading, not read")
        return _side(run, trail["hit"], place)
    for piece in row["gold"]:
        for gold in piece["places"]:
            for start, end, _ in gold["passages"]:
                text = run.passages.get((gold["document"], start, end), "")
                return Side(gold["document"], "in no ranking", (), text)
    return None


def _winner(run: Run, row: Row) -> Side | None:
    """The passage cited first, or the first hit of an abstention."""
    if row["citations"]:
        cited = row["citations"][0]
        for number, hit in enumerate(row["hits"], 1):
            if hit["document"] == cited["document"] and hit["start"] <= cited["start"] < hit["end"]:
                return _side(run, hit, f"cited, place {number}")
    return _side(run, row["hits"][0], "place 1") if row["hits"] else None


def _place_with(search: Callable[..., list[Hit]] | None, row: Row, word: str) -> int | None:
    """The gold passage's place before reading when the word is added to the question."""
    if search is None:
        return None
    rows = {held for piece in row["gold"] for gold in piece["places"] for _, _, held in gold["passages"]}
    for place, hit in enumerate(search(f"{row['asked']} {word}", k=DEEP), 1):
        if hit.row in rows:
            return place
    return None


def lines(explanation: Explanation) -> list[str]:
    """The explanation in plain lines for a screen."""
    sides = (
        ("gold passage", explanation.gold, explanation.shared_gold),
        ("winner", explanation.winner, explanation.shared_winner),
    )
    return [
        *_verdict_lines(explanation),
        *(line for title, side, shared in sides if side for line in _side_lines(title, side, shared)),
        *_finder_lines(explanation.finders),
    ]


def _verdict_lines(explanation: Explanation) -> list[str]:
    """What was asked, what was answered, and what would have been right."""
    row, question, failure = explanation.row, explanation.question, explanation.failure
    lines = [f"{row['id']}  {plain(row['asked'])}"]
    if row["id"].endswith(AS_TYPED) or row["asked"] != question.question:
        lines.append(f"  as typed: {plain(question.question)}")
    lines.append(f"  verdict: {failure.cause if failure else 'right'}")
    if failure:
        lines.append(f"  {plain(failure.detail)}")
    answered = plain(row["answer"]) or "(nothing)"
    lines.append(f"  {row['status']} with confidence {row['confidence']:.2f}: {answered}")
    lines.append(f"  gold: {plain(' | '.join(question.answers)) or '(nothing is right to answer)'}")
    if question.must_not and not question.answerable:
        lines.append(f"  must not: {plain(question.must_not)}")
    return lines


def _side_lines(title: str, side: Side, shared: Sequence[str]) -> list[str]:
    """A passage: where it came in every ranking, what it shares with the question, its words."""
    ranks = "; ".join(f"{name} rank {rank}, score {score:.3f}" for name, rank, score in side.ranked)
    return [
        "",
        f"  {title}: {plain(side.document)} ({side.place})",
        f"    {ranks or 'not ranked'}",
        f"    words it shares with the question: {', '.join(shared) or 'none'}",
        f"    {_clipped(plain(side.text))}",
    ]


def _finder_lines(finders: Sequence[Finder]) -> list[str]:
    if not finders:
        return []
    lines = ["", "  words that would have found it:"]
    for finder in finders:
        effect = f", gold passage at place {finder.place} with it" if finder.place else ""
        lines.append(f"    {finder.word} (weight {finder.weight:.1f}{effect})")
    return lines


def _clipped(text: str, limit: int = 400) -> str:
    return text if len(text) <= limit else text[:limit].rsplit(" ", 1)[0] + " …"


def to_json(explanation: Explanation) -> Mapping[str, Any]:
    """The explanation as one JSON object."""
    from dataclasses import asdict

    failure = explanation.failure
    cause = {"cause": str(failure.cause), "detail": failure.detail} if failure else None
    return asdict(explanation) | {"failure": cause}
