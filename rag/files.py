"""Files as they are opened, summed and written: the one way for each.

Whoever names a file may mean harm: a pipe or a device in its place would let its reader wait for ever, and a
link would lead out of the folders somebody chose. A file is therefore opened without waiting, and its kind
and place are asked of what was opened, not of its name.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import sys
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

_BLOCK = 1 << 20  # bytes read at a time
_KINDS = (
    (stat.S_ISDIR, "a folder, not a file"),
    (stat.S_ISFIFO, "a named pipe, not a file"),
    (stat.S_ISSOCK, "a socket, not a file"),
    (stat.S_ISCHR, "a device, not a file"),
    (stat.S_ISBLK, "a device, not a file"),
)
_REASONS = {
    errno.ENOENT: "there is no such file or folder",
    errno.EACCES: "no permission to read it",
    errno.EPERM: "no permission to read it",
    errno.ELOOP: "a link loop: it leads back to itself",
    errno.ENAMETOOLONG: "its name is too long",
    errno.EISDIR: "a folder, not a file",
    errno.ENOTDIR: "a part of its path is not a folder",
    errno.EIO: "the disk cannot read it",
    errno.EAGAIN: "it holds nothing yet, and would have to be waited for",
}


OUTSIDE = "it stands outside the folders named"


class UnfitFileError(OSError):
    """What stands at a path is not to be read: no regular file, outside what is allowed, or too large."""


def kind_of(mode: int) -> str | None:
    """What stands at a path whose stat mode this is, in words; None for a regular file.

    >>> kind_of(stat.S_IFIFO), kind_of(stat.S_IFREG)
    ('a named pipe, not a file', None)
    """
    if stat.S_ISREG(mode):
        return None
    return next((words for test, words in _KINDS if test(mode)), "not a regular file")


def why(error: OSError | ValueError) -> str:
    """An operating system's refusal in plain words.

    >>> why(OSError(errno.ELOOP, "")), why(FileNotFoundError(errno.ENOENT, ""))
    ('a link loop: it leads back to itself', 'there is no such file or folder')
    """
    if isinstance(error, UnfitFileError):
        return str(error)
    if isinstance(error, OSError):
        return _REASONS.get(error.errno or 0, error.strerror or "it cannot be read")
    return "no path can be called that"  # a NUL in it, or half a character


def is_under(path: str, roots: Iterable[str]) -> bool:
    """Whether a path is one of the roots or below one.

    >>> is_under("/a/b.txt", ["/a"]), is_under("/ab.txt", ["/a"]), is_under("/a", ["/"])
    (True, False, True)
    """
    return any(path == root or path.startswith(root.rstrip("/") + "/") for root in roots)


def is_gone(path: str | Path) -> bool:
    """Whether nothing stands at a path; one that may not be looked at is not gone."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    return False


def open_regular(path: str | Path, *, inside: Collection[str] | None = None) -> int:
    """A descriptor of the regular file at a path, opened for reading; the caller closes it.

    ``inside``: real paths (no link in them) of the folders and files allowed; None allows every place.
    Raises UnfitFileError where something else stands there, a link leads out of ``inside``, or the name is
    one that no path can have; any other OSError as the system gives it. It never waits, for nobody writes
    into a pipe just because it is opened.
    """
    try:
        if inside is not None and not is_under(os.path.realpath(path), inside):
            raise UnfitFileError(OUTSIDE)
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except ValueError as error:
        raise UnfitFileError(why(error)) from error
    try:
        kind = kind_of(os.fstat(descriptor).st_mode)
        if kind is not None:
            raise UnfitFileError(kind)
        if inside is not None and not is_under(_opened_path(descriptor, path), inside):
            raise UnfitFileError(OUTSIDE)  # moved there since it was looked at
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _opened_path(descriptor: int, path: str | Path) -> str:
    """The real path of an open file, from its descriptor where the system tells."""
    if sys.platform == "darwin":
        import fcntl

        return os.fsdecode(fcntl.fcntl(descriptor, fcntl.F_GETPATH, bytes(1024)).rstrip(b"\0"))
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return os.path.realpath(path)


def read_regular(path: str | Path, max_bytes: int, *, inside: Collection[str] | None = None) -> bytes:
    """The bytes of a regular file, at most as many as it said to have when it was opened.

    A file of the system that says 0 and then never ends reads as empty. Raises as ``open_regular`` does, and
    UnfitFileError for a file of more than ``max_bytes``.
    """
    descriptor = open_regular(path, inside=inside)
    try:
        size = os.fstat(descriptor).st_size
        if size > max_bytes:
            raise UnfitFileError(f"too large: {size / 1e6:.0f} MB, more than {max_bytes / 1e6:.0f}")
        blocks = []
        while size > 0 and (block := os.read(descriptor, min(size, _BLOCK))):
            blocks.append(block)
            size -= len(block)
        return b"".join(blocks)
    finally:
        os.close(descriptor)


def file_sha256(path: str | Path, *, inside: Collection[str] | None = None) -> str:
    """The SHA-256 of a regular file's bytes; raises as ``open_regular`` does."""
    descriptor = open_regular(path, inside=inside)
    try:
        digest = hashlib.sha256()
        left = os.fstat(descriptor).st_size
        while left > 0 and (block := os.read(descriptor, min(left, _BLOCK))):
            digest.update(block)
            left -= len(block)
        return digest.hexdigest()
    finally:
        os.close(descriptor)


def sync_file(path: str | Path) -> None:
    """Return once the bytes of a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(path: Path, *, mode: int = 0o777) -> None:
    """Return once there is a folder at a path, its name and those of new ones above it on the disk.

    ``mode`` is for the last folder and goes through the umask.
    """
    missing = [path]
    while not missing[-1].parent.exists():
        missing.append(missing[-1].parent)
    path.mkdir(mode=mode, parents=True, exist_ok=True)
    for folder in reversed(missing):
        sync_file(folder.parent)


NEW = ".new"  # ends the name of a file that is being written beside its place


def replace_file(
    path: Path, data: bytes, *, mode: int = 0o666, steps: Callable[[str], object] = lambda step: None
) -> None:
    """Put ``data`` at a path: whoever reads it finds the old bytes or the new, after a power cut too.

    ``mode`` goes through the umask. ``steps`` is told the name of each step before it is taken. Whatever
    stops it leaves the old bytes, and nothing beside them unless the process was killed.
    """
    aside = path.with_name(f".{os.urandom(4).hex()}{NEW}")  # short: a name may be as long as names can be
    steps(f"write {path.name}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        steps(f"replace {path.name}")
        os.replace(aside, path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    steps(f"sync the folder of {path.name}")
    sync_file(path.parent)
