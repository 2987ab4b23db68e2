"""Which files stand under the paths a user names."""

from __future__ import annotations

import os
import stat
from collections.abc import Container, Iterator, Sequence
from pathlib import Path

from rag.errors import LoadError

_KINDS = (
    (stat.S_ISDIR, "a folder, not a file"),
    (stat.S_ISFIFO, "a named pipe, not a file"),
    (stat.S_ISSOCK, "a socket, not a file"),
    (stat.S_ISCHR, "a device, not a file"),
    (stat.S_ISBLK, "a device, not a file"),
)


class UnsupportedFileError(LoadError):
    """A file whose suffix no loader serves: counted apart, since most folders hold some."""


def kind_of(mode: int) -> str | None:
    """What stands at a path whose stat mode this is, in words; None for a regular file.

    >>> kind_of(stat.S_IFIFO), kind_of(stat.S_IFREG)
    ('a named pipe, not a file', None)
    """
    if stat.S_ISREG(mode):
        return None
    return next((words for test, words in _KINDS if test(mode)), "not a regular file")


def why(error: OSError) -> str:
    """An operating system's refusal in plain words.

    >>> import errno
    >>> why(OSError(errno.ELOOP, "")), why(FileNotFoundError(errno.ENOENT, ""))
    ('a link loop: it leads back to itself', 'there is no such file or folder')
    """
    import errno

    reasons = {
        errno.ENOENT: "there is no such file or folder",
        errno.EACCES: "no permission to read it",
        errno.EPERM: "no permission to read it",
        errno.ELOOP: "a link loop: it leads back to itself",
        errno.ENAMETOOLONG: "its name is too long",
        errno.EISDIR: "a folder, not a file",
        errno.ENOTDIR: "a part of its path is not a folder",
        errno.EIO: "the disk cannot read it",
    }
    return reasons.get(error.errno or 0, error.strerror or "it cannot be read")


def find(paths: Sequence[Path], suffixes: Container[str]) -> tuple[list[Path], list[LoadError]]:
    """All files with one of the suffixes under the paths, absolute and sorted, and what stood in the way.

    Folders are read with all that is in them, hidden files and folders aside; a folder reached by several
    links is read once. A path the user names is taken by its name, hidden or not.
    """
    files: set[Path] = set()
    problems: list[LoadError] = []
    seen: set[tuple[int, int]] = set()
    for path in paths:
        root = Path(os.path.abspath(path))
        try:
            status = root.stat()
        except (OSError, ValueError) as error:
            problems.append(_problem(root, error))
            continue
        for item in _walk(root, seen) if stat.S_ISDIR(status.st_mode) else [root]:
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


def _walk(root: Path, seen: set[tuple[int, int]]) -> Iterator[Path | LoadError]:
    """Everything under a folder that is no folder, however deep, in order of name."""
    above: list[tuple[int, int]] = []  # the folders that the walk is in, from the root down
    waiting: list[Iterator[os.DirEntry[str]]] = []

    def enter(folder: Path) -> LoadError | None:
        try:
            status = folder.stat()
            key = (status.st_dev, status.st_ino)
            if key in above:
                return LoadError(str(folder), "a link loop: it leads back to a folder above it")
            if key in seen:
                return None
            seen.add(key)
            # Folders proper before links to them: what is read once is read under its own name.
            entries = sorted(os.scandir(folder), key=lambda entry: (entry.is_symlink(), entry.name))
        except OSError as error:
            return _problem(folder, error)
        above.append(key)
        waiting.append(iter(entries))
        return None

    problem = enter(root)
    while problem is not None or waiting:
        if problem is not None:
            yield problem
            problem = None
            continue
        entry = next(waiting[-1], None)
        if entry is None:
            waiting.pop()
            above.pop()
        elif not entry.name.startswith("."):
            path = Path(entry.path)
            try:
                is_folder = stat.S_ISDIR(path.stat().st_mode)
            except OSError as error:
                yield _problem(path, error)
                continue
            if is_folder:
                problem = enter(path)
            else:
                yield path


def _problem(path: Path, error: OSError | ValueError) -> LoadError:
    if isinstance(error, ValueError):
        return LoadError(str(path).replace("\0", "\\0"), "no path can be called that")
    if isinstance(error, FileNotFoundError) and os.path.islink(path):
        return LoadError(str(path), "a link that leads nowhere")
    return LoadError(str(path), why(error))
