"""What a page shows of a run, of a question and of a table: plain values that the templates lay out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from eval.metrics import overlap
from eval.questions import Question
from eval.reports.plots import (
    TICKS,
    Dot,
    LatencyPlot,
    Line,
    Tick,
    latency_plot,
    reliability_dots,
    risk_coverage_lines,
)
from eval.runs import Row, Run
from eval.scoring import citation_support, is_shown
from eval.scoring.aggregate import Table, asked_once, latency
from eval.scoring.confidence import reliability, risk_coverage
from eval.scoring.outcomes import Outcomes


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of plain texts; rows named in ``lead`` stand out, column number ``words`` holds sentences."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    lead: frozenset[str] = frozenset()
    words: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of text and the marks on all of it: ``quote`` is a line under the words."""

    text: str
    marks: tuple[str, ...] = ()
    quote: bool = False


@dataclass(frozen=True, slots=True)
class CitationView:
    """A citation in its passage; ``right`` says whether it supports gold evidence."""

    place: str
    right: bool
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class AnswerView:
    """What was answered; ``nearest`` is document and text of the first hit where nothing was shown."""

    status: str
    confidence: float
    reason: str
    answer: str
    citations: tuple[CitationView, ...]
    nearest: tuple[str, str] | None
    trail: str


@dataclass(frozen=True, slots=True)
class GoldView:
    """What is right: gold answers, with document and text of their evidence, or what must not be said."""

    answerable: bool
    answers: str
    places: tuple[tuple[str, str], ...]
    missing: tuple[tuple[str, str], ...]
    must_not: str
    nearest: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Plots:
    """The three plots of a page; without timings there is none of latency."""

    risk_coverage: Sequence[Line]
    reliability: Sequence[Dot]
    latency: LatencyPlot | None
    ticks: tuple[Tick, ...] = TICKS


def plots_of(runs: Mapping[str, tuple[Run, Table]]) -> Plots:
    """Risk and coverage, reliability, and the latency of the last run."""
    curves, bins = {}, {}
    for name, (run, scores) in runs.items():
        outcomes = Outcomes.of(asked_once(run.rows), scores)
        curves[name] = risk_coverage(outcomes.ranked_confidence, outcomes.right)
        bins[name] = reliability(outcomes.of_shown.confidence, outcomes.of_shown.right)
    times = latency(list(runs.values())[-1][0].timings())
    return Plots(risk_coverage_lines(curves), reliability_dots(bins), latency_plot(times) if times else None)


def conditions(run: Run) -> str:
    """What the run was made with, in a line."""
    info = run.info
    machine = info.get("machine") or {}
    processor = machine.get("processor")
    named = {
        "store": str((info.get("store_fingerprint") or {}).get("sha256", ""))[:12],
        "code": str(info.get("code_sha256", ""))[:12],
        "questions": str(info.get("questions_sha256", ""))[:12],
        "seed": info.get("seed"),
        "machine": ", ".join(str(v) for v in (processor, f"{machine.get('cores')} cores") if v),
    }
    packages = [f"{name} {number}" for name, number in (info.get("versions") or {}).items() if number]
    return "; ".join([*(f"{key} {value}" for key, value in named.items() if value), *packages])


def answer_view(run: Run, row: Row) -> AnswerView:
    """What was answered, the words marked in their passage, each citation right or wrong."""
    citations = tuple(
        CitationView(_place(citation), bool(supported), tuple(_marked_citation(run, row, citation)))
        for citation, supported in zip(row["citations"], citation_support(row), strict=True)
    )
    nearest = None
    if not is_shown(row) and row["hits"]:
        hit = row["hits"][0]
        text = run.passages.get((hit["document"], hit["start"], hit["end"]), "")
        nearest = (hit["document"], text)
    return AnswerView(
        status=row["status"],
        confidence=row["confidence"],
        reason=row["reason"] or "",
        answer=row["answer"] if is_shown(row) else "",
        citations=citations,
        nearest=nearest,
        trail=_trail(row),
    )


def gold_view(run: Run, row: Row, question: Question) -> GoldView:
    """What was right, and where it stands."""
    places = [place for piece in row["gold"] for place in piece["places"]]
    missing = [each for piece in row["gold"] for each in piece["missing"]]
    return GoldView(
        answerable=question.answerable,
        answers=" | ".join(question.answers),
        places=tuple((place["document"], _gold_text(run, place)) for place in places),
        missing=tuple((each["document"], each["why"]) for each in missing),
        must_not=question.must_not or "",
        nearest=tuple(place.quote or place.document for place in question.nearest),
        note=question.note or "",
    )


def marked(text: str, ranges: Iterable[tuple[int, int, str]]) -> list[Part]:
    """A text cut where marks begin and end; ranges may overlap, and one named "quote" is a line under it.

    >>> marked("to be", [(3, 5, "gold"), (0, 5, "quote")])
    [Part(text='to ', marks=(), quote=True), Part(text='be', marks=('gold',), quote=True)]
    """
    inside = [(max(0, a), min(len(text), b), kind) for a, b, kind in ranges if max(0, a) < min(len(text), b)]
    cuts = sorted({0, len(text), *(a for a, _, _ in inside), *(b for _, b, _ in inside)})
    parts = []
    for start, end in pairwise(cuts):
        kinds = {kind for a, b, kind in inside if a <= start and end <= b}
        parts.append(Part(text[start:end], tuple(sorted(kinds - {"quote"})), "quote" in kinds))
    return parts


def _marked_citation(run: Run, row: Row, citation: Row) -> list[Part]:
    """The passage around a citation with quotation, marked words and gold evidence."""
    start, text = _around(run, citation)
    quote_start, quote_end = citation["start"] - start, citation["end"] - start
    words = [(quote_start + a, quote_start + b, "word") for a, b in citation["marks"]]
    gold = [(a - start, b - start, "gold") for a, b in _gold_ranges(row, citation["document"])]
    return marked(text, [(quote_start, quote_end, "quote"), *words, *gold])


def _around(run: Run, citation: Row) -> tuple[int, str]:
    """Where the passage around a citation begins, and its text; the bare quote when the run has no more."""
    for start, end, text in run.by_document.get(citation["document"], ()):
        if start <= citation["start"] and citation["end"] <= end:
            return start, text
    return citation["start"], citation["quote"]


def _gold_text(run: Run, gold: Row) -> str:
    for start, end, text in run.by_document.get(gold["document"], ()):
        if overlap((start, end), (gold["start"], gold["end"])):
            return text[max(0, gold["start"] - start) : gold["end"] - start]
    return ""


def _gold_ranges(row: Row, document: str) -> list[tuple[int, int]]:
    return [
        (gold["start"], gold["end"])
        for piece in row["gold"]
        for gold in piece["places"]
        if gold["document"] == document and not gold["whole"]
    ]


def _place(citation: Row) -> str:
    page_and_line = [f"{name} {citation[name]}" for name in ("page", "line") if citation[name]]
    dated = [citation["date"]] if citation["date"] else []
    return ", ".join([citation["document"], *page_and_line, *dated])


def _trail(row: Row) -> str:
    trail = row["trail"]
    if trail is None:
        return ""
    ranks = ", ".join(f"{name} {rank}" for name, rank in trail["ranks"].items())
    read = "" if trail["read"] else "; it was not read"
    return f"gold evidence at place {trail['place']} ({ranks}){read}"
