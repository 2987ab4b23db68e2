"""From a run to the field's formats: a TREC run, qrels, SQuAD predictions."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from eval.files import write_whole
from eval.runs import Run


def trec_name(document: str) -> str:
    """A document as one word without spaces, percent-quoted; ``.txt`` goes, so imported ids come back.

    >>> trec_name("184.txt"), trec_name("town/minutes of may.md")
    ('184', 'town/minutes%20of%20may.md')
    """
    return (
        quote(document.removesuffix(".txt"), safe="/%")
        if "%" in document
        else quote(document.removesuffix(".txt"))
    )


def trec_run(run: Run) -> str:
    """Lines ``query Q0 document rank score tag``: documents in the order of their first hit.

    The score is 1 / rank: a list's order is what a run says, and tools sort by score.
    """
    lines = []
    for row in run.rows:
        names = dict.fromkeys(trec_name(hit["document"]) for hit in row["hits"])
        lines += [
            f"{_word(row['id'])} Q0 {name} {rank} {1 / rank:.6f} {_word(run.name)}"
            for rank, name in enumerate(names, 1)
        ]
    return "".join(line + "\n" for line in lines)


def qrels(run: Run) -> str:
    """Lines ``query 0 document grade`` for every document with gold evidence; the highest grade counts."""
    lines = []
    for row in run.rows:
        grades: dict[str, int] = {}
        for piece in row["gold"]:
            for gold in piece["places"]:
                name = trec_name(gold["document"])
                grades[name] = max(piece["relevance"], grades.get(name, 0))
        lines += [f"{_word(row['id'])} 0 {name} {grade}" for name, grade in grades.items()]
    return "".join(line + "\n" for line in lines)


def squad_predictions(run: Run) -> tuple[str, str]:
    """The two JSON files the SQuAD 2.0 script takes: answers by question, and how unsure each is."""
    answers = {row["id"]: row["answer"] for row in run.rows}
    unsure = {row["id"]: round(1 - row["confidence"], 6) for row in run.rows}
    return tuple(json.dumps(each, ensure_ascii=False, indent=0) + "\n" for each in (answers, unsure))  # type: ignore[return-value]


def export(run: Run, folder: Path, formats: Iterable[str]) -> list[Path]:
    """Write the formats named (``trec-run``, ``qrels``, ``squad-predictions``) and return the files."""
    answers, unsure = squad_predictions(run)
    files = {
        "trec-run": {"run.trec": trec_run(run)},
        "qrels": {"qrels.txt": qrels(run)},
        "squad-predictions": {"predictions.json": answers, "na_prob.json": unsure},
    }
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in formats:
        for file, text in files[name].items():
            write_whole(folder / file, text)
            written.append(folder / file)
    return written


def _word(text: str) -> str:
    return quote(text, safe="~")
