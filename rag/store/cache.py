"""Vectors by content: what was embedded once is not embedded again, through interrupted runs too.

Only the holder of the store's lock opens it. It is a convenience: a damaged entry counts as absent, and a
damaged file is begun anew.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import numpy as np

from rag.store.proofs import Vectors

# What a run embedded and the new generation does not use: enough to undo an edit of some 60,000 passages.
SPARE_BYTES = 100_000_000
_BATCH = 500  # keys a query: SQLite allows 32,766 values, and took no less time with more

_SCHEMA = """
CREATE TABLE IF NOT EXISTS vectors (
    key BLOB PRIMARY KEY, vector BLOB NOT NULL, proof BLOB NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS vectors_by_use ON vectors (used);
"""


def embedding_key(fingerprint: str, text: str) -> bytes:
    """What names the vector of a text under an encoder.

    >>> embedding_key("e5", "a") == embedding_key("e", "5a")
    False
    """
    return hashlib.sha256(f"{fingerprint}\0{text}".encode("utf-8", "surrogatepass")).digest()


def _proof(key: bytes, vector: bytes) -> bytes:
    return hashlib.sha256(key + vector).digest()[:8]


def _batches(keys: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(keys), _BATCH):
        yield keys[start : start + _BATCH]


class EmbeddingCache:
    """The vectors kept beside the generations."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(mode=0o700, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        try:
            self._connection = self._connect()
        except sqlite3.DatabaseError as error:
            self._begin_anew(error)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None)
        try:
            connection.executescript(
                # Exclusive: there is one writer, and the log then needs no memory shared through a file.
                "PRAGMA auto_vacuum=INCREMENTAL; PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL;"
                "PRAGMA synchronous=NORMAL;" + _SCHEMA
            )
        except BaseException:
            connection.close()
            raise
        return connection

    def _begin_anew(self, error: sqlite3.DatabaseError) -> None:
        """Put an empty cache in place of a damaged one; whatever else ails it is the caller's."""
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise error
        if hasattr(self, "_connection"):
            self._connection.close()
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        self._connection = self._connect()

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()

    def fill(self, keys: Sequence[bytes], vectors: Vectors) -> list[int]:
        """Write the known vectors into ``vectors`` (n, d), row i for key i; returns the rows not known."""
        rows = {key: row for row, key in enumerate(keys)}
        missing = set(range(len(keys)))
        try:
            for batch in _batches(keys):
                marks = ",".join("?" * len(batch))
                for key, data, proof in self._connection.execute(
                    f"SELECT key, vector, proof FROM vectors WHERE key IN ({marks})", batch
                ):
                    if len(data) == 4 * vectors.shape[1] and proof == _proof(key, data):
                        vectors[rows[key]] = np.frombuffer(data, "<f4")
                        missing.discard(rows[key])
        except sqlite3.DatabaseError as error:
            self._begin_anew(error)
            return list(range(len(keys)))
        return sorted(missing)

    def put(self, keys: Sequence[bytes], vectors: Vectors, generation: int) -> None:
        """Keep vectors (n, d); once this returns they survive the process."""
        plain = np.ascontiguousarray(vectors, "<f4")
        blobs = [vector.tobytes() for vector in plain]
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(
                "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)",
                ((k, b, _proof(k, b), generation) for k, b in zip(keys, blobs, strict=True)),
            )

    def prune(self, used: Collection[bytes], generation: int, spare_bytes: int = SPARE_BYTES) -> None:
        """Forget what ``generation`` does not use, save the ``spare_bytes`` used most recently."""
        keys = list(used)
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            for batch in _batches(keys):
                marks = ",".join("?" * len(batch))
                self._connection.execute(
                    f"UPDATE vectors SET used = ? WHERE key IN ({marks}) AND used < ?",
                    (generation, *batch, generation),
                )
            self._connection.execute(
                "DELETE FROM vectors WHERE key IN (SELECT key FROM (SELECT key, sum(length(vector)) "
                "OVER (ORDER BY used DESC, key) AS total FROM vectors WHERE used < ?) WHERE total > ?)",
                (generation, spare_bytes),
            )
        self._connection.execute("PRAGMA incremental_vacuum")

    def __len__(self) -> int:
        (n,) = self._connection.execute("SELECT count(*) FROM vectors").fetchone()
        return int(n)
