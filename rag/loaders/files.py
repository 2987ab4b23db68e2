"""Which files stand under the paths a user names."""

from __future__ import annotations

import os
import stat
from collections.abc import Container, Iterable, Iterator, Sequence
from pathlib import Path

from rag.errors import LoadError
from rag.files import is_under, why
from rag.loaders.ignore import ExcludedError, Ignoring, patterns


class UnsupportedFileError(LoadError):
    """A file whose suffix no loader serves: counted apart, since most folders hold some."""


class OutsideError(LoadError):
    """A link that leads out of the folders named: what stands there was not meant."""

    def __init__(self, path: str) -> None:
        super().__init__(path, "a link that leads out of the folder named", "name its target too to read it")


def real_roots(paths: Sequence[str | Path]) -> list[str]:
    """The paths a user named, links in them resolved; a path that cannot be is left out."""
    roots = []
    for path in paths:
        try:
            roots.append(os.path.realpath(path))
        except ValueError:  # a NUL in it
            continue
    return roots


def find(
    paths: Sequence[Path], suffixes: Container[str], exclude: Sequence[str] = ()
) -> tuple[list[Path], list[LoadError]]:
    """All files with one of the suffixes under the paths, absolute and sorted, and what stood in the way.

    Folders are read with all that is in them, hidden files and folders aside; a folder reached by several
    links is read once, and a link that leads out of all the paths is not followed. A path the user names is
    taken by its name, hidden or not. What the patterns ``exclude`` or a folder's ``.ragignore`` leave out is
    not looked at, and is among the problems as ``ExcludedError``. Raises UsageError for a wrong pattern.
    """
    given = patterns(exclude, "--exclude")
    files: set[Path] = set()
    problems: list[LoadError] = []
    seen: set[tuple[int, int]] = set()
    inside = real_roots(paths)
    for path in paths:
        root = Path(os.path.abspath(path))
        try:
            status = root.stat()
        except (OSError, ValueError) as error:
            problems.append(_problem(root, error))
            continue
        is_folder = stat.S_ISDIR(status.st_mode)
        ignoring = Ignoring(root if is_folder else root.parent, given)
        found: Iterable[Path | LoadError] = [root]
        if is_folder:
            found = _walk(root, seen, inside, ignoring)
        elif ignoring.leaves_out(str(root), folder=False):
            found = [ExcludedError(str(root), "left out by a pattern")]
        for item in found:
            if isinstance(item, LoadError):
                problems.append(item)
            elif item.suffix.lower() in suffixes:
                files.add(item)
            else:
                problems.append(
                    UnsupportedFileError(
                        str(item), f"unsupported kind of file ({item.suffix or 'no suffix'})"
                    )
                )
    return sorted(files), problems


def _walk(
    root: Path, seen: set[tuple[int, int]], inside: Sequence[str], ignoring: Ignoring
) -> Iterator[Path | LoadError]:
    """Every file below a folder, and what stood in the way; no depth of folders is too great."""
    above: list[tuple[tuple[int, int], Iterator[os.DirEntry[str]]]] = []
    waiting: Path | None = root
    while waiting is not None or above:
        if waiting is not None:
            opened = _enter(waiting, seen, {key for key, _ in above})
            if isinstance(opened, LoadError):
                yield opened
            elif opened is not None:
                above.append(opened)
                if problem := ignoring.enter(str(waiting)):
                    yield problem
            waiting = None
            continue
        entry = next(above[-1][1], None)
        if entry is None:
            above.pop()
            ignoring.leave()
            continue
        if entry.name.startswith("."):
            continue
        path = Path(entry.path)
        try:
            mode = path.stat().st_mode
            if ignoring.leaves_out(str(path), folder=stat.S_ISDIR(mode)):
                yield ExcludedError(str(path), "left out by a pattern")
            elif entry.is_symlink() and not is_under(os.path.realpath(path), inside):
                yield OutsideError(str(path))
            elif stat.S_ISDIR(mode):
                waiting = path
            else:
                yield path
        except OSError as error:
            yield _problem(path, error)


def _enter(
    folder: Path, seen: set[tuple[int, int]], above: set[tuple[int, int]]
) -> tuple[tuple[int, int], Iterator[os.DirEntry[str]]] | LoadError | None:
    """What names a folder and what is in it, sorted; None for one that was read before."""
    try:
        status = folder.stat()
        key = (status.st_dev, status.st_ino)
        if key in above:
            return LoadError(str(folder), "a link loop: it leads back to a folder above it")
        if key in seen:
            return None
        seen.add(key)
        # Folders proper before links to them: what is read once is read under its own name.
        with os.scandir(folder) as entries:
            return key, iter(sorted(entries, key=lambda entry: (entry.is_symlink(), entry.name)))
    except OSError as error:
        return _problem(folder, error)


def _problem(path: Path, error: OSError | ValueError) -> LoadError:
    if isinstance(error, FileNotFoundError) and os.path.islink(path):
        return LoadError(str(path), "a link that leads nowhere")
    return LoadError(str(path).replace("\0", "\\0"), why(error))
