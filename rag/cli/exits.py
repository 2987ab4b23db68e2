"""Exit statuses, and the one boundary at which errors become lines on stderr and a status."""

from __future__ import annotations

import os
import sys
from enum import IntEnum
from typing import Any

import typer
from typer.core import TyperGroup

from rag.errors import RagError, UsageError


class ExitStatus(IntEnum):
    """What a command ends with; each number is here, and in the README, once."""

    OK = 0
    ERROR = 1
    USAGE = 2
    ABSTAINED = 3
    WEAK = 4
    STALE = 5
    NOT_STANDING = 6
    UNHEALTHY = 7
    NOT_PASSED = 8
    NOT_IN_DOCUMENTS = 9
    DIFFERENT = 10
    INTERRUPTED = 130

    @property
    def meaning(self) -> str:
        """What the status says, in a line."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitStatus.OK: "answered, or the command did its work",
    ExitStatus.ERROR: "an error you can mend; stderr says what and how",
    ExitStatus.USAGE: "an option, argument or question that cannot be used",
    ExitStatus.ABSTAINED: "ask: the documents do not answer the question",
    ExitStatus.WEAK: "ask: the nearest evidence, which may not answer the question",
    ExitStatus.STALE: "ask: there is evidence, but a cited file was edited or is missing",
    ExitStatus.NOT_STANDING: "verify: a citation no longer stands",
    ExitStatus.UNHEALTHY: "doctor: something is wrong; each finding names its remedy",
    ExitStatus.NOT_PASSED: "eval: a rule of the gate does not hold, or a question set is not sound",
    ExitStatus.NOT_IN_DOCUMENTS: "check: a quotation, figure or name does not stand in the documents",
    ExitStatus.DIFFERENT: "diff: an answer is another now; without answers: a document is",
    ExitStatus.INTERRUPTED: "interrupted with Ctrl-C",
}


def status_table() -> str:
    """The statuses, one a line, for help texts.

    >>> status_table().splitlines()[0]
    '  0  answered, or the command did its work'
    """
    return "\n".join(f"{status:>3}  {status.meaning}" for status in ExitStatus)


def report(error: RagError) -> None:
    """Say on stderr what went wrong and what to do about it."""
    from rag.text.sinks import clean

    for line in error.message.splitlines() or [""]:
        print(f"error: {clean(line)}", file=sys.stderr)
    for line in error.hint.splitlines():
        print(f"hint: {clean(line)}", file=sys.stderr)


def close_pipe() -> None:
    """Send the rest of stdout nowhere, so that the interpreter's last flush fails on nothing."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError, AttributeError):
        return  # stdout is no real file, so there is no last flush to fail


class Boundary(TyperGroup):
    """A group of commands whose errors end here."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command. What the user can mend is reported; a defect stays a traceback."""
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()
        except RagError as error:
            report(error)
            raise typer.Exit(
                ExitStatus.USAGE if isinstance(error, UsageError) else ExitStatus.ERROR
            ) from error
        except BrokenPipeError:
            close_pipe()  # whoever read us has seen enough: no error
            raise typer.Exit(ExitStatus.OK) from None
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            raise typer.Exit(ExitStatus.INTERRUPTED) from None
