"""The writer is killed at every step, before every write and in the middle of writes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import FIRST, SECOND, copy_store, folders, picture, run, sharing_segments, write_corpus

from rag.errors import StoreDamagedError, StoreMissingError
from rag.store import Store
from rag.store.layout import CURRENT, JOURNAL

Kill = Callable[[str, int, Path, "Change"], str]


@pytest.fixture(scope="module")
def kill() -> Iterator[Kill]:
    """Runs indexing in another process that dies as told; returns "killed" or "done"."""
    path = os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("crash_child.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def ask(how: str, n: int, store: Path, change: Change) -> str:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{how}\t{n}\t{store}\t{change.corpus}\t{change.shared}\n")
            process.stdin.flush()
            return process.stdout.readline().strip()

        yield ask
        process.stdin.close()


class Change:
    """A corpus that has been edited since its store was made, and the pictures before and after."""

    def __init__(self, folder: Path, *, first: bool, shared: bool = False) -> None:
        self.shared = shared
        self.corpus = write_corpus(folder / "corpus", FIRST)
        self.store = folder / "store"
        self.before: dict[str, object] | None = None
        if not first:
            run([self.corpus], self.store)
            # Two generations stand before the kill, so that the sweep after the commit has work.
            write_corpus(self.corpus, {"sub/more.txt": "One more letter about the boats."})
            run([self.corpus], self.store)
            self.before = picture(self.store)
            write_corpus(self.corpus, SECOND)
        after = copy_store(self.store, folder / "after")
        run([self.corpus], after)
        self.after = picture(after)

    def check(self, store: Path) -> bool:
        """Old or new, whole; then one more run makes it new and tidy. Whether it was old."""
        try:
            found = picture(store)
        except StoreMissingError:
            found = None
        except StoreDamagedError:  # the first generation, named before CURRENT is there to serve it
            assert self.before is None
            assert not (store / CURRENT).exists()
            found = None
        assert found in (self.before, self.after)
        run([self.corpus], store)
        assert picture(store) == self.after
        left = folders(store)
        assert len(left) <= 2
        assert all(re.fullmatch(r"\d{6}", name) for name in left)
        return found == self.before


@pytest.fixture(scope="module", params=["first generation", "later generation", "shared segments"])
def change(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Change]:
    with pytest.MonkeyPatch.context() as patch:
        shared = request.param == "shared segments"
        if shared:
            sharing_segments(patch.setattr)
        yield Change(
            tmp_path_factory.mktemp("crash"), first=request.param == "first generation", shared=shared
        )


@pytest.mark.parametrize("how", ["step", "change"])
def test_a_writer_killed_anywhere_leaves_the_old_generation_or_the_new_whole(
    how: str, change: Change, kill: Kill, tmp_path: Path
) -> None:
    were_old = []
    for n in range(1000):
        store = copy_store(change.store, tmp_path / str(n))
        ended = kill(how, n, store, change)
        assert ended in ("killed", "done")
        if ended == "done":
            break
        were_old.append(change.check(store))
        shutil.rmtree(store)
    assert len(were_old) > 15
    switched = were_old.index(False)
    assert not any(were_old[switched:]), "once switched, always switched"


def test_a_writer_killed_in_the_middle_of_a_write_leaves_the_old_generation_or_the_new_whole(
    change: Change, kill: Kill, tmp_path: Path
) -> None:
    ended = []
    for n in [0, 1, 40, 100, 400, 1000, 3000, 4096, 5000, 9000, 15_000, 30_000, 40_000, 60_000, 100_000]:
        store = copy_store(change.store, tmp_path / str(n))
        ended.append(kill("bytes", n, store, change))
        assert ended[-1] in ("killed", "done")
        change.check(store)
    assert ended.count("killed") > 8


def test_embeddings_made_before_a_kill_are_kept(change: Change, kill: Kill, tmp_path: Path) -> None:
    from support import WordEncoder

    store = copy_store(change.store, tmp_path / "store")
    names: list[str] = []
    run([change.corpus], copy_store(change.store, tmp_path / "rehearsal"), steps=names.append)
    assert kill("step", names.index("make the building folder"), store, change) == "killed"
    assert (store / JOURNAL).exists()
    encoder = WordEncoder()
    run([change.corpus], store, encoder)
    assert encoder.encoded == []


def test_no_reader_is_disturbed_by_kills(change: Change, kill: Kill, tmp_path: Path) -> None:
    if change.before is None:
        pytest.skip("there is nothing to read before the first generation")
    store = copy_store(change.store, tmp_path / "store")
    with Store.open(store) as reader:
        for n in (3, 12, 18, 22):
            kill("step", n, store, change)
        assert reader.passages(reader.rows) == change.before["passages"]
        assert reader.lexical.n == reader.vectors.n == reader.n_passages
