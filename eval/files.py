"""JSON lines and whole files as every room of eval writes and reads them: never half of one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from rag.errors import UsageError
from rag.files import replace_file


def dump(value: object) -> str:
    """A value as one line of JSON that is the same whenever the value is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def write_whole(path: Path, text: str) -> None:
    """A file written beside its place, synced and moved there: never half of it."""
    replace_file(path, text.encode())


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON-lines file; a torn last line is left out, any other that is torn is an error."""
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(lines[:-1], 1):  # what follows the last line end was never finished
        try:
            rows.append(json.loads(line))
        except ValueError as error:
            raise UsageError(
                f"{path}: line {number} is damaged", "repeat the run under another --out"
            ) from error
    return rows


def cut_torn_line(path: Path) -> None:
    """Cut a file back to its last line end: what a killed process left behind it was never finished."""
    if not path.exists():
        return
    whole = path.read_bytes().rfind(b"\n") + 1
    if whole < path.stat().st_size:
        with path.open("r+b") as file:
            file.truncate(whole)


@contextmanager
def appending(path: Path) -> Iterator[IO[str]]:
    """A file open for whole lines at its end, synced when closed."""
    with path.open("a", encoding="utf-8", newline="\n") as file:
        try:
            yield file
        finally:
            file.flush()
            os.fsync(file.fileno())
