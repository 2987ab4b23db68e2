"""Unit vectors in four bits a number: 192 bytes for 384 dims, an eighth of float32.

Each vector is divided by a step of its own, and each number rounded to a whole one from -7 to 7. The step is
not kept: it only stretches the vector, whose length is known to be 1. Of 384 numbers as encoders make them
what comes back has a cosine of .993 with what was packed.

Shapes: n vectors, q queries, d dims.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Packed = NDArray[np.uint8]  # (n, packed_width(d))

TOP = 7  # whole numbers from -TOP to TOP: nought stays nought, and a vector's opposite its opposite
ZERO = 8  # what half a byte holds for nought
# The largest number's share that still becomes TOP, larger ones being cut to it. A bell curve of 384 numbers
# loses least at about .75, a vector of few numbers that count at 1: each vector takes what suits it best.
SHARES = (1.0, 0.92, 0.84, 0.76, 0.68, 0.6, 0.52, 0.44)
ROWS = 4096  # vectors packed at a time, lest a large corpus fill the memory


def packed_width(dim: int) -> int:
    """How many bytes a vector takes.

    >>> packed_width(384), packed_width(3)
    (192, 2)
    """
    return (dim + 1) // 2


def pack(vectors: Vectors) -> Packed:
    """Vectors (n, d) as bytes (n, packed_width(d)); their lengths are lost.

    Byte i holds number i in its lower half, and number i + packed_width(d) in its upper half.

    >>> pack(np.array([[0.6, 0.0, -0.8]], np.float32)).tolist()  # 5, 0 and -7: 13 + 16 * 1, 8 + 16 * 8
    [[29, 136]]
    """
    n, dim = vectors.shape
    width = packed_width(dim)
    packed = np.empty((n, width), np.uint8)
    for start in range(0, n, ROWS):
        codes = np.full((len(vectors[start : start + ROWS]), 2 * width), ZERO, np.uint8)
        codes[:, :dim] = _codes(np.asarray(vectors[start : start + ROWS], np.float32)) + ZERO
        packed[start : start + ROWS] = codes[:, :width] | codes[:, width:] << 4
    return packed


def unpack(packed: Packed, dim: int) -> Vectors:
    """The unit vectors that were packed, nearly, (n, d); nought where they were nought.

    >>> unpack(pack(np.array([[0.6, 0.0, -0.8]], np.float32)), 3).round(2)
    array([[ 0.58,  0.  , -0.81]], dtype=float32)
    """
    vectors = np.empty((len(packed), 2 * packed_width(dim)), np.float32)
    np.subtract(packed & 15, ZERO, out=vectors[:, : packed_width(dim)], dtype=np.float32, casting="unsafe")
    np.subtract(packed >> 4, ZERO, out=vectors[:, packed_width(dim) :], dtype=np.float32, casting="unsafe")
    vectors = vectors[:, :dim]
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1)  # whole numbers: 1 or more, or 0
    return vectors


def scores(queries: Vectors, packed: Packed) -> Vectors:
    """The inner product of every query (q, d) with every packed vector, (q, n).

    >>> scores(np.eye(3, dtype=np.float32), pack(np.array([[0, 2, 0]], np.float32))).tolist()
    [[0.0], [1.0], [0.0]]
    """
    product: Vectors = queries @ unpack(packed, queries.shape[1]).T
    return product


def _codes(vectors: Vectors) -> NDArray[np.int8]:
    """The whole numbers that point most nearly where each vector points, (n, d)."""
    largest = np.abs(vectors).max(axis=1, initial=0, keepdims=True)
    per_step = TOP / np.where(largest > 0, largest, 1)  # (n, 1)
    best = np.zeros(vectors.shape, np.float32)
    nearest = np.full(len(vectors), -np.inf, np.float32)
    for share in SHARES:
        rounded = np.clip(np.rint(vectors * (per_step / share)), -TOP, TOP)
        lengths = np.sqrt(np.einsum("nd,nd->n", rounded, rounded))
        cosines = np.einsum("nd,nd->n", vectors, rounded) / np.maximum(
            lengths, 1
        )  # times the vector's length
        better = cosines > nearest
        best[better], nearest[better] = rounded[better], cosines[better]
    return best.astype(np.int8)
