"""Sentence vectors packed small: INTERIM fp16, replaced on merge."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def width(dim: int) -> int:
    """Bytes of a packed vector."""
    return 2 * dim


def pack(vectors: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Vectors (s, d) as bytes (s, width)."""
    return np.ascontiguousarray(vectors, "<f2").view(np.uint8).reshape(len(vectors), width(vectors.shape[1]))


def scores(query: NDArray[np.float32], packed: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The inner product of a query (d,) with each packed vector, (s,)."""
    found: NDArray[np.float32] = packed.view("<f2").astype(np.float32) @ query
    return found
