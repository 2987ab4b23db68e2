"""``rag verify``: do the citations of earlier answers still stand?"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from rag.cli.exits import ExitStatus
from rag.cli.options import JsonOption, resolve
from rag.errors import UsageError
from rag.output.streams import look, show, show_json, tell

EPILOG = "Example: rag verify answers.jsonl"


def verify(
    answers: Annotated[
        Path,
        typer.Argument(
            metavar="ANSWERS.jsonl", help="What rag ask - or rag ask --json wrote; - reads stdin."
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """Check whether earlier citations still stand.

    Every cited file is read as it is now; no store is needed.
    """
    from rag.checks.verify import check, read_answers
    from rag.output import reports

    cited = read_answers(_lines(answers), str(answers))
    counts: Counter[str] = Counter()
    bad = 0
    for result in check(cited, max_bytes=resolve().settings.passages.max_file_mb * 1_000_000):
        counts[str(result.verdict)] += 1
        bad += not result.verdict.good
        if as_json:
            show_json(result.to_json())
        elif not result.verdict.good:
            show(reports.checked(result, look()))
    verdicts = (
        ", ".join(
            f"{count} {'stand' if verdict == 'stands' else verdict}"
            for verdict, count in sorted(counts.items())
        )
        or "none"
    )
    summary = f"{len(cited)} citations: {verdicts}"
    if as_json:
        tell(summary)
    else:
        show([Text(summary)])
    raise typer.Exit(ExitStatus.NOT_STANDING if bad else ExitStatus.OK)


def _lines(path: Path) -> list[str]:
    """The lines of an answers file, or of stdin."""
    if str(path) == "-":
        return sys.stdin.readlines()
    try:
        return path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(
            f"{path} cannot be read: {reason}", "rag ask - < questions.txt > answers.jsonl"
        ) from error
