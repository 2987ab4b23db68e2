"""The sums that bind row i of the vectors to passage i."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Rows = NDArray[np.int64]

PROOF_BYTES = 16


def text_proof(text: str) -> bytes:
    """Sixteen bytes that know a text again."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:PROOF_BYTES]


def vector_proofs(vectors: Vectors) -> list[bytes]:
    """Sixteen bytes for each vector (n, d)."""
    plain = np.ascontiguousarray(vectors, "<f4")
    return [hashlib.sha256(vector.data).digest()[:PROOF_BYTES] for vector in plain]


def order_sum(proofs: Iterable[tuple[bytes, bytes]]) -> str:
    """One sum over (row, text proof, vector proof): it changes when any two rows change places.

    >>> order_sum([(b"a", b"1"), (b"b", b"2")]) == order_sum([(b"a", b"2"), (b"b", b"1")])
    False
    """
    digest = hashlib.sha256()
    for row, (text, vector) in enumerate(proofs):
        digest.update(row.to_bytes(8, "little") + text + vector)
    return digest.hexdigest()


def view_sum(vectors: Vectors, rows: Rows) -> str:
    """One sum over a view's vectors and the passage row of each."""
    digest = hashlib.sha256(np.ascontiguousarray(rows, "<i8").data)
    digest.update(np.ascontiguousarray(vectors, "<f4").data)
    return digest.hexdigest()
