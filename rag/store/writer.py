"""The commit: a new generation beside the old one, synced, then one switch."""

from __future__ import annotations

import errno
import os
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import rag
from embeddings.index import VectorIndex
from rag.errors import StoreDamagedError, StoreError
from rag.files import NEW, replace_file, sync_file
from rag.passages.duplicates import Grouped
from rag.retrieval.lexical import LexicalIndex
from rag.store.content import Content
from rag.store.database import write_database
from rag.store.integrity import faults
from rag.store.journal import Made
from rag.store.layout import (
    BAND_ROWS,
    BANDS,
    BUILDING,
    BY_LABEL,
    CURRENT,
    EMBEDDED,
    FORMAT,
    GENERATIONS,
    LABELS,
    LEXICAL,
    MANIFEST,
    PASSAGES,
    SENTENCE_STARTS,
    SENTENCES,
    STARTS,
    TAGS,
    TRASH,
    VECTORS,
    FileStamp,
    Steps,
    files_under,
    generation_folder,
    generations,
    no_steps,
    seal_tree,
    segment_name,
    stamp,
)
from rag.store.lock import unread
from rag.store.manifest import Manifest, SegmentRecord, current_line, read_current, read_files
from rag.store.proofs import PROOF_BYTES, order_sum
from rag.store.tags import tagged_generations


@dataclass(frozen=True, slots=True)
class NewSegment:
    """All that a new segment is made of, by row: the ``contexts`` passages are found by, groups, vectors."""

    content: Content
    contexts: Sequence[str]
    grouped: Grouped
    made: Made


@dataclass(frozen=True, slots=True)
class Build:
    """All that a new generation is made of: segments of the one before, and what is new.

    ``carried`` are the records of the segments that stand in the folder ``carried_from``, with what of them
    no longer counts.
    """

    new: NewSegment | None
    dim: int
    language: str
    encoder_name: str
    encoder_fingerprint: str
    settings: Mapping[str, object]
    rules: str
    roots: tuple[str, ...]
    kept: tuple[str, ...]
    carried: tuple[SegmentRecord, ...] = ()
    carried_from: Path | None = None
    excluded: tuple[str, ...] = ()


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
        seal_tree(building, but=build.carried_from)
        steps("check what was written")
        written = {one.name for one in manifest.segments} - {one.name for one in build.carried}
        wrong = next(faults(building, manifest, thorough=True, segments=written), None)
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
    segments = list(build.carried)
    files: dict[str, FileStamp] = {}
    if build.carried_from is not None:
        before = read_files(build.carried_from)
        for record in build.carried:
            steps(f"link segment {record.name}")
            _link(build.carried_from / record.name, building / record.name)
            files |= {name: each for name, each in before.items() if name.startswith(f"{record.name}/")}
    if build.new is not None:
        name = segment_name(number)
        segments.append(_write_segment(building / name, build.new, build.language, steps))
        steps("sum the files")
        files |= {f"{name}/{file}": stamp(building / name / file) for file in files_under(building / name)}
    return Manifest(
        format=FORMAT,
        generation=number,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        rag_version=rag.__version__,
        encoder_name=build.encoder_name,
        encoder_fingerprint=build.encoder_fingerprint,
        dim=build.dim,
        settings=build.settings,
        rules=build.rules,
        roots=build.roots,
        kept=build.kept,
        excluded=build.excluded,
        n_documents=sum(one.n_documents - len(one.dead) for one in segments),
        n_passages=sum(one.n_passages - one.n_dead_passages for one in segments),
        n_excluded=sum(one.n_excluded - one.n_dead_excluded for one in segments),
        segments=tuple(segments),
        files=files,
    )


def _link(folder: Path, to: Path) -> None:
    """The files of a segment under a second name; copies where the file system knows no links."""
    for name in files_under(folder):
        path = to / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            os.link(folder / name, path)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.EXDEV, errno.ENOSYS):
                raise
            shutil.copyfile(folder / name, path)


def _write_segment(folder: Path, new: NewSegment, language: str, steps: Steps) -> SegmentRecord:
    content, made = new.content, new.made
    n = len(content.passages)
    if not n == len(new.grouped.labels) == len(new.contexts) == len(made.keys):
        raise ValueError("every passage needs its group, its context and its vector")
    folder.mkdir(mode=0o700)
    steps("write the vectors")
    VectorIndex.build(made.vectors.astype(np.float32)).save(folder / VECTORS)
    proofs = made.proofs()
    proven = np.frombuffer(b"".join(proofs), np.uint8).reshape(n, PROOF_BYTES)
    _save(folder / EMBEDDED, np.hstack([made.keys, proven]))
    steps("write the sentences' vectors")
    _save(folder / SENTENCES, made.sentences)
    _save(folder / SENTENCE_STARTS, made.starts)
    steps("write the passages")
    texts = write_database(folder / PASSAGES, content, proofs)
    counted = Counter(passage.document_id for passage in content.passages)
    counts = [counted[entry.document.id] for entry in content.entries]
    _save(folder / STARTS, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))
    steps("write the groups")
    _save(folder / LABELS, new.grouped.labels)
    _save(folder / BY_LABEL, np.argsort(new.grouped.labels, kind="stable").astype(np.uint32))
    _save(folder / BANDS, new.grouped.bands.keys)
    _save(folder / BAND_ROWS, new.grouped.bands.rows)
    steps("write the lexical index")
    LexicalIndex.build(new.contexts, language).save(folder / LEXICAL)
    return SegmentRecord(
        name=folder.name,
        n_documents=len(content.entries),
        n_passages=n,
        n_excluded=len(content.excluded),
        n_sentences=len(made.sentences),
        order=order_sum(zip(texts, proofs, strict=True)),
    )


def _save(path: Path, array: NDArray[Any]) -> None:
    np.save(path, array, allow_pickle=False)


def leftovers(store: Path) -> list[Path]:
    """What writers that were killed left behind: half-built generations, half-deleted ones, torn writes."""
    folders = [path for path in _listed(store / GENERATIONS) if path.name.startswith((BUILDING, TRASH))]
    files = [*_listed(store), *_listed(store / TAGS)]
    return folders + [path for path in files if path.name.startswith(".") and path.suffix == NEW]


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
    """Delete what no reader needs: generations but the one served, the one before and those with a tag.

    A generation somebody has open stays until a later sweep; while a tag cannot be read, all do. The caller
    holds the lock and knows the one served to be whole: while it is not, any other may be the last that is.
    """
    clear_leftovers(store, steps=steps)
    shutil.rmtree(store / "cache", ignore_errors=True)  # of formats 1 and 2
    folder = store / GENERATIONS
    served = _served(store)
    if not served:
        return
    try:
        kept = set(tagged_generations(store).values())
    except (StoreError, OSError):
        return
    older = [number for number in generations(store) if number < served]
    abandoned = [number for number in generations(store) if number > served]
    for number in older[:-1] + abandoned:
        if number in kept:
            continue
        path = generation_folder(store, number)
        with unread(path) as free:
            if free:
                trash = folder / f"{TRASH}{number:06d}"
                steps(f"set generation {number} aside")
                os.rename(path, trash)
                steps(f"delete generation {number}")
                shutil.rmtree(trash, ignore_errors=True)
