"""What the files under the given paths are now, against what was indexed of them."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rag.errors import LoadError
from rag.files import UnfitFileError, file_sha256, is_gone, is_under, open_regular, why
from rag.indexing.progress import Progress
from rag.loaders import ExcludedError, OutsideError
from rag.loading import Loaded, Loader
from rag.settings import PassageSettings
from rag.store.content import Entry, FileRow

# A file changed this soon before it was read may have been changed again within the same tick of its clock.
RACY_NS = 2_000_000_000


@dataclass(slots=True)
class Scan:
    """Every document of the new generation, and how it came to be there.

    ``loaded`` were read in this run; those at the paths ``carried`` are as they were indexed.
    """

    loaded: list[Entry] = field(default_factory=list)
    carried: list[str] = field(default_factory=list)
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
    """What was indexed before: each file by path.

    ``carry``: unchanged files need not be read again. ``keep``: one that cannot be looked at stays as it was.
    """

    files: Mapping[str, FileRow]
    carry: bool
    keep: bool


def scan(
    files: Sequence[Path],
    problems: Sequence[LoadError],
    scope: Collection[str],
    inside: Collection[str],
    known: Known,
    settings: PassageSettings,
    loader: Loader,
    progress: Progress,
) -> Scan:
    """Carry over what is unchanged, load what is not, let go what vanished from ``scope``.

    No file is opened that stands, links resolved, outside ``inside``. A file that cannot be looked at (no
    permission, say) stays as it was indexed; one that was edited and can no longer be read is let go, for
    nothing stands there that could be cited.
    """
    found = Scan(problems=list(problems))
    out_of_sight = [
        problem.path
        for problem in problems
        if not isinstance(problem, (OutsideError, ExcludedError)) and not is_gone(problem.path)
    ]
    here = {str(path) for path in files}
    vanished: dict[str, list[str]] = {}
    for path in sorted(set(known.files) - here):
        if known.keep and (not is_under(path, scope) or is_under(path, out_of_sight)):
            found.carried.append(path)
            found.unchanged += 1
            continue
        vanished.setdefault(known.files[path].sha256, []).append(path)
    progress.start("reading", len(files))
    wrong: list[LoadError] = []
    waiting: list[FileRow] = []  # as they are now, their sums not yet known
    for path in sorted(here):
        seen = _look(path, inside, known, settings, found)
        if isinstance(seen, FileRow):
            waiting.append(seen)
            continue
        progress.advance(1)
        if seen is not None:
            wrong.append(seen)
    loaded = loader.load_all([file.path for file in waiting], settings, inside)
    for file, outcome in zip(waiting, loaded, strict=True):
        if isinstance(outcome, LoadError):
            wrong.append(outcome)
            found.removed += file.path in known.files
        else:
            _take(file, outcome, known.files.get(file.path), vanished, found)
        progress.advance(1)
    progress.finish()
    found.problems += sorted(wrong, key=lambda problem: problem.path)
    found.removed += sum(len(paths) for paths in vanished.values())
    return found


def _look(
    path: str, inside: Collection[str], known: Known, settings: PassageSettings, found: Scan
) -> FileRow | LoadError | None:
    """A file to be loaded, or why it cannot be; None when it was carried over."""
    before = known.files.get(path)
    checked_ns = time.time_ns()
    try:
        status = os.stat(path)
        same = before is not None and known.carry and _untouched(before, status)
        if not same:
            os.close(open_regular(path, inside=inside))
            small = status.st_size <= settings.max_file_mb * 1_000_000
            if before is not None and known.carry and small:
                same = file_sha256(path, inside=inside) == before.sha256
    except OSError as error:
        stays = not isinstance(error, UnfitFileError) and not is_gone(path)
        if before is not None and known.keep and stays:
            found.carried.append(path)
            found.unchanged += 1
        else:
            found.removed += before is not None
        return LoadError(path, why(error), "check who may read it" if stays else "")
    if same:
        found.carried.append(path)
        found.unchanged += 1
        found.n_readable += 1
        return None
    # Looked at before it is read: a file edited meanwhile has other times at the next run.
    return FileRow(path, "", status.st_size, status.st_mtime_ns, status.st_ctime_ns, checked_ns)


def _take(
    file: FileRow, loaded: Loaded, before: FileRow | None, vanished: dict[str, list[str]], found: Scan
) -> None:
    """Count a file that was loaded among the documents of the new generation."""
    sha256 = loaded.document.sha256
    found.loaded.append(Entry(loaded.document, replace(file, sha256=sha256), loaded.passages))
    found.n_readable += 1
    if before is not None:
        found.unchanged += before.sha256 == sha256
        found.changed += before.sha256 != sha256
    elif vanished.get(sha256):
        vanished[sha256].pop(0)
        found.renamed += 1
    else:
        found.added += 1


def _untouched(before: FileRow, status: os.stat_result) -> bool:
    """Whether size and times say that a file is the one read before, beyond doubt."""
    times = (before.size, before.mtime_ns, before.ctime_ns)
    return (
        stat.S_ISREG(status.st_mode)
        and times == (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        and max(before.mtime_ns, before.ctime_ns) + RACY_NS < before.checked_ns
    )
