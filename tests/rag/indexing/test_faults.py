"""The disk refuses one call after another: what was served is served, and the next run makes it right.

By default every seventh call fails once, each with another error. ``RAG_FAULTS=all`` (``make fuzz``)
fails every call of every kind of run three times, with each of the errors.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from disk_calls import before_every_change
from support import (
    FIRST,
    SECOND,
    copy_store,
    folders,
    picture,
    run,
    segment_file,
    sharing_segments,
    write_corpus,
)

from rag.errors import RagError, StoreDamagedError, StoreMissingError
from rag.store.layout import CURRENT, DAMAGED, VECTORS
from rag.store.lock import write_lock
from rag.store.repair import repair
from rag.store.tags import tag_names

KEPT, NEW = "kept", "new"  # tags: one there before the run, one that it gives
EVERY = 1 if os.environ.get("RAG_FAULTS") == "all" else 7
ERRORS = (errno.ENOSPC, errno.EIO, errno.EROFS)
_SQLITE = {
    errno.ENOSPC: (sqlite3.SQLITE_FULL, "database or disk is full"),
    errno.EIO: (sqlite3.SQLITE_IOERR, "disk I/O error"),
    errno.EROFS: (sqlite3.SQLITE_READONLY, "attempt to write a readonly database"),
}


def refusal(call: str, number: int) -> Exception:
    """What the library behind a call raises where the disk refuses."""
    words = os.strerror(number)
    if call.startswith("execute"):
        error = sqlite3.OperationalError(_SQLITE[number][1])
        error.sqlite_errorcode = _SQLITE[number][0]
        return error
    if call == "write_index":
        return RuntimeError(f"Error in faiss::write_index: write error in f: 0 != 4 ({words})")
    return OSError(number, words)


class Scene:
    """A store before a run, the run, and what the store may serve after it."""

    def __init__(self, name: str, folder: Path) -> None:
        self.corpus = write_corpus(folder / "corpus", FIRST)
        self.start = folder / "start"
        self.rebuild = name == "rebuild"
        if name != "first":
            run([self.corpus], self.start)
            write_corpus(self.corpus, {"sub/more.txt": "One more letter about the boats."})
            run([self.corpus], self.start)
        if name in ("tag", "untag"):
            run(None, self.start, tag=KEPT)
        self.kept = picture(self.start) if name == "tag" else None  # what a tag promises to keep
        if name in ("change", "shared", "tag", "untag"):
            write_corpus(self.corpus, SECOND)
        if name == "untag":
            run([self.corpus], self.start)
            write_corpus(self.corpus, FIRST)
        elif name == "delete":
            write_corpus(self.corpus, {"mill.md": None, "sub/more.txt": None})
        elif name == "repair":
            os.truncate(segment_file(self.start, 2, VECTORS), 100)
        self.before = None if name in ("first", "repair") else picture(self.start)
        acts = {"repair": self._repair, "tag": self._tag, "untag": self._untag}
        self.act: Callable[[Path], object] = acts.get(name, self._index)
        after = copy_store(self.start, folder / "after")
        self.act(after)
        self.after = picture(after)

    def _index(self, store: Path) -> None:
        run([self.corpus], store, rebuild=self.rebuild)

    def _tag(self, store: Path) -> None:
        run([self.corpus], store, tag=NEW)

    def _untag(self, store: Path) -> None:
        run([self.corpus], store, untag=[KEPT] if KEPT in tag_names(store) else [])

    def _repair(self, store: Path) -> None:
        with write_lock(store):
            repair(store)

    def check(self, store: Path) -> None:
        """Old or new, whole; then the run once more makes it new and tidy."""
        try:
            seen = picture(store)
        except StoreMissingError:
            seen = None
        except StoreDamagedError:
            assert self.before is None
            seen = None
        assert seen in (self.before, self.after)
        if self.kept is not None:
            assert picture(store, KEPT) == self.kept
            if NEW in tag_names(store):
                assert picture(store, NEW) == self.after
        self.act(store)
        assert picture(store) == self.after
        if self.kept is not None:
            assert tag_names(store) == [KEPT, NEW]
            assert picture(store, NEW) == self.after
        assert not list(store.glob(".*.new"))
        left = [name for name in folders(store) if not name.startswith(DAMAGED)]
        assert len(left) <= 2 + len(tag_names(store))
        assert all(name.isdecimal() for name in left)
        assert (store / CURRENT).exists()


@pytest.fixture(
    scope="module", params=["first", "change", "delete", "rebuild", "repair", "shared", "tag", "untag"]
)
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp(request.param)
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "shared":
            sharing_segments(patch.setattr)
        yield Scene(request.param, folder)
    shutil.rmtree(folder)


class Broken:
    """A disk that refuses its ``n``th change, counted from 0."""

    def __init__(self, n: int, number: int) -> None:
        self.n, self.number, self.calls = n, number, 0

    def __call__(self, call: str) -> None:
        if call == "flock":  # changes nothing on a disk, and giving a lock back cannot fail
            return
        self.calls += 1
        if self.calls > self.n:
            raise refusal(call, self.number)


def n_changes(scene: Scene, folder: Path) -> int:
    """How many changes the run makes to a disk that refuses none."""
    whole = Broken(10**6, errno.EIO)
    with before_every_change(whole):
        scene.act(copy_store(scene.start, folder / "rehearsal"))
    return whole.calls


def outcome(scene: Scene, store: Path, broken: Broken) -> RagError | None:
    """How a run on a broken disk ends: a defect of ours would come out as it is."""
    try:
        with before_every_change(broken):
            scene.act(store)
    except RagError as error:
        return error
    return None


def test_a_disk_that_refuses_any_change_leaves_what_was_served_and_says_so(
    scene: Scene, tmp_path: Path
) -> None:
    n = n_changes(scene, tmp_path)
    assert n > 5
    refused = 0
    for at in range(0, n, EVERY):
        for number in ERRORS if EVERY == 1 else (ERRORS[at // EVERY % 3],):
            store = copy_store(scene.start, tmp_path / f"{at}-{number}")
            error = outcome(scene, store, Broken(at, number))
            refused += error is not None
            assert error is None or error.hint, (at, error.message)
            scene.check(store)
            shutil.rmtree(store, ignore_errors=True)
    assert refused > 0
