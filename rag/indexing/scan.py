"""What the files under the given paths are now, against what was indexed of them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rag.errors import LoadError
from rag.indexing.progress import Progress
from rag.loaders import load
from rag.passages import split
from rag.settings import PassageSettings
from rag.store.content import Entry, FileRow
from rag.store.layout import file_sha256

# A file changed this soon before it was read may have been changed again within the same tick of its clock.
RACY_NS = 2_000_000_000


@dataclass(slots=True)
class Scan:
    """Every document of the new generation, and how it came to be there."""

    entries: list[Entry] = field(default_factory=list)
    problems: list[LoadError] = field(default_factory=list)
    added: int = 0
    changed: int = 0
    removed: int = 0
    renamed: int = 0
    unchanged: int = 0
    n_readable: int = 0  # under the paths given

    @property
    def has_changes(self) -> bool:
        """Whether any document is not as it was."""
        return bool(self.added or self.changed or self.removed or self.renamed)


@dataclass(frozen=True, slots=True)
class Known:
    """What was indexed before: each file by path, and how to get its entry.

    ``carry``: unchanged files need not be read again. ``keep``: one that cannot be looked at stays as it was.
    """

    files: Mapping[str, FileRow]
    entry: Callable[[str], Entry]
    carry: bool
    keep: bool


def is_under(path: str, roots: Iterable[str]) -> bool:
    """Whether a path is one of the roots or below one.

    >>> is_under("/a/b.txt", ["/a"]), is_under("/ab.txt", ["/a"]), is_under("/a", ["/"])
    (True, False, True)
    """
    return any(path == root or path.startswith(root.rstrip("/") + "/") for root in roots)


def is_gone(path: str) -> bool:
    """Whether nothing stands at a path; one that may not be looked at is not gone."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    return False


def scan(
    files: Sequence[Path],
    problems: Sequence[LoadError],
    scope: Collection[str],
    known: Known,
    settings: PassageSettings,
    progress: Progress,
) -> Scan:
    """Carry over what is unchanged, read what is not, let go what vanished from ``scope``.

    A file that cannot be looked at (no permission, say) stays as it was indexed; one that was edited and can
    no longer be read is let go, for nothing stands there that could be cited.
    """
    found = Scan(problems=list(problems))
    out_of_sight = [problem.path for problem in problems if not is_gone(problem.path)]
    here = {str(path) for path in files}
    vanished: dict[str, list[str]] = {}
    for path in sorted(set(known.files) - here):
        if known.keep and (not is_under(path, scope) or is_under(path, out_of_sight)):
            found.entries.append(known.entry(path))
            found.unchanged += 1
            continue
        vanished.setdefault(known.files[path].sha256, []).append(path)
    progress.start("reading", len(files))
    for path in sorted(here):
        _take(path, known, vanished, settings, found)
        progress.advance(1)
    progress.finish()
    found.removed += sum(len(paths) for paths in vanished.values())
    return found


def _take(
    path: str, known: Known, vanished: dict[str, list[str]], settings: PassageSettings, found: Scan
) -> None:
    """Carry one file over, or read it."""
    before = known.files.get(path)
    max_bytes = settings.max_file_mb * 1_000_000
    checked_ns = time.time_ns()
    try:
        status = os.stat(path)
        if before is not None and known.carry:
            same = _untouched(before, status)
            sha256 = "" if same or status.st_size > max_bytes else file_sha256(Path(path))
            if same or sha256 == before.sha256:
                found.entries.append(known.entry(path))
                found.unchanged += 1
                found.n_readable += 1
                return
    except OSError as error:
        found.problems.append(LoadError(path, f"cannot be read: {error.strerror}", "check who may read it"))
        if before is not None and known.keep and not is_gone(path):
            found.entries.append(known.entry(path))
            found.unchanged += 1
        else:
            found.removed += before is not None
        return
    try:
        document = load(Path(path), max_bytes=max_bytes)
    except LoadError as error:
        found.problems.append(error)
        found.removed += before is not None
        return
    # Looked at before it was read: a file edited meanwhile has other times at the next run.
    file = FileRow(path, document.sha256, status.st_size, status.st_mtime_ns, status.st_ctime_ns, checked_ns)
    found.entries.append(Entry(document, file, tuple(split(document, settings))))
    found.n_readable += 1
    if before is not None:
        same = before.sha256 == document.sha256
        found.unchanged += same
        found.changed += not same
    elif vanished.get(document.sha256):
        vanished[document.sha256].pop(0)
        found.renamed += 1
    else:
        found.added += 1


def _untouched(before: FileRow, status: os.stat_result) -> bool:
    """Whether size and times say that a file is the one read before, beyond doubt."""
    return (before.size, before.mtime_ns, before.ctime_ns) == (
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    ) and max(before.mtime_ns, before.ctime_ns) + RACY_NS < before.checked_ns
