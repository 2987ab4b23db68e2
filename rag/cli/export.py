"""``rag export``: answers as Markdown, CSL-JSON, Word, HTML or BibTeX."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from rag.cli import completion
from rag.errors import UsageError
from rag.output.streams import tell

EPILOG = "Example: rag export answers.jsonl --to docx --output answers.docx"


def export(
    answers: Annotated[
        Path,
        typer.Argument(
            metavar="ANSWERS.jsonl",
            help="What rag ask -, rag ask --json or :save in a session wrote; - reads stdin.",
        ),
    ],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="FORM",
            help="md, csl, docx, html or bibtex.",
            autocompletion=completion.choices("md", "csl", "docx", "html", "bibtex"),
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write this file instead of stdout.")
    ] = None,
) -> None:
    """Write answers in a form that other programs read.

    Quotations keep their references and checksums; one that was changed since it was given is refused. The
    same answers give the same bytes. No store is needed.
    """
    from rag.output.export import WRITERS, read_accounts

    if to not in WRITERS:
        raise UsageError(f"--to: there is no form {to!r}", f"choose one of {', '.join(WRITERS)}")
    if output is None and to == "docx" and sys.stdout.isatty():
        raise UsageError("a Word document is no text for a terminal", "name a file: --output answers.docx")
    if output is not None and output.exists() and output.samefile(answers):
        raise UsageError(f"{output} holds the answers themselves", "give another name to --output")
    accounts, errors = read_accounts(_lines(answers), str(answers))
    made = WRITERS[to](accounts)
    for number in errors:
        tell(f"note: line {number} holds an error in the place of an answer, and is left out")
    if output is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(made)
        return
    from rag.files import replace_file, why

    try:
        replace_file(output.absolute(), made)
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {why(error)}", "give another name") from error


def _lines(path: Path) -> list[str]:
    """The lines of an answers file, or of stdin."""
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        return data.decode("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(
            f"{path} cannot be read: {reason}", "rag ask - < questions.txt > answers.jsonl"
        ) from error
