"""Where everything stands in a store, and how a file is written so that a crash cannot tear it.

STORE/
  lock, lock.json        one writer at a time; who it is
  CURRENT                the generation served, and the SHA-256 of its manifest
  generations/000007/    immutable once CURRENT names it
    000003/, 000007/     its segments, each named by the generation that wrote it: hard links where an
                         earlier generation has them too
      passages.sqlite    documents, passages, what was kept out
      starts.npy         the first row of each document
      vectors.faiss ...  row i belongs to passage i
      sentences.npy, sentence_starts.npy   the packed vectors of each passage's sentences
      embedded.npy       what was embedded for each row, by key, and a proof of what came of it
      lexical/           BM25 over the same rows
      labels.npy, by_label.npy, bands.npy, band_rows.npy   which passages say the same
    manifest.json        settings, counts, checksums, what of each segment no longer counts; written last
  generations/.damaged-000006   set aside by a repair, deleted by nobody
  tags/NAME              a generation that is kept, named and pinned as in CURRENT (rag.store.tags)
  calibration.json       a user's own calibration (rag.answering.store_calibration); generations come and go
  embedded.journal       what a run has embedded and not yet committed, kept when it is interrupted
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from rag.errors import StoreError
from rag.files import file_sha256, sync_file

FORMAT = 3
LOCK = "lock"
HOLDER = "lock.json"
CURRENT = "CURRENT"
GENERATIONS = "generations"
BUILDING = ".building-"  # and the writer's pid
TRASH = ".trash-"  # and the number of the generation being deleted
DAMAGED = ".damaged-"  # and the number of a generation set aside by a repair, CURRENT, or a tag
TAGS = "tags"
PASSAGES = "passages.sqlite"
STARTS = "starts.npy"
VECTORS = "vectors.faiss"
SENTENCES = "sentences.npy"
SENTENCE_STARTS = "sentence_starts.npy"
EMBEDDED = "embedded.npy"
LABELS, BY_LABEL = "labels.npy", "by_label.npy"
BANDS, BAND_ROWS = "bands.npy", "band_rows.npy"
LEXICAL = "lexical"
MANIFEST = "manifest.json"
JOURNAL = "embedded.journal"

SAMPLE_BLOCKS = 64  # read of every file when a store is opened; a shifted one differs in all of them
SAMPLE_BYTES = 65_536

Steps = Callable[[str], None]  # told the name of each step just before it is taken


def no_steps(step: str) -> None:
    """Take no note of a step."""


def generation_folder(store: Path, number: int) -> Path:
    """Where a generation stands.

    >>> generation_folder(Path("store"), 7).as_posix()
    'store/generations/000007'
    """
    return store / GENERATIONS / f"{number:06d}"


def segment_name(number: int) -> str:
    """The folder, within its generation, of the segment that generation ``number`` wrote."""
    return f"{number:06d}"


def generations(store: Path) -> list[int]:
    """The numbers of all generations there are, whole or not, ascending."""
    try:
        names = os.listdir(store / GENERATIONS)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(int(name) for name in names if re.fullmatch(r"\d{6,}", name))


@dataclass(frozen=True, slots=True)
class FileStamp:
    """A file's size and SHA-256, and the SHA-256 of blocks spread over it (see ``sample_sha256``)."""

    size: int
    sha256: str
    sample: str


def sample_sha256(path: Path) -> str:
    """The SHA-256 of 64 blocks spread evenly over a file, its first and last among them.

    A few megabytes read prove that a file of any size was neither shifted nor exchanged; they do not find a
    single changed byte.
    """
    digest = hashlib.sha256()
    size = path.stat().st_size
    last = max(0, size - SAMPLE_BYTES)
    with path.open("rb") as file:
        for start in sorted({last * i // (SAMPLE_BLOCKS - 1) for i in range(SAMPLE_BLOCKS)}):
            file.seek(start)
            digest.update(file.read(SAMPLE_BYTES))
    return digest.hexdigest()


def stamp(path: Path) -> FileStamp:
    """What is recorded of a file, to know it again."""
    return FileStamp(path.stat().st_size, file_sha256(path), sample_sha256(path))


def files_under(folder: Path) -> list[str]:
    """Every file below ``folder``, as sorted relative POSIX paths."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def seal_tree(folder: Path, *, but: Path | None = None) -> None:
    """Return once every file and folder below is on the disk, to be read by their owner alone.

    A store holds the full text of files that others may not read. Files that stand under the same name in
    the folder ``but``, as links, were sealed there.
    """
    for parent, _, names in os.walk(folder, topdown=False):
        for name in names:
            path = Path(parent, name)
            if but is not None and _is_link(path, but / path.relative_to(folder)):
                continue
            _keep_private(path, 0o600)
            sync_file(path)
        _keep_private(Path(parent), 0o700)
        sync_file(Path(parent))


def _is_link(path: Path, other: Path) -> bool:
    """Whether two names are of one file."""
    try:
        return path.samefile(other)
    except FileNotFoundError:
        return False


def _keep_private(path: Path, mode: int) -> None:
    with suppress(OSError):  # a file system without owners
        os.chmod(path, mode)


_SCARCE = 1_000_000  # bytes free on a disk that is as good as full


def _free_bytes(path: Path) -> int:
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free


_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {*_FULL, errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM}


def _no_room(error: BaseException, store: Path) -> bool:
    if isinstance(error, OSError):
        # numpy gives a write cut short no number: "97536 requested and 12160 written".
        return error.errno in _FULL or (error.errno is None and str(error).endswith(" written"))
    if isinstance(error, sqlite3.Error):
        # SQLite calls a full disk an I/O error where it was not a table that it was writing.
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        return code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _free_bytes(store) < _SCARCE)
    return _names_one(error, _FULL)


def _names_one(error: BaseException, numbers: set[int]) -> bool:
    """Whether a RuntimeError has the words of a disk's refusal in it, as those of faiss do."""
    return any(os.strerror(number) in str(error) for number in numbers)


@contextmanager
def writing(store: Path) -> Iterator[None]:
    """Turn what the disk refuses, in the block, into a StoreError that says what to do."""
    try:
        yield
    except (OSError, sqlite3.OperationalError, RuntimeError) as error:
        if _no_room(error, store):
            raise StoreError(
                f"no room left to write the store at {store}: {error}",
                "free some space and run the command again; the store is as it was, and finished "
                "embeddings are kept",
            ) from error
        if isinstance(error, RuntimeError) and not _names_one(error, _REFUSED):
            raise
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise StoreError(
            f"the store at {store} cannot be written: {reason}",
            "check who owns the folder and that its disk can be written, or name another with --store",
        ) from error
