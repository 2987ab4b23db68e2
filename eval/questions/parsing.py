"""From a JSON object to a question and back; every fault of an object is reported together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from eval.questions.records import POLARITIES, SPLITS, TRAITS, TYPES, GoldPlace, Piece, Question
from rag.errors import UsageError


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
