"""A store as its readers see it: one generation, whole, for as long as they keep it open."""

from __future__ import annotations

import fnmatch
import os
import re
import threading
import weakref
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from embeddings.index import VectorSearch
from rag.errors import (
    DocumentNotFoundError,
    EncoderMismatchError,
    StoreDamagedError,
    StoreError,
)
from rag.records import Document, Passage
from rag.retrieval.lexical import LexicalSearch
from rag.retrieval.sentences import SentenceScores
from rag.store.content import Entry, FileRow, Source
from rag.store.integrity import THOROUGH_BYTES, faults
from rag.store.layout import generation_folder
from rag.store.lock import lease
from rag.store.manifest import Manifest, SegmentRecord, read_current, read_manifest, rebuild_hint
from rag.store.proofs import Rows, text_proof
from rag.store.segment import Segment
from rag.store.tags import aside_hint, read_tag, tagged_manifest
from rag.text.dates import checked_date

CACHED_CHARS = 64_000_000  # of documents kept decoded: some 10,000 reports
_TRIES = 20  # times a reader starts over because a writer committed; each try needs two more commits to fail


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a filter lets through: ``rows`` (None: all of them), of how many documents.

    ``n_undated`` documents could not be judged, for they have no date.
    """

    rows: Rows | None
    n_documents: int
    n_undated: int = 0


class Store:
    """One generation of a store, read-only; several threads may share it.

    Opened by ``Store.open``. What it opened stays readable while later generations are committed.
    """

    def __init__(
        self, path: Path, manifest: Manifest, descriptor: int, *, proven: bool, at: str | None = None
    ) -> None:
        """``proven``: every sum was checked, so that what is used need not be; ``at``: the tag asked for."""
        self.path = path
        self.manifest = manifest
        self.at = at
        self._proven = proven
        folder = generation_folder(path, manifest.generation)
        self._segments = [Segment(folder / record.name, record) for record in manifest.segments]
        counts = [record.n_passages for record in manifest.segments]
        self._offsets: list[int] = [0, *accumulate(counts)]
        self._closers = [weakref.finalize(self, segment.close) for segment in self._segments]
        self._release = weakref.finalize(self, os.close, descriptor)
        self._documents: OrderedDict[str, Document] = OrderedDict()
        self._cached_chars = 0
        self._lock = threading.Lock()

    @classmethod
    def exists(cls, path: str | Path) -> bool:
        """Whether a generation was ever committed at ``path``; it may still fail to open."""
        try:
            return read_current(Path(path)) is not None
        except (StoreError, OSError):
            return True

    @classmethod
    def open(cls, path: str | Path, *, at: str | None = None, verify: bool = True) -> Store:
        """The generation served at ``path``, or the one that the tag ``at`` keeps.

        Raises StoreMissingError, StoreFormatError, StoreDamagedError, or StoreError where it may not be read,
        and UsageError where there is no such tag.
        With ``verify`` every sum is checked (over 50 MB: sizes and samples); without, that
        every file is there in its size. What was not checked then is when a passage is used: its text and
        its vector.
        """
        path = Path(path)
        for _ in range(_TRIES):
            try:
                before = cls._pin(path, at)
                manifest = read_manifest(path) if at is None else tagged_manifest(path, at)
                descriptor = lease(generation_folder(path, manifest.generation))
                if descriptor is not None:
                    return cls._open_leased(path, manifest, descriptor, verify, at)
                damage = StoreDamagedError(
                    f"generation {manifest.generation} has no manifest", _remedy(path, at)
                )
            except StoreDamagedError as error:
                damage = error
            except OSError as error:
                raise StoreError(
                    f"the store at {path} cannot be read: {error.strerror or error}",
                    "check who may read it, or name another with --store",
                ) from error
            if cls._pin(path, at) == before:  # nobody committed meanwhile: the damage is real
                raise damage
        raise damage

    @staticmethod
    def _pin(path: Path, at: str | None) -> tuple[int, str] | None:
        try:
            return read_current(path) if at is None else read_tag(path, at)
        except StoreDamagedError:
            return None

    @classmethod
    def _open_leased(
        cls, path: Path, manifest: Manifest, descriptor: int, verify: bool, at: str | None
    ) -> Store:
        try:
            cls._refuse(path, manifest, _remedy(path, at), contents=verify)
            proven = verify and manifest.size <= THOROUGH_BYTES
            return cls(path, manifest, descriptor, proven=proven, at=at)
        except BaseException:
            os.close(descriptor)
            raise

    @staticmethod
    def _refuse(
        path: Path, manifest: Manifest, remedy: str, *, thorough: bool | None = None, contents: bool = True
    ) -> None:
        folder = generation_folder(path, manifest.generation)
        found = list(faults(folder, manifest, thorough=thorough, contents=contents))
        if found:
            more = f" (and {len(found) - 3} more)" if len(found) > 3 else ""
            raise StoreDamagedError(
                f"generation {manifest.generation} of the store at {path} is damaged: "
                + "; ".join(found[:3])
                + more,
                remedy,
            )

    def verify(self) -> None:
        """Check every sum, whatever the size of the store; raises StoreDamagedError."""
        self._refuse(self.path, self.manifest, _remedy(self.path, self.at), thorough=True)

    def check_encoder(self, name: str, fingerprint: str) -> None:
        """Raise EncoderMismatchError unless this encoder made the vectors."""
        if fingerprint != self.manifest.encoder_fingerprint:
            raise EncoderMismatchError(
                f"the store was built with encoder {self.manifest.encoder_name} "
                f"({self.manifest.encoder_fingerprint[:12]}), not with {name} ({fingerprint[:12]})",
                f"{rebuild_hint(self.path)}\nor set encoder.model to {self.manifest.encoder_name}"
                if self.at is None
                else f"set encoder.model to {self.manifest.encoder_name} to ask it as it was at {self.at}",
            )

    @property
    def n_passages(self) -> int:
        """How many passages may be cited."""
        return self.manifest.n_passages

    @cached_property
    def rows(self) -> Rows:
        """The rows of the passages that may be cited, ascending, (n_passages,)."""
        every = np.arange(self._offsets[-1], dtype=np.int64)
        return every if not len(self.dead_rows) else np.setdiff1d(every, self.dead_rows, assume_unique=True)

    @cached_property
    def dead_rows(self) -> Rows:
        """The rows of passages that count no more, ascending: nothing finds them."""
        parts = [segment.dead_rows + at for segment, at in zip(self._segments, self._offsets, strict=False)]
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

    @cached_property
    def vectors(self) -> VectorSearch:
        """The passages' vectors, by row."""
        return VectorSearch([segment.vectors for segment in self._segments], self.dead_rows)

    @cached_property
    def sentences(self) -> SentenceScores | None:
        """The vectors of the passages' sentences, by row; None where the store was made without."""
        if not any(record.n_sentences for record in self.manifest.segments):
            return None
        return SentenceScores([(one.sentences, one.sentence_starts) for one in self._segments])

    @cached_property
    def lexical(self) -> LexicalSearch:
        """The passages' words, by row."""
        return LexicalSearch([segment.lexical for segment in self._segments], self.dead_rows)

    def labels(self, rows: Iterable[int]) -> list[int]:
        """For each row the label of its group: passages of one label say the same."""
        wanted = np.fromiter(rows, np.int64)
        if len(wanted) and not 0 <= wanted.min() <= wanted.max() < self._offsets[-1]:
            raise IndexError(f"a row of {wanted.min()} ... {wanted.max()} is none of {self._offsets[-1]}")
        numbers = np.searchsorted(self._offsets, wanted, "right") - 1
        labels = np.zeros(len(wanted), np.uint64)
        for number in np.unique(numbers):
            here = numbers == number
            labels[here] = self._segments[number].labels[wanted[here] - self._offsets[number]]
        return [int(label) for label in labels]

    def members(self, label: int) -> list[int]:
        """The rows of a group, ascending."""
        return [
            row + offset
            for segment, offset in zip(self._segments, self._offsets, strict=False)
            for row in segment.members(label)
        ]

    def has(self, label: int) -> bool:
        """Whether a group goes by that label."""
        return any(segment.members(label) for segment in self._segments)

    def n_twins(self) -> int:
        """How many passages say again what another one says."""
        parts = [
            np.delete(segment.labels, segment.dead_rows) if len(segment.dead_rows) else segment.labels
            for segment in self._segments
        ]
        return self.n_passages - len(np.unique(np.concatenate(parts))) if parts else 0

    def like(self, keys: NDArray[np.uint32]) -> Iterator[str]:
        """The words of passages that may be near-equal to one with these band keys."""
        for segment, offset in zip(self._segments, self._offsets, strict=False):
            for row in segment.bands.like(keys):
                if segment.position_of(row) not in segment.dead:
                    yield self._passage(row + offset).text

    def passages(self, rows: Iterable[int]) -> list[Passage]:
        """The passages of these rows, in the order asked.

        Raises StoreDamagedError rather than give other words than were committed, or words found by another
        vector.
        """
        return [self._passage(int(row)) for row in rows]

    def _place(self, row: int) -> tuple[Segment, int]:
        """The segment that holds a row, and the row within it."""
        if not 0 <= row < self._offsets[-1]:
            raise IndexError(f"row {row} of {self._offsets[-1]}")
        number = bisect_right(self._offsets, row) - 1
        return self._segments[number], row - self._offsets[number]

    def _passage(self, row: int) -> Passage:
        segment, at = self._place(row)
        found = segment.database.passage(at)
        if found is None:
            raise self._changed(f"passage {row} is missing")
        position, start, end, heading, proof, vector_proof = found
        document = self._document(segment, position)
        text = document.text[start:end]
        if text_proof(text) != proof:
            raise self._changed(f"passage {row} is not the text that was committed")
        if not self._proven and segment.embedding_proof(at) != vector_proof:
            raise self._changed(f"the vector of passage {row} is not the one that was committed")
        return Passage(document.id, start, end, text, heading)

    def _changed(self, what: str) -> StoreDamagedError:
        return StoreDamagedError(what, _remedy(self.path, self.at))

    def document(self, document_id: str) -> Document:
        """The document with its text."""
        if (kept := self._kept(document_id)) is not None:
            return kept
        for segment in reversed(self._segments):  # the newest has the document as it now is
            position = segment.database.position(document_id)
            if position is not None and position not in segment.dead:
                return self._read(segment, position)
        raise DocumentNotFoundError(f"no document has the id {document_id}", "rag info  # lists them")

    def _document(self, segment: Segment, position: int) -> Document:
        """The document at a position, from those kept decoded where it is among them."""
        kept = None
        if position not in segment.dead:
            kept = self._kept(segment.database.document_id(position))
        return self._read(segment, position) if kept is None else kept

    def _kept(self, document_id: str) -> Document | None:
        """A document that is kept decoded, which makes it the last to be let go."""
        with self._lock:
            if document_id in self._documents:
                self._documents.move_to_end(document_id)
            return self._documents.get(document_id)

    def _read(self, segment: Segment, position: int) -> Document:
        document = segment.database.document(position)
        if position in segment.dead:
            return document
        with self._lock:
            if document.id not in self._documents:
                self._documents[document.id] = document
                self._cached_chars += len(document.text)
            while self._cached_chars > CACHED_CHARS and len(self._documents) > 1:
                self._cached_chars -= len(self._documents.popitem(last=False)[1].text)
        return document

    @cached_property
    def sources(self) -> list[Source]:
        """What is known of every document but its text, in order of path."""
        return [source for source, _, _ in self._sources]

    @cached_property
    def _sources(self) -> list[tuple[Source, int, int]]:
        """Every source with the number of its segment and its position there, in order of path."""
        found = [
            (source, number, position)
            for number, segment in enumerate(self._segments)
            for position, source in enumerate(segment.database.sources())
            if position not in segment.dead
        ]
        return sorted(found, key=lambda each: each[0].path)

    def documents(self) -> Iterator[Document]:
        """Every document with its text, in order of path, one after another."""
        for _, number, position in self._sources:
            yield self._document(self._segments[number], position)

    def document_rows(self, ids: Collection[str]) -> Rows:
        """The rows of these documents' passages, ascending."""
        wanted = set(ids)
        return self._rows_of([(number, at) for source, number, at in self._sources if source.id in wanted])

    def _rows_of(self, places: Iterable[tuple[int, int]]) -> Rows:
        """The rows of documents by segment and position, ascending."""
        positions: dict[int, list[int]] = {}
        for number, position in sorted(places):
            positions.setdefault(number, []).append(position)
        parts = [
            self._segments[number].rows_of(found) + self._offsets[number]
            for number, found in positions.items()
        ]
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

    def excluded(self) -> list[Passage]:
        """The boilerplate kept out, by document and place; ``boilerplate_key`` gives the name of each."""
        found = []
        for segment in self._segments:
            for position, start, end, heading, reason in segment.database.excluded():
                if position not in segment.dead:
                    document = self._document(segment, position)
                    text = document.text[start:end]
                    found.append((document.path, Passage(document.id, start, end, text, heading, reason)))
        return [passage for _, passage in sorted(found, key=lambda each: (each[0], each[1].start))]

    def boilerplate_keys(self) -> set[str]:
        """The key of every text kept out, or brought back by the user."""
        return set().union(*(segment.database.boilerplate_keys() for segment in self._segments))

    def files(self) -> list[FileRow]:
        """Every file as it was when it was read, in order of path."""
        return [source.file for source in self.sources]

    def segment_of(self, path: str) -> SegmentRecord:
        """The segment that holds a file's document."""
        return self._segments[self._sources_by_path[path][1]].record

    def entry_at(self, path: str) -> Entry:
        """The document of a file, with all its passages as they were split."""
        source, number, position = self._sources_by_path[path]
        segment = self._segments[number]
        document = self._document(segment, position)
        return Entry(document, source.file, segment.database.split_passages(position, document))

    @cached_property
    def _sources_by_path(self) -> Mapping[str, tuple[Source, int, int]]:
        return {source.path: (source, number, position) for source, number, position in self._sources}

    def without(self, paths: Collection[str]) -> tuple[SegmentRecord, ...]:
        """The segments as a generation would record them that lets the documents of these files go."""
        gone: dict[int, list[int]] = {}
        for path in paths:
            _, number, position = self._sources_by_path[path]
            gone.setdefault(number, []).append(position)
        return tuple(
            replace(
                segment.record,
                dead=tuple(sorted({*segment.record.dead, *gone.get(number, ())})),
                n_dead_passages=segment.record.n_dead_passages + len(segment.rows_of(gone.get(number, ()))),
                n_dead_excluded=segment.record.n_dead_excluded
                + sum(segment.database.n_excluded_of(position) for position in gone.get(number, ())),
            )
            for number, segment in enumerate(self._segments)
        )

    def allowed(
        self,
        after: str | None = None,
        before: str | None = None,
        inside: str | None = None,
        as_of: str | None = None,
    ) -> Allowed:
        """The rows of documents dated on ``after`` or later, earlier than ``before``, and in ``inside``.

        With ``as_of`` (a whole day) only those that can tell how things stood then: of documents not dated
        later, and the single passages of later ones that name its year.

        Dates are ISO 8601 ("2017", "2017-03", "2017-03-22") and a shorter one stands for its first day; a
        document without a date is let through only when no date is asked for. ``inside`` is a glob for the
        path, for its end ("minutes/*.md", "*.pdf") or for a folder in it ("minutes").
        """
        for name, day in (("after", after), ("before", before)):
            if day is not None:
                checked_date(day, name)
        if after is None and before is None and inside is None and as_of is None:
            return Allowed(None, self.manifest.n_documents)
        inside_it = None if inside is None else _glob(inside)
        kept: list[tuple[int, int]] = []
        later: list[tuple[int, int]] = []
        n_undated = 0
        for source, *place in self._sources:
            if inside_it is not None and not inside_it(source.path):
                continue
            date = source.date
            if (after is not None or before is not None) and date is None:
                n_undated += 1
            elif date is None or (
                (after is None or _first_day(date) >= _first_day(after))
                and (before is None or _first_day(date) < _first_day(before))
            ):
                (later if as_of and date and date > as_of else kept).append((place[0], place[1]))
        rows = self._rows_of(kept)
        if as_of is not None and later:
            _, naming = self.lexical.search(as_of[:4], self.n_passages)
            rows = np.union1d(rows, np.intersect1d(naming, self._rows_of(later)))
        return Allowed(rows, len(kept), n_undated)

    def close(self) -> None:
        """Let the generation go: a later writer may delete it."""
        for close in self._closers:
            close()
        for name in ("vectors", "sentences", "lexical"):
            vars(self).pop(name, None)
        self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _remedy(path: Path, at: str | None) -> str:
    """The command that mends a damaged generation: the one served is made anew, one of a tag cannot be."""
    return rebuild_hint(path) if at is None else aside_hint(path)


def _first_day(date: str) -> str:
    """A date with month and day.

    >>> _first_day("2017"), _first_day("2017-03"), _first_day("2017-03-22")
    ('2017-01-01', '2017-03-01', '2017-03-22')
    """
    return date + "-01-01"[: 10 - len(date)] if len(date) == 4 else (date + "-01")[:10]


def is_inside(path: str, glob: str) -> bool:
    """Whether a glob names the path, the end of it, or a folder on the way to it.

    >>> [is_inside("/home/a/minutes/2017.md", glob) for glob in ("*.md", "minutes", "/home/a", "a/*.txt")]
    [True, True, True, False]
    """
    return bool(_glob(glob)(path))


def _glob(glob: str) -> Callable[[str], object]:
    """What says of a path whether the glob names it."""
    glob = glob.rstrip("/") or "/"
    patterns = (glob, f"*/{glob}", f"{glob}/*", f"*/{glob}/*")
    return re.compile("|".join(fnmatch.translate(pattern) for pattern in patterns)).match
