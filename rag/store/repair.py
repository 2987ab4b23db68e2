"""A damaged store brought back as far as its files allow: the newest generation that is whole is served."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rag.errors import StoreDamagedError, StoreError
from rag.files import replace_file, sync_file
from rag.store.integrity import faults
from rag.store.layout import (
    CURRENT,
    DAMAGED,
    GENERATIONS,
    MANIFEST,
    TAGS,
    Steps,
    generation_folder,
    generations,
    no_steps,
    writing,
)
from rag.store.manifest import Manifest, current_line, read_manifest, rebuild_hint
from rag.store.tags import aside_hint, read_tag, tag_names, tagged_manifest
from rag.store.writer import clear_leftovers, leftovers


@dataclass(frozen=True, slots=True)
class Repair:
    """What a repair did: ``served`` is the generation served now, ``before`` the one that was, if any.

    ``set_aside`` are damaged parts under the names they now have, ``cleared`` what killed writers had left.
    """

    served: int | None
    before: int | None
    set_aside: tuple[str, ...]
    cleared: tuple[str, ...]

    @property
    def told(self) -> str:
        """What was done, in a line."""
        parts = [] if self.served == self.before else [f"generation {self.served} is served now"]
        parts += [f"set aside as {', '.join(self.set_aside)}"] if self.set_aside else []
        parts += [f"cleared {', '.join(self.cleared)}"] if self.cleared else []
        return "; ".join(parts) or "there was nothing to repair"


def whole_manifest(store: Path, number: int) -> bytes | None:
    """The manifest of a generation of which every sum holds; None where any does not."""
    folder = generation_folder(store, number)
    try:
        data = (folder / MANIFEST).read_bytes()
        manifest = Manifest.from_bytes(data, folder / MANIFEST)
        damaged = next(faults(folder, manifest, thorough=True), None)
    except (StoreError, OSError):
        return None
    return data if damaged is None and manifest.generation == number else None


def newest_whole(store: Path) -> tuple[int, bytes] | None:
    """The newest generation that is whole, with its manifest; None where there is none."""
    for number in reversed(generations(store)):
        data = whole_manifest(store, number)
        if data is not None:
            return number, data
    return None


def tag_fault(store: Path, name: str, whole: Manifest | None = None) -> StoreError | OSError | None:
    """Why what a tag keeps cannot be served, every sum checked; None where it can be.

    ``whole`` is a generation known to be so: what is linked to its files is not summed again.
    """
    try:
        manifest = tagged_manifest(store, name)
        folder = generation_folder(store, manifest.generation)
        left = {one.name for one in manifest.segments}
        if whole is not None:
            left -= {one.name for one in whole.segments if _is_linked(store, one.name, manifest, whole)}
        wrong = next(faults(folder, manifest, thorough=True, segments=left), None)
    except (StoreError, OSError) as error:
        return error
    if wrong is None:
        return None
    return StoreDamagedError(
        f"tag {name}: generation {manifest.generation} is damaged: {wrong}", aside_hint(store)
    )


def _is_linked(store: Path, segment: str, manifest: Manifest, other: Manifest) -> bool:
    """Whether two generations have a segment in common, file by file."""
    prefix = f"{segment}/"
    mine, others = (
        {name: each for name, each in one.files.items() if name.startswith(prefix)}
        for one in (manifest, other)
    )
    folders = [generation_folder(store, one.generation) for one in (manifest, other)]
    try:
        return mine == others and all((folders[0] / name).samefile(folders[1] / name) for name in mine)
    except OSError:
        return False


def is_served_whole(store: Path) -> int | None:
    """The number of the generation served, if CURRENT names one that is whole."""
    try:
        manifest = read_manifest(store)
        damaged = next(faults(generation_folder(store, manifest.generation), manifest, thorough=True), None)
    except (StoreError, OSError):
        return None
    return manifest.generation if damaged is None else None


def repair(store: Path, *, steps: Steps = no_steps) -> Repair:
    """Serve the newest generation that is whole, if the one served is not. The caller holds the lock.

    Damaged generations newer than it, a CURRENT that names none, and tags whose generation is damaged or
    gone, with what there is of it, are set aside and never deleted: a person may find out more than a sum
    can. Raises StoreDamagedError where no generation is whole; nothing is then changed but that leftovers
    are cleared.
    """
    with writing(store):
        return _repair(store, steps)


def _repair(store: Path, steps: Steps) -> Repair:
    cleared = tuple(path.name for path in leftovers(store))
    clear_leftovers(store, steps=steps)
    served = before = is_served_whole(store)
    set_aside: list[str] = []
    if before is None and generations(store):
        newest = newest_whole(store)
        if newest is None:
            raise StoreDamagedError(f"no generation of the store at {store} is whole", rebuild_hint(store))
        served, manifest = newest
        set_aside += [
            _set_aside(store, generation_folder(store, other), f"{other:06d}", steps)
            for other in generations(store)
            if other > served
        ]
        if (store / CURRENT).exists():
            set_aside.append(_set_aside(store, store / CURRENT, CURRENT, steps))
        steps("sync what was set aside")  # else a power cut could undo it, and the next run sweep it
        sync_file(store / GENERATIONS)
        replace_file(store / CURRENT, current_line(served, manifest), mode=0o600, steps=steps)
    whole = None if served is None else read_manifest(store)
    for name in tag_names(store):
        fault = tag_fault(store, name, whole)
        if isinstance(fault, StoreDamagedError):
            set_aside += _set_tag_aside(store, name, served, steps)
    return Repair(served, before, tuple(set_aside), cleared)


def _set_tag_aside(store: Path, name: str, served: int | None, steps: Steps) -> list[str]:
    """Set a tag aside whose generation cannot be served, after what there is of that; their new names."""
    set_aside: list[str] = []
    number = None
    with suppress(StoreDamagedError):  # a torn tag does not say what it kept
        number, _ = read_tag(store, name)
    if number is not None and number != served and number in generations(store):
        folder = generation_folder(store, number)
        if whole_manifest(store, number) is None:
            set_aside.append(_set_aside(store, folder, folder.name, steps))
    set_aside.append(_set_aside(store, store / TAGS / name, f"tag-{name}", steps))
    return set_aside


def _set_aside(store: Path, path: Path, name: str, steps: Steps) -> str:
    """Give a part of a store a name that nothing reads, beside the generations; the name."""
    folder = store / GENERATIONS
    folder.mkdir(mode=0o700, exist_ok=True)
    taken = set(os.listdir(folder))
    wanted = f"{DAMAGED}{name}"
    free = next(
        one for n in range(1, len(taken) + 2) if (one := f"{wanted}-{n}" if n > 1 else wanted) not in taken
    )
    steps(f"set {path.name} aside")
    os.rename(path, folder / free)
    return free
