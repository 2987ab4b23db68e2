"""From the field's formats to a corpus and a question set: SQuAD (JSON or rows), BEIR and TREC folders.

A SQuAD paragraph becomes a document of its own: its questions were written about it alone, and finding it
among all paragraphs is the retrieval test people report. A file that names its paragraphs by title would
make one document of many, whose order nobody can check.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from eval.files import dump, write_whole
from eval.metrics import overlap
from eval.questions import GoldPlace, Piece, Question, question_to_json
from rag.errors import UsageError


def open_text(path: Path) -> str:
    """A file's text, unzipped when its name ends in ``.gz``."""
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        return data.decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path}: cannot be read ({error})", "give a UTF-8 file, plain or gzipped"
        ) from error


def _objects(path: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(open_text(path).split("\n"), 1):
        if line.strip():
            try:
                yield json.loads(line)
            except ValueError as error:
                raise UsageError(f"{path}: line {number} is not JSON") from error


def squad_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Rows ``{id, title, context, question, answers: [{text, start}], impossible}`` of either SQuAD form."""
    name = path.name.removesuffix(".gz")
    if name.endswith(".jsonl"):
        yield from _objects(path)
        return
    try:
        articles = json.loads(open_text(path))["data"]
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path}: not SQuAD JSON", 'expected an object with "data", or .jsonl rows'
        ) from error
    for article in articles:
        for paragraph in article["paragraphs"]:
            for qa in paragraph["qas"]:
                yield {
                    "id": qa["id"],
                    "title": article.get("title", ""),
                    "context": paragraph["context"],
                    "question": qa["question"],
                    "answers": [{"text": a["text"], "start": a["answer_start"]} for a in qa["answers"]],
                    "impossible": bool(qa.get("is_impossible", False)),
                }


def import_squad(paths: Iterable[Path], folder: Path) -> tuple[int, int]:
    """Write ``corpus/*.txt`` and ``questions.jsonl``; the numbers of documents and questions.

    The gold evidence is the sentence around each annotated answer. Equal paragraphs are one document.
    """
    from rag.text.sentences import sentences

    corpus = _fresh(folder)
    names: dict[str, str] = {}
    ranges: dict[str, list[tuple[int, int]]] = {}
    lines: list[str] = []
    for path in paths:
        for number, row in enumerate(squad_rows(path), 1):
            try:
                context, answers = row["context"], row["answers"]
                if context not in names:
                    names[context] = f"{_slug(row.get('title') or path.name)}-{len(names) + 1:05}.txt"
                    (corpus / names[context]).write_bytes(context.encode())
                    ranges[context] = sentences(context)
                question = _squad_question(row, names[context], context, answers, ranges[context])
            except (KeyError, TypeError) as error:
                raise UsageError(
                    f"{path}: row {number} lacks {error}", "see squad_rows in eval/questions/importers.py"
                ) from error
            lines.append(dump(question_to_json(question)) + "\n")
    write_whole(folder / "questions.jsonl", "".join(lines))
    return len(names), len(lines)


def _squad_question(
    row: Mapping[str, Any],
    name: str,
    context: str,
    answers: list[dict[str, Any]],
    ranges: list[tuple[int, int]],
) -> Question:
    if row.get("impossible") or not answers:
        return Question(str(row["id"]), row["question"])
    places = []
    for answer in answers:
        here = (answer["start"], answer["start"] + len(answer["text"]))
        inside = [r for r in ranges if overlap(r, here)] or [here]
        places.append(GoldPlace(name, quote=context[inside[0][0] : inside[-1][1]]))
    texts = tuple(dict.fromkeys(answer["text"] for answer in answers))
    return Question(
        str(row["id"]), row["question"], answers=texts, evidence=(Piece(tuple(dict.fromkeys(places))),)
    )


def import_beir(source: Path, folder: Path) -> tuple[int, int]:
    """Write a BEIR or TREC folder (corpus, queries, qrels; gzipped or not) as a corpus and questions.

    A document's file is its id, percent-quoted, with ``.txt``; each judged document is a piece of evidence
    of its own, graded as judged. Queries without a relevant document are left out, as the field does: their
    judgements say nothing of what is right.
    """
    corpus = _fresh(folder)
    names: dict[str, str] = {}
    for row in _objects(_one_of(source, "corpus.jsonl")):
        identity, title, text = (
            str(row.get("_id", row.get("id"))),
            row.get("title") or "",
            row.get("text") or "",
        )
        flat = " ".join(title.split())
        body = text if not flat or " ".join(text.split()).startswith(flat) else f"{title}\n\n{text}"
        names[identity] = quote(identity, safe="") + ".txt"
        (corpus / names[identity]).write_bytes((body.strip() or "(empty)").encode())
    judged: dict[str, dict[str, int]] = {}
    for query, document, grade in _judgements(_one_of(source, "qrels/test.tsv", "qrels.tsv", "qrels.txt")):
        if grade > 0:
            judged.setdefault(query, {})[document] = grade
    lines = []
    for row in _objects(_one_of(source, "queries.jsonl")):
        identity = str(row.get("_id", row.get("id")))
        pieces = tuple(
            Piece((GoldPlace(names.get(document, quote(document, safe="") + ".txt")),), grade)
            for document, grade in judged.get(identity, {}).items()
        )
        if pieces:
            text = " ".join(part for part in (row.get("scenario"), row["text"]) if part)
            lines.append(dump(question_to_json(Question(identity, text, evidence=pieces))) + "\n")
    write_whole(folder / "questions.jsonl", "".join(lines))
    return len(names), len(lines)


def _judgements(path: Path) -> Iterator[tuple[str, str, int]]:
    """(query, document, grade) of a three-column BEIR or four-column TREC file, with or without a header."""
    for number, line in enumerate(open_text(path).split("\n"), 1):
        cells = line.split()
        if not cells or (number == 1 and not cells[-1].lstrip("-").isdigit()):
            continue
        if len(cells) not in (3, 4) or not cells[-1].lstrip("-").isdigit():
            raise UsageError(f"{path}: line {number} is no judgement", "query document grade")
        yield cells[0], cells[-2], int(cells[-1])


def _one_of(folder: Path, *names: str) -> Path:
    for name in names:
        for path in (folder / name, folder / f"{name}.gz"):
            if path.is_file():
                return path
    raise UsageError(f"{folder} has no {' or '.join(names)}", "give a folder with corpus, queries and qrels")


def _fresh(folder: Path) -> Path:
    """The corpus folder to write to; an import never mixes with what is there."""
    corpus = folder / "corpus"
    if corpus.exists() or (folder / "questions.jsonl").exists():
        raise UsageError(f"{folder} holds an import already", "choose another --out, or remove it")
    corpus.mkdir(parents=True)
    return corpus


def _slug(title: str) -> str:
    """A title as a file name.

    >>> _slug("Super_Bowl_50"), _slug("Beyoncé / live")
    ('Super_Bowl_50', 'Beyoncé_live')
    """
    return re.sub(r"\W+", "_", title).strip("_")[:60] or "untitled"
