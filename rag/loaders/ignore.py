"""Which files a user wants left out: patterns given, and those of ``.ragignore`` files, as git reads them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import LoadError, UsageError
from rag.files import read_regular, why

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

NAME = ".ragignore"
_MAX_BYTES = 1_000_000


class ExcludedError(LoadError):
    """A file or folder that a pattern leaves out: no fault, and counted apart."""


def patterns(lines: Sequence[str], where: str) -> GitIgnoreSpec | None:
    """Patterns as git reads those of a ``.gitignore``; None for none. Raises UsageError for a wrong one.

    >>> spec = patterns(["*.log", "!keep.log"], "--exclude")
    >>> [spec.match_file(name) for name in ("a/b.log", "keep.log", "a.txt")] if spec else []
    [True, False, False]
    """
    if not any(line.strip() for line in lines):
        return None
    from pathspec import GitIgnoreSpec

    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError as error:
        raise UsageError(f"{where}: not a pattern: {error}", "write it as in a .gitignore file") from error


def ignore_file(folder: str) -> GitIgnoreSpec | LoadError | None:
    """The patterns of a folder's ``.ragignore``; None where there is none, an error if it cannot be read."""
    path = os.path.join(folder, NAME)
    if not os.path.lexists(path):
        return None
    try:
        text = read_regular(path, _MAX_BYTES, inside=[os.path.realpath(folder)]).decode("utf-8", "replace")
    except OSError as error:
        return LoadError(path, why(error), "what it would leave out is read")
    return patterns(text.splitlines(), path)


class Ignoring:
    """What is left out below one folder named: asked of paths on the way down, folders entered and left."""

    def __init__(self, root: Path, given: GitIgnoreSpec | None) -> None:
        self._specs = [(str(root), given)] if given is not None else []
        self._entered: list[int] = []

    def enter(self, folder: str) -> LoadError | None:
        """Take in the patterns of a folder; the problem with its file of them, if there is one."""
        self._entered.append(len(self._specs))
        found = ignore_file(folder)
        if isinstance(found, LoadError):
            return found
        if found is not None:
            self._specs.append((folder, found))
        return None

    def leave(self) -> None:
        """Forget the patterns of the folder entered last."""
        del self._specs[self._entered.pop() :]

    def leaves_out(self, path: str, *, folder: bool) -> bool:
        """Whether a path is left out: the patterns nearest to it decide, of them the last that fits."""
        for base, spec in reversed(self._specs):
            name = os.path.relpath(path, base) + ("/" if folder else "")
            decided = spec.check_file(name).include
            if decided is not None:
                return decided
        return False
