"""The commit: a new generation beside the old one, synced, then one switch."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

import rag
from embeddings.index import VectorIndex
from rag.errors import StoreDamagedError
from rag.files import NEW, replace_file, sync_file
from rag.retrieval.lexical import LexicalIndex
from rag.store.content import Content
from rag.store.database import write_database
from rag.store.integrity import faults
from rag.store.layout import (
    BUILDING,
    CURRENT,
    FORMAT,
    GENERATIONS,
    LEXICAL,
    MANIFEST,
    PASSAGES,
    TRASH,
    VECTORS,
    Steps,
    files_under,
    generation_folder,
    generations,
    no_steps,
    seal_tree,
    stamp,
    view_file,
    view_rows_file,
)
from rag.store.lock import unread
from rag.store.manifest import Manifest, View, current_line, read_current
from rag.store.proofs import Rows, Vectors, order_sum, vector_proofs, view_sum


@dataclass(frozen=True, slots=True)
class Build:
    """All that a new generation is made of.

    ``groups``, ``contexts`` (the texts passages are found by) and ``vectors`` (n, d) go by row. Each view has
    its vectors (s, d) and the passage row of each (s,).
    """

    content: Content
    groups: Sequence[int]
    contexts: Sequence[str]
    vectors: Vectors
    language: str
    encoder_name: str
    encoder_fingerprint: str
    settings: Mapping[str, object]
    rules: str
    roots: tuple[str, ...]
    kept: tuple[str, ...]
    views: Mapping[str, tuple[Vectors, Rows]] = field(default_factory=dict)


def next_generation(store: Path) -> int:
    """The number of the generation a writer makes: one more than the greatest there is."""
    return max([0, _served(store), *generations(store)]) + 1


def _served(store: Path) -> int:
    """The number CURRENT names; 0 when there is none or it is damaged."""
    try:
        current = read_current(store)
    except StoreDamagedError:
        return 0
    return current[0] if current else 0


def commit(store: Path, build: Build, *, steps: Steps = no_steps) -> Manifest:
    """Write a generation and make it the one served. The caller holds the lock.

    Whatever stops it before the switch leaves the generation served as it was.
    """
    number = next_generation(store)
    building = store / GENERATIONS / f"{BUILDING}{os.getpid()}"
    try:
        steps("make the building folder")
        building.parent.mkdir(mode=0o700, exist_ok=True)
        building.mkdir(mode=0o700)
        manifest = _write(building, number, build, steps)
        data = manifest.to_bytes()
        steps("write the manifest")
        (building / MANIFEST).write_bytes(data)
        steps("sync the building folder")
        seal_tree(building)
        steps("check what was written")
        wrong = next(faults(building, manifest, thorough=True), None)
        if wrong:
            raise StoreDamagedError(
                f"the new generation was not written as meant: {wrong}", "check the disk, then run it again"
            )
        steps("name the generation")
        os.rename(building, generation_folder(store, number))
        sync_file(store / GENERATIONS)
        sync_file(store)
        replace_file(store / CURRENT, current_line(number, data), mode=0o600, steps=steps)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        if _served(store) != number:
            shutil.rmtree(generation_folder(store, number), ignore_errors=True)
        raise
    return manifest


def _write(building: Path, number: int, build: Build, steps: Steps) -> Manifest:
    content = build.content
    n = len(content.passages)
    if not n == len(build.groups) == len(build.contexts) == len(build.vectors):
        raise ValueError("every passage needs its group, its context and its vector")
    steps("write the vectors")
    index = VectorIndex.build(build.vectors)
    index.save(building / VECTORS)
    proofs = vector_proofs(index.vectors())
    steps("write the passages")
    texts = write_database(building / PASSAGES, content, build.groups, proofs)
    views = {}
    for name, (vectors, rows) in build.views.items():
        steps(f"write view {name}")
        VectorIndex.build(vectors).save(building / view_file(name))
        np.save(building / view_rows_file(name), rows, allow_pickle=False)
        views[name] = View(len(rows), view_sum(vectors, rows))
    steps("write the lexical index")
    LexicalIndex.build(build.contexts, build.language).save(building / LEXICAL)
    steps("sum the files")
    return Manifest(
        format=FORMAT,
        generation=number,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        rag_version=rag.__version__,
        encoder_name=build.encoder_name,
        encoder_fingerprint=build.encoder_fingerprint,
        dim=int(build.vectors.shape[1]),
        settings=build.settings,
        rules=build.rules,
        roots=build.roots,
        kept=build.kept,
        n_documents=len(content.entries),
        n_passages=n,
        n_excluded=len(content.excluded),
        order=order_sum(zip(texts, proofs, strict=True)),
        views=views,
        files={name: stamp(building / name) for name in files_under(building)},
    )


def leftovers(store: Path) -> list[Path]:
    """What writers that were killed left behind: half-built generations, half-deleted ones, torn writes."""
    folders = [path for path in _listed(store / GENERATIONS) if path.name.startswith((BUILDING, TRASH))]
    return folders + [path for path in _listed(store) if path.name.startswith(".") and path.suffix == NEW]


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def clear_leftovers(store: Path, *, steps: Steps = no_steps) -> None:
    """Delete what killed writers left behind. The caller holds the lock."""
    for path in leftovers(store):
        steps(f"delete {path.name}")
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def sweep(store: Path, *, steps: Steps = no_steps) -> None:
    """Delete what no reader needs: generations but the one served and the one before.

    A generation somebody has open stays until a later sweep. The caller holds the lock and knows the one
    served to be whole: while it is not, any other may be the last that is.
    """
    clear_leftovers(store, steps=steps)
    folder = store / GENERATIONS
    served = _served(store)
    if not served:
        return
    older = [number for number in generations(store) if number < served]
    abandoned = [number for number in generations(store) if number > served]
    for number in older[:-1] + abandoned:
        path = generation_folder(store, number)
        with unread(path) as free:
            if free:
                trash = folder / f"{TRASH}{number:06d}"
                steps(f"set generation {number} aside")
                os.rename(path, trash)
                steps(f"delete generation {number}")
                shutil.rmtree(trash, ignore_errors=True)
