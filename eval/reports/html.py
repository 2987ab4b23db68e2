"""The HTML report of a run: figures, plots, and every question with what was answered and what was right."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from eval.metrics import overlap
from eval.questions import TRAITS, Question
from eval.reports import page
from eval.reports.plots import latency_plot, reliability_plot, risk_coverage_plot
from eval.reports.tables import (
    STAGES,
    alarm_sentence,
    confidence_rows,
    interval,
    percent,
    power_sentence,
    trait_rows,
)
from eval.runs import AS_TYPED, Row, Run, base_id
from eval.scoring import HEADLINE, METRICS, citation_support, is_shown
from eval.scoring.aggregate import Table, kind, latency, outcomes
from eval.scoring.attribution import Failure, attribute
from eval.scoring.confidence import reliability, risk_coverage
from eval.scoring.traits import FIGURES

MOST_ROWS = 1000  # beyond this a browser grows slow; failures come first, so what is left out went right


def render(run: Run, scores: Table, figures: Mapping[str, Any], *, most_rows: int = MOST_ROWS) -> str:
    """The page of one run."""
    counts = ", ".join(f"{n} {status}" for status, n in figures["statuses"].items())
    parts = [
        f"<h1>{escape(run.name)}</h1>",
        f"<p>{figures['n']} questions: {escape(counts)}. {escape(power_sentence(figures))}</p>",
        f'<p class="dim">{escape(conditions(run))}</p>',
    ]
    if run.missing:
        parts.append(f'<p class="bad">Cut short: {len(run.missing)} questions have no row yet.</p>')
    parts.append(plots({run.name: (run, scores)}))
    parts.append("<h2>Metrics</h2>" + metric_grid(figures))
    parts.append("<h2>By type</h2>" + _type_grid(figures))
    if figures["by_trait"]:
        parts.append("<h2>By trait, per cent (of so many)</h2>" + _trait_grid(figures))
    parts.append(
        "<h2>Confidence</h2>" + page.grid(("what", "figure"), confidence_rows(figures["abstention"]))
    )
    rankers = [(name, *map(percent, values.values())) for name, values in figures["by_ranker"].items()]
    parts.append("<h2>Gold evidence by each ranker alone</h2>")
    parts.append(page.grid(("ranker", "hit@1, %", "hit@5, %", "hit@10, %"), rankers))
    failures = [(cause, str(n)) for cause, n in figures["failures"].items()]
    parts.append("<h2>Why questions went wrong</h2>" + page.grid(("cause", "questions"), failures))
    parts.append("<h2>Questions</h2>" + page.SEARCH)
    told = [(row, attribute(row, run.question[base_id(row["id"])])) for row in run.rows]
    told.sort(key=lambda pair: pair[1] is None)  # failures first, otherwise in the order asked
    parts += [question_card(run, row, failure) for row, failure in told[:most_rows]]
    if len(told) > most_rows:
        left = told[most_rows:]
        wrong = sum(failure is not None for _, failure in left)
        parts.append(f"<p>{len(left)} more questions are in rows.jsonl, {wrong} of them went wrong.</p>")
    return page.page(f"Evaluation: {run.name}", parts)


def conditions(run: Run) -> str:
    """What the run was made with, in a line."""
    info = run.info
    machine = info.get("machine") or {}
    known = {
        "store": str((info.get("store_fingerprint") or {}).get("sha256", ""))[:12],
        "code": str(info.get("code_sha256", ""))[:12],
        "questions": str(info.get("questions_sha256", ""))[:12],
        "seed": info.get("seed"),
        "machine": ", ".join(
            str(v) for v in (machine.get("processor"), f"{machine.get('cores')} cores") if v
        ),
    }
    packages = [f"{name} {number}" for name, number in (info.get("versions") or {}).items() if number]
    return "; ".join([*(f"{key} {value}" for key, value in known.items() if value), *packages])


def plots(runs: Mapping[str, tuple[Run, Table]]) -> str:
    """Risk and coverage, reliability, and the latency of the last run."""
    curves, bins = {}, {}
    for name, (run, scores) in runs.items():
        rows = [row for row in run.rows if not row["id"].endswith(AS_TYPED)]
        confidence, right, answered, _ = outcomes(rows, scores)
        curves[name] = risk_coverage(confidence, right)
        given = [i for i, a in enumerate(answered) if a]
        bins[name] = reliability([confidence[i] for i in given], [right[i] for i in given])
    drawn = [
        page.figure("Wrong answers as more questions are answered", risk_coverage_plot(curves)),
        page.figure("How often right, by confidence", reliability_plot(bins)),
    ]
    times = latency(list(runs.values())[-1][0].timings())
    if times:
        drawn.append(page.figure("Milliseconds a question", latency_plot(times)))
    return f'<div class="plots">{"".join(drawn)}</div>'


def metric_grid(figures: Mapping[str, Any]) -> str:
    """Every metric overall and by split; what could not be measured says so."""
    splits = list(figures["by_split"])
    rows = []
    for metric in sorted(METRICS, key=lambda name: STAGES.index(METRICS[name][0])):
        stage, meaning = METRICS[metric]
        overall = figures["metrics"][metric]
        n = f"{overall['n']}" if overall["n"] else "unmeasured"
        by_split = (percent(figures["by_split"][split][metric]["mean"]) for split in splits)
        rows.append((metric, percent(overall["mean"]), interval(overall), n, *by_split, stage, meaning))
    head = ("metric", "all, %", "95 % interval", "n", *splits, "stage", "what it says")
    return page.grid(head, rows, leads=HEADLINE, words=len(head) - 1)


def _type_grid(figures: Mapping[str, Any]) -> str:
    rows = [
        (name, str(figures["n_by_type"][name]), *(percent(means[metric]["mean"]) for metric in HEADLINE))
        for name, means in figures["by_type"].items()
    ]
    return page.grid(("type", "n", *HEADLINE), rows)


def _trait_grid(figures: Mapping[str, Any]) -> str:
    head = ("trait", "n", *(name.replace("_", " ") for name in FIGURES), "what it says")
    rows = [(*cells, TRAITS[cells[0]]) for cells in trait_rows(figures)]
    says = "".join(
        f"<li>{escape(name.replace('_', ' '))}: {escape(told)}</li>" for name, told in FIGURES.items()
    )
    told = f"<p>{escape(alarm_sentence(figures))}</p>"
    return page.grid(head, rows, words=len(head) - 1) + f'<ul class="dim">{says}</ul>' + told


def question_card(run: Run, row: Row, failure: Failure | None) -> str:
    """One question, folded: verdict, answer in its passage, gold, and why."""
    question = run.question[base_id(row["id"])]
    verdict = str(failure.cause) if failure else "right"
    tone = "bad" if failure else "good"
    traits = [trait for trait in row.get("traits", ()) if trait != row["type"]]
    told = (row["id"], row["asked"], kind(row), *traits, row["status"], verdict, row["split"] or "")
    words = " ".join(told).lower()
    return (
        f'<details data-words="{escape(words)}" id="{escape(row["id"])}"><summary>{escape(row["asked"])}'
        f'<span class="tag {tone}">{escape(verdict)}</span><span class="tag">{escape(kind(row))}</span>'
        + "".join(f'<span class="tag">{escape(trait)}</span>' for trait in traits)
        + f'<span class="tag">{escape(row["id"])}</span></summary>'
        + (f"<p>{escape(failure.detail)}</p>" if failure else "")
        + f'<div class="sides"><div>{answer_side(run, row)}</div>'
        + f"<div>{gold_side(run, row, question)}</div></div>"
        "</details>"
    )


def answer_side(run: Run, row: Row) -> str:
    """What was answered, the words marked in their passage; each citation coloured by whether it is right."""
    head = f"<h3>{escape(row['status'])}, confidence {row['confidence']:.2f}</h3>"
    parts = [head, f'<p class="dim">{escape(row["reason"])}</p>' if row["reason"] else ""]
    if is_shown(row):
        parts.append(f"<p><b>{escape(row['answer'])}</b></p>")
    for citation, supported in zip(row["citations"], citation_support(row), strict=True):
        tone = "good" if supported else "bad"
        start, text = _around(run, citation)
        quote = (citation["start"] - start, citation["end"] - start)
        marks = [(quote[0] + a, quote[0] + b, "word") for a, b in citation["marks"]]
        gold = [(a - start, b - start, "gold") for a, b in _gold_ranges(row, citation["document"])]
        parts.append(f'<p class="dim">{escape(_where(citation))}</p>')
        parts.append(
            f'<blockquote class="{tone}">{page.marked(text, [(*quote, "quote"), *marks, *gold])}</blockquote>'
        )
    if not is_shown(row) and row["hits"]:
        hit = row["hits"][0]
        text = run.passages.get((hit["document"], hit["start"], hit["end"]), "")
        parts.append(
            f'<p class="dim">nearest: {escape(hit["document"])}</p><blockquote>{escape(text)}</blockquote>'
        )
    parts.append(f'<p class="dim">{escape(_places(row))}</p>')
    return "".join(parts)


def gold_side(run: Run, row: Row, question: Question) -> str:
    """What was right, and where it stands."""
    if not question.answerable:
        told = f"<p>{escape(question.must_not)}</p>" if question.must_not else ""
        near = "".join(f"<blockquote>{escape(p.quote or p.document)}</blockquote>" for p in question.nearest)
        return f"<h3>nothing is right to answer</h3>{told}{near}"
    parts = [f"<h3>gold</h3><p><b>{escape(' | '.join(question.answers))}</b></p>"]
    for piece in row["gold"]:
        for gold in piece["places"]:
            parts.append(f'<p class="dim">{escape(gold["document"])}</p>')
            text = _gold_text(run, gold)
            parts.append(f"<blockquote>{escape(text)}</blockquote>" if text else "")
        for missing in piece["missing"]:
            parts.append(f'<p class="bad">{escape(missing["document"])}: {escape(missing["why"])}</p>')
    if question.note:
        parts.append(f'<p class="dim">{escape(question.note)}</p>')
    return "".join(parts)


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


def _where(citation: Row) -> str:
    page_and_line = [f"{name} {citation[name]}" for name in ("page", "line") if citation[name]]
    return ", ".join(
        [citation["document"], *page_and_line, *([citation["date"]] if citation["date"] else [])]
    )


def _places(row: Row) -> str:
    trail = row["trail"]
    if trail is None:
        return ""
    ranks = ", ".join(f"{name} {rank}" for name, rank in trail["ranks"].items())
    read = "" if trail["read"] else "; it was not read"
    return f"gold evidence at place {trail['place']} ({ranks}){read}"
