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


def embedding_proof(key: bytes, vector: bytes, sentences: bytes) -> bytes:
    """Sixteen bytes that bind what was embedded, by its key, to the vectors it got."""
    return hashlib.sha256(key + vector + sentences).digest()[:PROOF_BYTES]


def order_sum(proofs: Iterable[tuple[bytes, bytes]]) -> str:
    """One sum over (row, text proof, vector proof): it changes when any two rows change places.

    >>> order_sum([(b"a", b"1"), (b"b", b"2")]) == order_sum([(b"a", b"2"), (b"b", b"1")])
    False
    """
    digest = hashlib.sha256()
    for row, (text, vector) in enumerate(proofs):
        digest.update(row.to_bytes(8, "little") + text + vector)
    return digest.hexdigest()
