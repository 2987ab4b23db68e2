"""``rag check``: does what a text quotes, counts and names stand in the documents?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from rag.cli import completion
from rag.cli.exits import ExitStatus
from rag.cli.options import AtOption, JsonOption, StoreOption, resolve
from rag.errors import UsageError
from rag.output.streams import look, show, show_json, show_text, tell

EPILOG = "Example: rag check draft.md --markdown > draft-cited.md"


def check(
    text: Annotated[
        Path, typer.Argument(metavar="TEXT", help="A text or Markdown file in UTF-8; - reads stdin.")
    ],
    store: StoreOption = None,
    as_json: JsonOption = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Write a copy of the text with footnotes that cite.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="KIND",
            help="Look up quotation, figure or name alone; may be given again.",
            autocompletion=completion.choices("quotation", "figure", "name"),
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Show what stands too, not only what does not.")
    ] = False,
    at: AtOption = None,
) -> None:
    """Look up every quotation, figure and name of a text.

    Quotations are compared with the whole of every document; figures and names with the passages nearest to
    their sentence. Shown is what does not stand, with the nearest words: [-the text's-] {+the document's+}.
    """
    from rag.checks.claims import ClaimKind
    from rag.checks.prose import N_NEAR, check_prose

    if as_json and as_markdown:
        raise UsageError("--json and --markdown are two forms of one output", "choose one of them")
    unknown = sorted(set(only or ()) - set(ClaimKind))
    if unknown:
        raise UsageError(f"--only: there is no kind {unknown[0]!r}", "choose quotation, figure or name")
    said = _read(text)
    settings = resolve(store).settings
    from rag.assistant import Assistant
    from rag.output import prose
    from rag.text.language import load_language

    with Assistant.open(settings=settings, at=at) as assistant:
        checks = check_prose(
            said,
            assistant.store,
            lambda sentence: assistant.search(sentence, k=N_NEAR, whole=True),
            kinds=frozenset(ClaimKind(kind) for kind in only) if only else frozenset(ClaimKind),
            language=load_language(settings.passages.language),
            max_chars=settings.retrieval.max_question_chars,
        )
    if as_json:
        for one in checks:
            show_json(one.to_json())
        tell(prose.summary(checks))
    elif as_markdown:
        show_text(prose.footnoted(said, checks))
        tell(prose.summary(checks))
    else:
        for one in checks:
            if every or not one.stands:
                show([*prose.finding(one, look()), Text()])
        show([Text(prose.summary(checks))])
    raise typer.Exit(ExitStatus.OK if all(one.stands for one in checks) else ExitStatus.NOT_IN_DOCUMENTS)


def _read(path: Path) -> str:
    """The text of a file, or of stdin, which must be UTF-8."""
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        return data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(f"{path} cannot be read: {reason}", "rag check draft.md") from error
