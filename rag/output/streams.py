"""Standard streams: what they can show, and the only places that write to stdout."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.text import Text

    from rag.output.lines import Look

WIDEST = 100  # cells; longer lines are hard to read


def coloured(stream: TextIO) -> bool:
    """Whether the stream takes colour: a terminal that is not dumb, unless NO_COLOR says otherwise."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream.isatty() and os.environ.get("TERM") != "dumb")


def _width(stream: TextIO) -> int | None:
    """Cells to fold at: the terminal's, or COLUMNS; a pipe without COLUMNS gets whole lines, fit for grep."""
    if not stream.isatty() and not os.environ.get("COLUMNS", "").isdigit():
        return None
    return min(shutil.get_terminal_size().columns, WIDEST)


def _can_write(stream: TextIO, text: str) -> bool:
    try:
        text.encode(stream.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def look() -> Look:
    """How stdout is to be drawn on."""
    from rag.output.lines import Look

    stream = sys.stdout
    return Look(_width(stream), coloured(stream), _can_write(stream, "»«·…␛“”"), Path.cwd())


def show(lines: Iterable[Text]) -> None:
    """Write lines to stdout, in colour where it is taken."""
    if not coloured(sys.stdout):
        for line in lines:
            sys.stdout.write(line.plain + "\n")
        return
    from rich.console import Console

    console = Console(file=sys.stdout, force_terminal=True, highlight=False, markup=False, emoji=False)
    for line in lines:
        sys.stdout.write(_rendered(console, line) + "\n")


def _rendered(console: object, line: Text) -> str:
    from rich.console import Console

    assert isinstance(console, Console)
    with console.capture() as captured:
        console.print(line, soft_wrap=True, end="")
    return captured.get()


def show_json(value: object) -> None:
    """Write one JSON object as one line to stdout, at once."""
    from rag.text.sinks import json_line

    line = json_line(value)
    if not _can_write(sys.stdout, line):
        import json

        line = json.dumps(value)  # all escaped: this stdout cannot write what the documents say
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def show_text(text: str) -> None:
    """Write a text of several lines to stdout, with nothing in it that a terminal acts on but line breaks.

    A line that ends in white space keeps it.
    """
    from rag.text.sinks import clean_lines

    sys.stdout.write(clean_lines(text))


def tell(text: str) -> None:
    """Write one line to stderr."""
    from rag.text.sinks import clean

    print(clean(text), file=sys.stderr)
