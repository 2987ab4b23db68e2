"""What a power cut leaves of a folder where a system keeps no more than it has promised.

Promised are the bytes of a file as they were when it was last synced, and the names in a folder as they were
when that was; a file made since is empty, a rename or a link made since is undone. A real disk keeps any part
of the rest: each file may be as synced, as written, cut short or full of zeros, each name there or not.
"""

from __future__ import annotations

import os
import random
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from disk_calls import before_every_change

Disk = Mapping[str, bytes | None]  # relative path to a file's bytes, None for a folder
Id = tuple[int, int]  # device and inode
Spoil = Callable[[bytes, bytes], bytes]  # as synced and as written, into what is found

SPOILS: dict[str, Spoil] = {
    "empty": lambda synced, written: b"",
    "short": lambda synced, written: written[: len(written) // 2],
    "zeros": lambda synced, written: bytes(len(written)),
    "torn": lambda synced, written: written[: len(written) // 2] + bytes(len(written) - len(written) // 2),
}
_EITHER: dict[str, Spoil] = {
    **SPOILS,
    "synced": lambda synced, written: synced,
    "written": lambda synced, written: written,
}


def _bytes_of(descriptor: int, size: int) -> bytes:
    """What stands in a file, whether or not it is open for reading."""
    with Path(f"/proc/self/fd/{descriptor}").open("rb") as file:
        return file.read(size)


def _always(spoil: Spoil, name: str) -> Spoil:
    return spoil


@dataclass
class _Seen:
    """Everything below the root at one moment: the names in each folder, the bytes of each file."""

    names: dict[Id, dict[str, Id]] = field(default_factory=dict)
    data: dict[Id, bytes] = field(default_factory=dict)


class WorstDisk:
    """Keeps count of what is promised of a folder, and makes the disks that a power cut may leave of it.

    What stands there when it is made counts as synced.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._held: dict[Id, int] = {}  # a descriptor of each, lest its number be given to another
        self._root = self._hold(root)
        self._promised = self._look()

    def close(self) -> None:
        for descriptor in self._held.values():
            os.close(descriptor)

    def _hold(self, path: Path) -> Id:
        status = path.stat()
        known = (status.st_dev, status.st_ino)
        if known not in self._held:
            self._held[known] = os.open(path, os.O_RDONLY)
        return known

    def _look(self) -> _Seen:
        seen = _Seen()
        folders = [self.root]
        while folders:
            folder = folders.pop()
            names = seen.names[self._hold(folder)] = {}
            for path in sorted(folder.iterdir()):
                names[path.name] = known = self._hold(path)
                if path.is_dir():
                    folders.append(path)
                elif known not in seen.data:
                    seen.data[known] = path.read_bytes()
        return seen

    def synced(self, descriptor: int) -> None:
        """Take note that a file or folder was synced."""
        status = os.fstat(descriptor)
        known = (status.st_dev, status.st_ino)
        if not stat.S_ISDIR(status.st_mode):
            if known not in self._held:
                self._held[known] = os.dup(descriptor)
            self._promised.data[known] = _bytes_of(descriptor, status.st_size)
            return
        folder = Path(f"/proc/self/fd/{descriptor}").readlink()
        if folder != self.root and self.root not in folder.parents:
            return
        self._hold(folder)
        names = self._promised.names[known] = {}
        for path in folder.iterdir():
            # What a name is of is on the disk with it: a folder without names, a file without bytes.
            names[path.name] = inner = self._hold(path)
            if path.is_dir():
                self._promised.names.setdefault(inner, {})
            else:
                self._promised.data.setdefault(inner, b"")

    def after_a_cut(self, n_random: int, seed: str) -> dict[str, Disk]:
        """Disks that a cut at this moment may leave, by what was kept of what was not promised."""
        now, chance = self._look(), random.Random(seed)
        found = {"nothing": self._made(now, lambda name: False, lambda name: SPOILS["empty"])}
        for how, spoil in SPOILS.items():
            found[f"names, {how}"] = self._made(now, lambda name: True, partial(_always, spoil))
        for n in range(n_random):
            found[f"anything {seed} {n}"] = self._made(
                now, lambda name: chance.random() < 0.5, lambda name: chance.choice([*_EITHER.values()])
            )
        return found

    def _made(self, now: _Seen, keep: Callable[[str], bool], spoil: Callable[[str], Spoil]) -> Disk:
        disk: dict[str, bytes | None] = {}
        bytes_of: dict[Id, bytes] = {}  # one choice for a file, however many names it has

        def put(known: Id, at: str) -> None:
            if known in now.names or known in self._promised.names:
                if at:
                    disk[at] = None
                before, after = self._promised.names.get(known, {}), now.names.get(known, {})
                for name in sorted({*before, *after}):
                    changed = before.get(name) != after.get(name)
                    inner = (after if changed and keep(name) else before).get(name)
                    if inner is not None:
                        put(inner, f"{at}/{name}" if at else name)
                return
            synced, written = self._promised.data.get(known, b""), now.data.get(known, b"")
            if known not in bytes_of:
                same = synced == written or known not in now.data
                bytes_of[known] = synced if same else spoil(at)(synced, written)
            disk[at] = bytes_of[known]

        put(self._root, "")
        return disk


@contextmanager
def recorded(
    root: Path, at_step: Callable[[WorstDisk, str], None], patch: pytest.MonkeyPatch
) -> Iterator[WorstDisk]:
    """Call ``at_step`` before each change below ``root`` that the block makes, and once at its end."""
    disk, sync = WorstDisk(root), os.fsync

    def fsync(descriptor: int) -> None:
        sync(descriptor)
        disk.synced(descriptor)

    patch.setattr(os, "fsync", fsync)
    try:
        with before_every_change(lambda call: at_step(disk, call)):
            yield disk
        at_step(disk, "the end")
    finally:
        patch.setattr(os, "fsync", sync)
        disk.close()


def put_down(disk: Disk, root: Path) -> Path:
    """Make a folder as a disk has it."""
    root.mkdir()
    for name, data in disk.items():
        path = root / name
        if data is None:
            path.mkdir()
        else:
            path.write_bytes(data)
    return root
