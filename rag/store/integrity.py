"""Proof that a generation is whole, and that row i of every index belongs to passage i."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import numpy as np

from rag.errors import StoreDamagedError
from rag.files import file_sha256
from rag.store.layout import (
    BY_LABEL,
    EMBEDDED,
    LABELS,
    LEXICAL,
    MANIFEST,
    PASSAGES,
    SENTENCE_STARTS,
    SENTENCES,
    STARTS,
    VECTORS,
    FileStamp,
    files_under,
    sample_sha256,
)
from rag.store.manifest import Manifest, SegmentRecord
from rag.store.proofs import order_sum, text_proof
from rag.store.segment import Segment

# Up to here every byte is summed when a store is opened (about .2 s); above, samples are, and each row when
# it is used.
THOROUGH_BYTES = 50_000_000


def faults(
    folder: Path,
    manifest: Manifest,
    *,
    thorough: bool | None = None,
    contents: bool = True,
    segments: Collection[str] | None = None,
) -> Iterator[str]:
    """What is wrong with a generation, in words, nearest cause first; nothing when it is whole.

    ``thorough`` None leaves it to the size of the store; without ``contents`` only names and sizes are looked
    at, of all segments but the ``segments`` named. What later checks would stumble over stops them.
    """
    if thorough is None:
        thorough = manifest.size <= THOROUGH_BYTES
    looked_into = [one for one in manifest.segments if segments is None or one.name in segments]
    torn = list(_torn_files(folder, manifest))
    if contents and not torn:
        names = {one.name for one in looked_into}
        files = {name: each for name, each in manifest.files.items() if name.partition("/")[0] in names}
        torn = list(_changed_files(folder, files, thorough))
    yield from torn
    if contents and not torn:
        try:
            for record in looked_into:
                yield from _shifted_rows(folder, record, manifest.dim, thorough)
        except StoreDamagedError as error:
            yield error.message
        except (OSError, RuntimeError, ValueError, KeyError, IndexError) as error:
            # A file may hold its sum and yet be none that its library reads (another version of it, say).
            yield f"it cannot be read: {error}"


def _torn_files(folder: Path, manifest: Manifest) -> Iterator[str]:
    present = set(files_under(folder)) - {MANIFEST}
    for name in sorted(present - set(manifest.files)):
        yield f"{name} does not belong to it"
    for name, expected in manifest.files.items():
        path = folder / name
        if name not in present:
            yield f"{name} is missing"
        elif path.stat().st_size != expected.size:
            yield f"{name} has {path.stat().st_size} bytes, expected {expected.size}"


def _changed_files(folder: Path, files: Mapping[str, FileStamp], thorough: bool) -> Iterator[str]:
    for name, expected in files.items():
        path = folder / name
        if sample_sha256(path) != expected.sample or (thorough and file_sha256(path) != expected.sha256):
            yield f"{name} has changed since it was written"


def _shifted_rows(folder: Path, record: SegmentRecord, dim: int, thorough: bool) -> Iterator[str]:
    """What of a segment does not belong together; without ``thorough`` only what is told in no time."""
    n, name = record.n_passages, record.name
    segment = Segment(folder / name, record)
    with closing(segment):
        database = segment.database
        counts = (record.n_documents, n, record.n_excluded)
        if database.counts() != counts or not database.rows_in_order():
            yield (
                f"{name}/{PASSAGES} holds {database.counts()} documents, passages, excluded; "
                f"expected {counts}"
            )
            return
        proofs: list[tuple[bytes, bytes]] = []
        if thorough:
            proofs = database.proofs()
            if order_sum(proofs) != record.order:
                yield f"the passages of {name}/{PASSAGES} are not in the order that was committed"
                return
            yield from _changed_texts(segment, proofs)
        lengths = {
            STARTS: (len(segment.starts), record.n_documents + 1),
            SENTENCE_STARTS: (len(segment.sentence_starts), n + 1),
            SENTENCES: (len(segment.sentences), record.n_sentences),
            EMBEDDED: (len(segment.embedded), n),
            LABELS: (len(segment.labels), n),
            BY_LABEL: (len(segment.by_label), n),
            LEXICAL: (segment.lexical.n, n),
            VECTORS: (segment.vectors.n, n),
        }
        wrong = [
            f"{name}/{file} holds {found}, expected {n}" for file, (found, n) in lengths.items() if found != n
        ]
        if segment.vectors.dim != dim:
            wrong.append(f"{name}/{VECTORS} holds vectors of {segment.vectors.dim}, expected {dim}")
        yield from wrong
        if thorough and not wrong:
            yield from _changed_vectors(segment, proofs)


def _changed_texts(segment: Segment, proofs: list[tuple[bytes, bytes]]) -> Iterator[str]:
    database = segment.database
    if database.starts() != segment.starts.tolist():
        yield f"{segment.record.name}/{STARTS} does not say where the documents' passages are"
        return
    row = 0
    for position in range(segment.record.n_documents):
        document = database.document(position)
        for found, start, end in database.ranges(position):
            if found != row or text_proof(document.text[start:end]) != proofs[row][0]:
                yield f"passage {found} of {segment.record.name} is not the text that was committed"
                return
            row += 1


def _changed_vectors(segment: Segment, proofs: list[tuple[bytes, bytes]]) -> Iterator[str]:
    starts, n = segment.sentence_starts, segment.record.n_passages
    if (np.diff(starts) < 0).any() or starts[0] != 0 or starts[-1] != segment.record.n_sentences:
        yield f"{segment.record.name}/{SENTENCE_STARTS} does not say where the passages' sentences are"
        return
    wrong = [row for row in range(n) if segment.embedding_proof(row) != proofs[row][1]]
    if wrong:
        yield (
            f"{len(wrong)} of {n} vectors of {segment.record.name} do not belong to their passage, "
            f"from row {wrong[0]} on"
        )
    order = segment.by_label.astype(np.int64)
    listed = np.array_equal(np.sort(order), np.arange(n))
    if not listed or (segment.labels[order[1:]] < segment.labels[order[:-1]]).any():
        yield f"{segment.record.name}/{BY_LABEL} does not list the passages by their labels"
