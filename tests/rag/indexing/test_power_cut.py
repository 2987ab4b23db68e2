"""The power goes after any step: of what was not synced the disk has lost any part, and the store is whole.

By default some of the disks that may be left are tried; ``RAG_FAULTS=all`` (``make fuzz``) tries them all.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import picture, sharing_segments
from test_faults import Scene
from worst_disk import Disk, WorstDisk, put_down, recorded

from rag.errors import StoreDamagedError
from rag.store.layout import CURRENT

EVERY_DISK = os.environ.get("RAG_FAULTS") == "all"
EVERY_STEP = 1 if EVERY_DISK else 7  # changes of the disk between two cuts
N_RANDOM = 20 if EVERY_DISK else 1  # disks a step, of which each name and file is kept or lost by chance
MOST = 10**9 if EVERY_DISK else 7  # disks tried of each kind of run
RUNS = ["first", "change", "delete", "rebuild", "repair", "shared", "no links", "tag", "untag"]


def no_links(source: object, target: object) -> None:
    raise OSError(errno.EOPNOTSUPP, "this file system knows no links")


@pytest.fixture(scope="module", params=RUNS)
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp(request.param.replace(" ", "_"))
    with pytest.MonkeyPatch.context() as patch:
        if request.param in ("shared", "no links"):
            sharing_segments(patch.setattr)
        if request.param == "no links":
            patch.setattr(os, "link", no_links)
        yield Scene("shared" if request.param == "no links" else request.param, folder)
    shutil.rmtree(folder)


def disks_of(
    scene: Scene, root: Path, patch: pytest.MonkeyPatch
) -> tuple[list[tuple[str, Disk]], list[Disk]]:
    """The different disks that a cut may leave on the way of a run, and those after its end."""
    root.mkdir()
    seen: dict[int, tuple[str, Disk]] = {}
    at_end: list[Disk] = []
    n = 0

    def at_step(disk: WorstDisk, call: str) -> None:
        nonlocal n
        n += 1
        if n % EVERY_STEP and call != "the end":
            return
        for kept, left in disk.after_a_cut(N_RANDOM, f"{n}").items():
            seen.setdefault(hash(tuple(left.items())), (f"before step {n} ({call}), kept: {kept}", left))
            if call == "the end":
                at_end.append(left)

    store = root / "deep" / "store" if scene.before is None else root / "store"
    if scene.start.exists():
        shutil.copytree(scene.start, store)
    with recorded(root, at_step, patch):
        scene.act(store)
    return list(seen.values()), at_end


def test_a_power_cut_after_any_step_leaves_the_old_generation_or_the_new_whole(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disks, at_end = disks_of(scene, tmp_path / "run", monkeypatch)
    (current,) = (tmp_path / "run").rglob(CURRENT)
    place = current.parent.relative_to(tmp_path / "run")
    assert len(disks) > 5
    for n, (what, disk) in enumerate(disks[:: max(1, len(disks) // MOST)]):
        store = put_down(disk, tmp_path / str(n)) / place
        try:
            scene.check(store)
        except BaseException as error:
            error.add_note(what)
            raise
        shutil.rmtree(tmp_path / str(n))
    for n, disk in enumerate(at_end[: 10**9 if EVERY_DISK else 2]):
        store = put_down(disk, tmp_path / f"end {n}") / place
        assert picture(store) == scene.after, "a run that has said it is done is not undone by a power cut"
    assert at_end


def test_a_sync_left_out_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene("change", tmp_path / "scene")
    monkeypatch.setattr("rag.store.writer.seal_tree", lambda folder, *, but=None: None)
    _, at_end = disks_of(scene, tmp_path / "run", monkeypatch)
    fell = 0
    for n, disk in enumerate(at_end):
        try:
            fell += picture(put_down(disk, tmp_path / str(n)) / "store") != scene.after
        except StoreDamagedError:
            fell += 1
    assert fell >= 5
