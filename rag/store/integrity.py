"""Proof that a generation is whole, and that row i of every index belongs to passage i."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from embeddings.index import VectorIndex
from rag.errors import StoreDamagedError
from rag.files import file_sha256
from rag.retrieval.lexical import LexicalIndex
from rag.store.database import Database
from rag.store.layout import (
    LEXICAL,
    MANIFEST,
    PASSAGES,
    VECTORS,
    files_under,
    sample_sha256,
    view_file,
    view_rows_file,
)
from rag.store.manifest import Manifest
from rag.store.proofs import Rows, order_sum, text_proof, vector_proofs, view_sum

# Up to here every byte is summed when a store is opened (about .2 s); above, samples and the rows' sums are.
THOROUGH_BYTES = 200_000_000


def faults(
    folder: Path, manifest: Manifest, *, thorough: bool | None = None, contents: bool = True
) -> Iterator[str]:
    """What is wrong with a generation, in words, nearest cause first; nothing when it is whole.

    ``thorough`` None leaves it to the size of the store; without ``contents`` only names and sizes are looked
    at. What later checks would stumble over stops them.
    """
    if thorough is None:
        thorough = manifest.size <= THOROUGH_BYTES
    torn = list(_torn_files(folder, manifest))
    if contents and not torn:
        torn = list(_changed_files(folder, manifest, thorough))
    yield from torn
    if contents and not torn:
        try:
            yield from _shifted_rows(folder, manifest, thorough)
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


def _changed_files(folder: Path, manifest: Manifest, thorough: bool) -> Iterator[str]:
    for name, expected in manifest.files.items():
        path = folder / name
        if sample_sha256(path) != expected.sample or (thorough and file_sha256(path) != expected.sha256):
            yield f"{name} has changed since it was written"


def _shifted_rows(folder: Path, manifest: Manifest, thorough: bool) -> Iterator[str]:
    n = manifest.n_passages
    with closing(Database(folder / PASSAGES)) as database:
        counts = (manifest.n_documents, n, manifest.n_excluded)
        if database.counts() != counts or not database.rows_in_order():
            yield f"{PASSAGES} holds {database.counts()} documents, passages, excluded; expected {counts}"
            return
        proofs = database.proofs()
        if order_sum(proofs) != manifest.order:
            yield f"the passages of {PASSAGES} are not in the order that was committed"
            return
        if thorough:
            yield from _changed_texts(database, proofs)
    index = VectorIndex.open(folder / VECTORS)
    if (index.n, index.dim) != (n, manifest.dim):
        yield f"{VECTORS} holds {index.n} vectors of {index.dim}, expected {n} of {manifest.dim}"
    elif thorough:
        found = vector_proofs(index.vectors())
        wrong = [row for row, proof in enumerate(proofs) if found[row] != proof[1]]
        if wrong:
            yield f"{len(wrong)} of {n} vectors do not belong to their passage, from row {wrong[0]} on"
    yield from _wrong_views(folder, manifest, thorough)
    lexical = LexicalIndex.open(folder / LEXICAL)
    if lexical.n != n:
        yield f"{LEXICAL} holds {lexical.n} texts, expected {n}"


def _changed_texts(database: Database, proofs: list[tuple[bytes, bytes]]) -> Iterator[str]:
    row = 0
    for document_id in database.document_ids():
        document = database.document(document_id)
        assert document is not None
        ranges = database.rows(
            'SELECT row, start, "end" FROM passages WHERE document_id = ? ORDER BY row', (document_id,)
        )
        for found, start, end in ranges:
            if found != row or text_proof(document.text[start:end]) != proofs[row][0]:
                yield f"passage {found} is not the text that was committed"
                return
            row += 1


def read_view_rows(folder: Path, name: str) -> Rows:
    """The passage row of each vector of a view."""
    rows: Rows = np.load(folder / view_rows_file(name), allow_pickle=False)
    return rows


def _wrong_views(folder: Path, manifest: Manifest, thorough: bool) -> Iterator[str]:
    for name, view in manifest.views.items():
        index, rows = VectorIndex.open(folder / view_file(name)), read_view_rows(folder, name)
        if (index.n, index.dim, len(rows)) != (view.n, manifest.dim, view.n):
            yield f"view {name!r} holds {index.n} vectors for {len(rows)} rows, expected {view.n}"
        elif view.n and not (rows.min() >= 0 and rows.max() < manifest.n_passages):
            yield f"view {name!r} names passages that do not exist"
        elif thorough and view_sum(index.vectors(), rows) != view.order:
            yield f"the vectors of view {name!r} do not belong to their passages"
