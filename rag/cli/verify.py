"""``rag verify``: do the citations of earlier answers still stand?"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from rag.cli.exits import ExitStatus
from rag.cli.options import JsonOption, resolve
from rag.errors import UsageError
from rag.output.streams import look, show, show_json, tell

EPILOG = "Example: rag verify answers.jsonl --root papers"
_LONGEST = 64_000_000  # bytes of a line: an answer with a thousand hits is a tenth of it


def verify(
    answers: Annotated[
        Path,
        typer.Argument(
            metavar="ANSWERS.jsonl", help="What rag ask - or rag ask --json wrote; - reads stdin."
        ),
    ],
    root: Annotated[
        list[Path] | None,
        typer.Option(
            "--root",
            metavar="DIR",
            help="A folder with a copy of the documents, for answers made elsewhere; may be repeated.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check whether earlier citations still stand.

    Every cited file is read as it is now; no store is needed. Where there is one, no file is read outside the
    folders it was made from and those named with --root.
    """
    from rag.checks.verify import check, read_answers
    from rag.output import reports

    for folder in root or []:
        if not folder.is_dir():
            raise UsageError(f"--root: {folder} is no folder", "name the folder that the documents are in")
    settings = resolve().settings
    cited = read_answers(answer_lines(answers), str(answers))
    counts: Counter[str] = Counter()
    bad = 0
    for result in check(
        cited,
        max_bytes=settings.passages.max_file_mb * 1_000_000,
        settings=settings.passages,
        roots=_roots(settings.store, root or []),
        elsewhere=root or [],
    ):
        counts[str(result.verdict)] += 1
        bad += not result.verdict.good
        if as_json:
            show_json(result.to_json())
        elif not result.verdict.good:
            show(reports.checked(result, look()))
    words = {"same": "stand"}
    verdicts = ", ".join(f"{n} {words.get(verdict, verdict)}" for verdict, n in sorted(counts.items()))
    summary = f"{len(cited)} citations: {verdicts or 'none'}"
    if as_json:
        tell(summary)
    else:
        show([Text(summary)])
    raise typer.Exit(ExitStatus.NOT_STANDING if bad else ExitStatus.OK)


def _roots(store: Path, named: list[Path]) -> list[str] | None:
    """The folders that cited files may stand in; None where neither a store nor the user says."""
    from rag.store.manifest import remembered

    roots = remembered(store).roots
    return [*roots] if roots or named else None


def answer_lines(path: Path) -> Iterator[str]:
    """The lines of an answers file, or of stdin; what is not UTF-8 stays to be named by its line."""
    try:
        with nullcontext(sys.stdin.buffer) if str(path) == "-" else path.open("rb") as file:
            while line := file.readline(_LONGEST + 1):
                if len(line) > _LONGEST:
                    raise UsageError(
                        f"{path} is no answers file: a line is longer than {_LONGEST / 1e6:.0f} MB",
                        "rag ask - < questions.txt > answers.jsonl",
                    )
                yield line.decode("utf-8", "surrogateescape").rstrip("\r\n")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no path can be called that"
        raise UsageError(
            f"{path} cannot be read: {reason}", "rag ask - < questions.txt > answers.jsonl"
        ) from error
