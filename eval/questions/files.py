"""Question files: JSON lines, one question a line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from eval.questions.parsing import parse_question, question_to_json
from eval.questions.records import Question
from rag.errors import UsageError


def load_questions(paths: Sequence[Path]) -> list[Question]:
    """The questions of JSON-lines files, in order; blank lines are skipped.

    Every fault of every line is reported together. The same id twice is a fault.
    """
    questions: list[Question] = []
    faults: list[str] = []
    seen: dict[str, str] = {}
    for path in paths:
        for number, line in enumerate(_lines(path), 1):
            if not line.strip():
                continue
            where = f"{path.name} line {number}"
            try:
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise UsageError(f"{where}: a question must be a JSON object")
                question = parse_question(row, where)
            except json.JSONDecodeError as error:
                faults.append(f"{where}: not JSON ({error.msg} at column {error.colno})")
                continue
            except UsageError as error:
                faults.append(error.message)
                continue
            if question.id in seen:
                faults.append(f'{where}: id "{question.id}" stands already at {seen[question.id]}')
            seen.setdefault(question.id, where)
            questions.append(question)
    if faults:
        raise UsageError("\n".join(faults), 'the format is in "eval/data/question.schema.json"')
    return questions


def question_files(paths: Sequence[Path]) -> list[Path]:
    """The JSON-lines files a user's paths mean: a folder stands for its ``*.jsonl``, sorted by name."""
    files: list[Path] = []
    for path in paths:
        meant = sorted(path.glob("*.jsonl")) if path.is_dir() else [path] if path.is_file() else []
        if not meant:
            raise UsageError(f"no questions at {path}", "give a .jsonl file, or a folder that holds some")
        files.extend(meant)
    return files


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read ({error})", "questions are UTF-8 JSON lines") from error


def questions_sha256(questions: Iterable[Question]) -> str:
    """One hash of a whole set, for telling whether two runs asked the same."""
    digest = hashlib.sha256()
    for question in questions:
        digest.update(json.dumps(question_to_json(question), sort_keys=True).encode() + b"\n")
    return digest.hexdigest()
