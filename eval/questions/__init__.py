"""Questions with their gold answers and gold evidence, read from JSON lines.

Gold evidence is a quote in a named document (or a range of its characters with a hash), never a passage:
splitting the documents anew leaves a question set as good as it was.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.errors import UsageError

TYPES = (
    "who",
    "when",
    "what",
    "how_many",
    "why",
    "how",
    "yes_no",
    "list",
    "comparison",
    "change",
    "quotation",
    "false_presupposition",
    "unanswerable",
    "off_subject",
    "follow_up",
)
SPLITS = ("dev", "test")
TRAITS: Mapping[str, str] = {
    "wrong_year": "the right matter stands there, but of another year or date than asked for",
    "wrong_person": "the right role or deed stands there, but of another person",
    "wrong_body": "the same words stand there, but of another place, body or thing",
    "false_presupposition": "the question takes for granted what the documents deny or never say",
    "conflict": "sources disagree; every side is a piece of evidence",
    "as_of": "how things stood at a date is asked for, and they have changed since or had before",
    "change": "a change over time is asked for; its evidence belongs in order of date",
}
POLARITIES = ("yes", "no")


@dataclass(frozen=True, slots=True)
class GoldPlace:
    """Where a piece of evidence stands: a quote, or characters ``start``..``end``, of a document.

    ``document`` is the tail of an indexed path. A place with neither quote nor range is the whole document,
    which is what collections with document judgements know. ``quote_sha256`` and ``sha256`` are the hashes
    of the quoted characters and of the file, for a set that may not carry the text itself.
    """

    document: str
    quote: str | None = None
    start: int | None = None
    end: int | None = None
    quote_sha256: str | None = None
    sha256: str | None = None

    @property
    def whole(self) -> bool:
        """Whether the place is the document as a whole."""
        return self.quote is None and self.start is None


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing that must be found; any of its places will do. ``relevance`` grades it for nDCG."""

    any_of: tuple[GoldPlace, ...]
    relevance: int = 1


@dataclass(frozen=True, slots=True)
class Question:
    """What a person asks and what is right to answer. Empty answers and empty evidence: must abstain.

    ``standalone`` is a follow-up written out so that it needs no ``previous`` question. ``must_not`` says
    in words what must not be answered and why. ``nearest`` is what an unanswerable question comes close to.
    ``traits`` are the traps and demands its reader marked, out of ``TRAITS``; None where nobody has looked.
    """

    id: str
    question: str
    type: str | None = None
    split: str | None = None
    answers: tuple[str, ...] = ()
    evidence: tuple[Piece, ...] = ()
    polarity: str | None = None
    previous: str | None = None
    standalone: str | None = None
    must_not: str | None = None
    nearest: tuple[GoldPlace, ...] = ()
    note: str | None = None
    traits: tuple[str, ...] | None = None

    @property
    def all_traits(self) -> tuple[str, ...]:
        """The traits marked and the one that follows from the type, in the order of ``TRAITS``.

        >>> Question("q1", "how did it change?", type="change", traits=("wrong_year",)).all_traits
        ('wrong_year', 'change')
        """
        return tuple(trait for trait in TRAITS if trait in (self.traits or ()) or trait == self.type)

    @property
    def answerable(self) -> bool:
        """Whether there is anything right to answer.

        >>> Question("q1", "who left?", answers=("Ann",)).answerable, Question("q2", "why?").answerable
        (True, False)
        """
        return bool(self.answers or self.evidence)


def parse_question(row: Mapping[str, object], where: str = "question") -> Question:
    """The question a JSON object stands for; ``where`` names it in the error, which lists every fault.

    >>> parse_question({"id": "q1", "question": "who left?", "answers": ["Ann"]}).answers
    ('Ann',)
    >>> parse_question({"id": "q1", "answers": "Ann"})
    Traceback (most recent call last):
    ...
    rag.errors.UsageError: question: "question" must be a non-empty text; "answers" must be a list of texts
    """
    faults: list[str] = []

    def text(key: str, *, needed: bool = False, one_of: Sequence[str] = ()) -> str | None:
        value = row.get(key)
        if value is None and not needed:
            return None
        if not isinstance(value, str) or not value.strip():
            faults.append(f'"{key}" must be a non-empty text')
            return None
        if one_of and value not in one_of:
            faults.append(f'"{key}" must be one of {", ".join(one_of)}; got "{value}"')
        return value

    def texts(key: str) -> tuple[str, ...]:
        value = row.get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(v, str) and v.strip() for v in value):
            faults.append(f'"{key}" must be a list of texts')
            return ()
        return tuple(value)

    unknown = sorted(set(row) - set(Question.__slots__))
    if unknown:
        faults.append(f"unknown keys {', '.join(unknown)}")
    if "answers" not in row and "evidence" not in row:
        faults.append('one of "answers" and "evidence" must be there (both empty: must abstain)')
    question = Question(
        id=text("id", needed=True) or "",
        question=text("question", needed=True) or "",
        type=text("type", one_of=TYPES),
        split=text("split", one_of=SPLITS),
        answers=texts("answers"),
        evidence=tuple(_pieces(row.get("evidence"), faults)),
        polarity=text("polarity", one_of=POLARITIES),
        previous=text("previous"),
        standalone=text("standalone"),
        must_not=text("must_not"),
        nearest=tuple(_places(row.get("nearest"), "nearest", faults)),
        note=text("note"),
        traits=_traits(row.get("traits"), faults),
    )
    if faults:
        raise UsageError(f"{where}: {'; '.join(faults)}", 'the format is in "eval/data/question.schema.json"')
    return question


def _traits(value: object, faults: list[str]) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        faults.append('"traits" must be a list of texts')
        return None
    unknown = [v for v in value if v not in TRAITS]
    if unknown:
        faults.append(f'"traits" must be out of {", ".join(TRAITS)}; got {", ".join(unknown)}')
    if len(set(value)) < len(value):
        faults.append('"traits" names one twice')
    return tuple(value)


def _pieces(value: object, faults: list[str]) -> Iterable[Piece]:
    if value is None:
        return
    if not isinstance(value, list):
        faults.append('"evidence" must be a list')
        return
    for number, item in enumerate(value, 1):
        places = item.get("any_of") if isinstance(item, dict) else None
        grade = item.get("relevance", 1) if isinstance(item, dict) else None
        if not isinstance(places, list) or not places or type(grade) is not int or grade < 1:
            faults.append(f'evidence {number} must be {{"any_of": [place, ...]}}')
            continue
        yield Piece(tuple(_places(places, f"evidence {number}", faults)), grade)


def _places(value: object, where: str, faults: list[str]) -> Iterable[GoldPlace]:
    if value is None:
        return
    if not isinstance(value, list):
        faults.append(f'"{where}" must be a list of places')
        return
    for item in value:
        fault = _place_fault(item)
        if fault:
            faults.append(f"{where}: {fault}")
        else:
            yield GoldPlace(**{key: item.get(key) for key in GoldPlace.__slots__})


def _place_fault(item: object) -> str | None:
    if (
        not isinstance(item, dict)
        or not isinstance(item.get("document"), str)
        or not item["document"].strip()
    ):
        return 'a place must name its "document"'
    unknown = sorted(set(item) - set(GoldPlace.__slots__))
    if unknown:
        return f"a place has unknown keys {', '.join(unknown)}"
    if any(
        item.get(key) is not None and not isinstance(item[key], str) for key in ("quote_sha256", "sha256")
    ):
        return "hashes must be texts"
    quote, start, end = item.get("quote"), item.get("start"), item.get("end")
    if quote is not None and (not isinstance(quote, str) or not quote.strip()):
        return '"quote" must be a non-empty text'
    if start is None and end is None:
        return None
    if type(start) is not int or type(end) is not int or not 0 <= start < end:
        return f'"start" and "end" must be a non-empty range; got {start}..{end}'
    return None


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
        found = sorted(path.glob("*.jsonl")) if path.is_dir() else [path] if path.is_file() else []
        if not found:
            raise UsageError(f"no questions at {path}", "give a .jsonl file, or a folder that holds some")
        files.extend(found)
    return files


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read ({error})", "questions are UTF-8 JSON lines") from error


def question_to_json(question: Question) -> dict[str, object]:
    """The JSON object of a question, without keys that say nothing; ``parse_question`` takes it back.

    >>> question_to_json(Question("q1", "who left?", answers=("Ann",)))
    {'id': 'q1', 'question': 'who left?', 'answers': ['Ann'], 'evidence': []}
    """
    row: dict[str, object] = {"id": question.id, "question": question.question}
    for key in ("type", "split", "polarity", "previous", "standalone", "must_not", "note"):
        if getattr(question, key) is not None:
            row[key] = getattr(question, key)
    row["answers"] = list(question.answers)
    row["evidence"] = [
        {"any_of": [place_to_json(place) for place in piece.any_of]}
        | ({"relevance": piece.relevance} if piece.relevance != 1 else {})
        for piece in question.evidence
    ]
    if question.nearest:
        row["nearest"] = [place_to_json(place) for place in question.nearest]
    if question.traits is not None:
        row["traits"] = list(question.traits)
    return row


def place_to_json(place: GoldPlace) -> dict[str, object]:
    """The JSON object of a gold place, without empty keys."""
    return {key: getattr(place, key) for key in GoldPlace.__slots__ if getattr(place, key) is not None}


def questions_sha256(questions: Iterable[Question]) -> str:
    """One hash of a whole set, for telling whether two runs asked the same."""
    digest = hashlib.sha256()
    for question in questions:
        digest.update(json.dumps(question_to_json(question), sort_keys=True).encode() + b"\n")
    return digest.hexdigest()
