"""``rag diff``: what changed since a tag, in the documents and in the answers of a saved batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from rag.cli import completion
from rag.cli.exits import ExitStatus
from rag.cli.options import JsonOption, StoreOption, resolve
from rag.cli.verify import answer_lines
from rag.output.streams import look, show, show_json, tell

if TYPE_CHECKING:
    from rag.checks.diff import Compared, DocumentChange, Given
    from rag.settings import Settings
    from rag.store import Manifest

EPILOG = "Example: rag diff v1 answers.jsonl"


def diff(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A tag that rag index --tag NAME made; rag info lists them.",
            autocompletion=completion.tags,
        ),
    ],
    answers: Annotated[
        Path | None,
        typer.Argument(
            metavar="[ANSWERS.jsonl]",
            help="What rag ask - or rag ask --json wrote; - reads stdin. None: which documents changed.",
        ),
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
    every: Annotated[bool, typer.Option("--all", help="Show answers that are the same too.")] = False,
) -> None:
    """Say which answers of a saved batch are others now, and why.

    Every question is asked again of the documents as they are now, and where the answer is another, also of
    those the tag keeps. Shown is what became of it, the words then and now: [-then-] {+now+}, and the cause.
    """
    settings = resolve(store).settings
    if answers is None:
        raise typer.Exit(_documents(settings, name, as_json))
    from rag.checks.diff import read_saved
    from rag.output import reports

    saved, errors = read_saved(answer_lines(answers), str(answers))
    for number in errors:
        tell(f"note: line {number} holds an error in the place of an answer, and is left out")
    counts: Counter[str] = Counter()
    for compared in _compared(settings, name, saved, as_json):
        counts[str(compared.became)] += 1
        if as_json:
            show_json(compared.to_json())
        elif every or compared.became != "same":
            show([*reports.compared(compared, name, look()), Text()])
    summary = reports.compared_counts(counts)
    if as_json:
        tell(summary)
    else:
        show([Text(summary)])
    raise typer.Exit(ExitStatus.OK if counts.total() == counts["same"] else ExitStatus.DIFFERENT)


def _compared(settings: Settings, name: str, saved: list[Given], as_json: bool) -> Iterator[Compared]:
    """Each saved answer beside the one of now; what became of the documents is shown first."""
    from rag.assistant import Assistant
    from rag.checks.diff import Comparison

    with Assistant.open(settings=settings) as now, now.at(name) as then:
        comparison = Comparison(then.store, now.store, then.ask, now.ask)
        if not as_json:
            _show_documents(comparison.documents, name, then.store.manifest)
        for one in saved:
            yield comparison.compare(one)


def _documents(settings: Settings, name: str, as_json: bool) -> ExitStatus:
    """Say which documents changed since a tag; no model is loaded."""
    from rag.checks.diff import changed_documents
    from rag.store import Store

    with Store.open(settings.store) as now, Store.open(settings.store, at=name) as then:
        changes = changed_documents(then, now)
        if as_json:
            for change in changes:
                show_json(change.to_json())
        else:
            _show_documents(changes, name, then.manifest, all_of_them=True)
    return ExitStatus.DIFFERENT if changes else ExitStatus.OK


def _show_documents(
    changes: list[DocumentChange], name: str, tagged: Manifest, *, all_of_them: bool = False
) -> None:
    from rag.output import reports

    lines = reports.changed_documents(changes, name, tagged.created, look(), all_of_them=all_of_them)
    show([*lines, *([] if all_of_them else [Text()])])
