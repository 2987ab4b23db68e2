"""``rag ask``: questions in, cited answers out."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import IO, Annotated, Any

import typer

from rag.answering.question import usable_question
from rag.cli.exits import ExitStatus, report
from rag.cli.options import (
    AfterOption,
    AsOfOption,
    AtOption,
    BeforeOption,
    InOption,
    JsonOption,
    KOption,
    RayOption,
    StoreOption,
    path_of,
    resolve,
)
from rag.errors import RagError, UsageError
from rag.output.json_lines import PathOf, error_to_json, to_json
from rag.output.streams import look, show, show_json
from rag.records import Answer, Freshness, Status

_HALF = re.compile("[\\ud800-\\udfff]")
_CLIPPED = 200  # characters of a library's own message
EPILOG = 'Example: rag ask "why was the trust decommissioned?" --after 2020'


def ask(
    question: Annotated[
        str,
        typer.Argument(
            help="The question; - reads one a line from stdin (text, or JSON with question and id) "
            "and writes one JSON object for every line."
        ),
    ],
    store: StoreOption = None,
    k: KOption = None,
    as_json: JsonOption = False,
    after: AfterOption = None,
    before: BeforeOption = None,
    inside: InOption = None,
    as_of: AsOfOption = None,
    at: AtOption = None,
    ray: RayOption = None,
) -> None:
    """Answer a question in the words of the documents.

    Shown with it: where the words stand, how sure the answer is, and whether the file is still as indexed.
    """
    settings = resolve(store, k, ray).settings
    max_chars = settings.retrieval.max_question_chars
    if question != "-":
        usable_question(question, max_chars)  # said before any model is loaded
    from rag.assistant import Assistant

    with Assistant.open(settings=settings, at=at) as assistant:
        ask_one = partial(assistant.ask, after=after, before=before, inside=inside, as_of=as_of)
        to_path = path_of(assistant.store)
        if question == "-":
            raise typer.Exit(ask_lines(ask_one, lines_of(sys.stdin.buffer, max_chars), max_chars, to_path))
        answer = ask_one(question)
        if as_json:
            show_json(to_json(answer, to_path))
        else:
            from rag.output import render

            show(render.answer(answer, assistant.store.document, look()))
    raise typer.Exit(status_of(answer))


def status_of(answer: Answer) -> ExitStatus:
    """The exit status that says how far the answer goes."""
    if answer.status is Status.ABSTAINED:
        return ExitStatus.ABSTAINED
    if any(citation.freshness is not Freshness.UNCHANGED for citation in answer.citations):
        return ExitStatus.STALE
    return ExitStatus.WEAK if answer.status is Status.WEAK else ExitStatus.OK


def read_question(line: str) -> tuple[str, dict[str, Any]]:
    """The question of a line, and what its answer must echo. Raises UsageError where there is none.

    >>> read_question('{"question": "Who?", "id": 7}'), read_question("Who?\\n")
    (('Who?', {'id': 7}), ('Who?', {}))
    """
    if not line.strip():
        raise UsageError("the line is blank", "write one question a line")
    if not line.lstrip().startswith("{"):
        return line.strip(), {}
    how = 'write {"question": "...", "id": "..."}'
    try:
        given = json.loads(line, parse_constant=_no_number)
    except RecursionError:
        raise UsageError("not a JSON object: nested too deeply", how) from None
    except ValueError as error:
        raise UsageError(f"not a JSON object: {str(error)[:_CLIPPED]}", how) from error
    question = given.get("question")
    if not isinstance(question, str):
        raise UsageError('expected text under "question"', how)
    if _HALF.search(question):
        raise UsageError("the question holds half a surrogate pair, which is no character", how)
    return question, {"id": _echoed(given["id"])} if "id" in given else {}


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _echoed(value: object) -> object:
    """An id as it was given, if it can be given back as JSON."""
    try:
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        raise UsageError('what stands under "id" cannot be given back', "use text or a number") from None
    return value


def ask_lines(
    ask_one: Callable[[str], Answer], lines: Iterable[bytes], max_chars: int, to_path: PathOf
) -> ExitStatus:
    """Answer every line as it comes, each by one line.

    A line that cannot be asked is answered by an error object (``rag/schema/error.schema.json``), named on
    stderr, and stops nothing.
    """
    status = ExitStatus.OK
    for number, line in enumerate(lines, start=1):
        question, echo = None, dict[str, Any]()
        try:
            question, echo = read_question(_decoded(line, number, max_chars))
            answer = ask_one(usable_question(question, max_chars))
        except RagError as error:
            report(type(error)(f"line {number}: {error.message}", error.hint))
            show_json(echo | error_to_json(error, line=number, question=question))
            status = ExitStatus.USAGE
            continue
        show_json(echo | to_json(answer, to_path))
    return status


def _decoded(line: bytes, number: int, max_chars: int) -> str:
    if len(line) > _longest(max_chars):
        raise UsageError(
            f"the line is too long: more than {_longest(max_chars):,} bytes", "write one question a line"
        )
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        byte = line[error.start]
        raise UsageError(f"not UTF-8: the byte {byte:#04x}", "save the questions as UTF-8") from None


def _longest(max_chars: int) -> int:
    """Bytes of the longest line read: a question of that many escaped characters, and an id."""
    return 12 * max_chars + 65_536


def lines_of(stream: IO[bytes], max_chars: int) -> Iterator[bytes]:
    """The lines of a stream; of one longer than any question may be only its beginning is kept."""
    most = _longest(max_chars) + 1
    while line := stream.readline(most):
        rest = line
        while len(rest) == most and not rest.endswith(b"\n"):
            rest = stream.readline(most)
        yield line
