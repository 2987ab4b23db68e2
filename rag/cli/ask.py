"""``rag ask``: questions in, cited answers out."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Annotated, Any

import typer

from rag.answering.question import usable_question
from rag.cli.exits import ExitStatus, report
from rag.cli.options import (
    AfterOption,
    AsOfOption,
    BeforeOption,
    InOption,
    JsonOption,
    KOption,
    StoreOption,
    path_of,
    resolve,
)
from rag.errors import RagError, UsageError
from rag.output.json_lines import PathOf, to_json
from rag.output.streams import look, show, show_json
from rag.records import Answer, Freshness, Status

EPILOG = 'Example: rag ask "why was the trust decommissioned?" --after 2020'


def ask(
    question: Annotated[
        str,
        typer.Argument(
            help="The question; - reads one a line from stdin (text, or JSON with question and id) "
            "and writes one JSON object a line."
        ),
    ],
    store: StoreOption = None,
    k: KOption = None,
    as_json: JsonOption = False,
    after: AfterOption = None,
    before: BeforeOption = None,
    inside: InOption = None,
    as_of: AsOfOption = None,
) -> None:
    """Answer a question in the words of the documents.

    Shown with it: where the words stand, how sure the answer is, and whether the file is still as indexed.
    """
    settings = resolve(store, k).settings
    max_chars = settings.retrieval.max_question_chars
    if question != "-":
        usable_question(question, max_chars)  # said before any model is loaded
    from rag.assistant import Assistant

    with Assistant.open(settings=settings) as assistant:
        one = partial(assistant.ask, after=after, before=before, inside=inside, as_of=as_of)
        to_path = path_of(assistant.store)
        if question == "-":
            raise typer.Exit(ask_lines(one, sys.stdin, max_chars, to_path))
        answer = one(question)
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
    """The question of a line, and what its answer must echo.

    >>> read_question('{"question": "Who?", "id": 7}'), read_question("Who?\\n")
    (('Who?', {'id': 7}), ('Who?', {}))
    """
    if not line.lstrip().startswith("{"):
        return line.strip(), {}
    try:
        given = json.loads(line)
    except ValueError as error:
        raise UsageError(f"not a JSON object: {error}", 'write {"question": "...", "id": "..."}') from error
    if not isinstance(given.get("question"), str):
        raise UsageError('expected text under "question"', 'write {"question": "...", "id": "..."}')
    return given["question"], {"id": given["id"]} if "id" in given else {}


def ask_lines(
    one: Callable[[str], Answer], lines: Iterable[str], max_chars: int, to_path: PathOf
) -> ExitStatus:
    """Answer every line as it comes; a line that cannot be asked is named on stderr and stops nothing."""
    status = ExitStatus.OK
    for number, line in _filled(lines):
        try:
            question, echo = read_question(line)
            answer = one(usable_question(question, max_chars))
        except RagError as error:
            report(type(error)(f"line {number}: {error.message}", error.hint))
            status = ExitStatus.USAGE
            continue
        show_json(echo | to_json(answer, to_path))
    return status


def _filled(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, numbered from 1."""
    return ((number, line) for number, line in enumerate(lines, start=1) if line.strip())
