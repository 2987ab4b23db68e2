"""Documents and passages of one segment in SQLite: written once, then only read.

A document's position in its segment is the number everything else knows it by.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import zlib
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rag.errors import StoreDamagedError
from rag.records import Block, BlockKind, Document, Passage, Place
from rag.store.content import Content, Entry, FileRow, Source, boilerplate_key
from rag.store.manifest import rebuild_hint
from rag.store.proofs import text_proof

# A passage's words are a slice of its document's text and stand nowhere else. Text that came with half a
# surrogate pair is no UTF-8, so every text goes in as bytes under the name of text; a document's own, its
# places and its blocks are deflated, to some two fifths.
_SCHEMA = """
CREATE TABLE documents (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, path TEXT NOT NULL UNIQUE, sha256 TEXT NOT NULL,
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, checked_ns INTEGER NOT NULL,
    media_type TEXT NOT NULL, title TEXT, date TEXT, encoding TEXT, n_chars INTEGER NOT NULL,
    text BLOB NOT NULL, places BLOB NOT NULL, blocks BLOB NOT NULL, notes TEXT NOT NULL);
CREATE TABLE passages (
    row INTEGER PRIMARY KEY, document INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    heading TEXT, reason TEXT, text_proof BLOB NOT NULL, vector_proof BLOB NOT NULL);
CREATE TABLE excluded (
    position INTEGER PRIMARY KEY, document INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    heading TEXT, reason TEXT NOT NULL, key TEXT NOT NULL);
CREATE INDEX passages_of_documents ON passages (document);
CREATE INDEX excluded_of_documents ON excluded (document);
"""
_DOCUMENT = "id, path, sha256, media_type, title, date, encoding, text, places, blocks, notes"
_FILE = "path, sha256, size, mtime_ns, ctime_ns, checked_ns"


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode("utf-8", "surrogatepass")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


def write_database(path: Path, content: Content, vector_proofs: Sequence[bytes]) -> list[bytes]:
    """Write a segment's documents and passages; returns each row's text proof. The caller syncs."""
    proofs = [text_proof(passage.text) for passage in content.passages]
    place = {entry.document.id: position for position, entry in enumerate(content.entries)}
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        # Nobody reads this file before its folder is renamed, so a journal would protect nothing.
        connection.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;" + _SCHEMA)
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO documents VALUES (?, ?, CAST(? AS TEXT), ?, ?, ?, ?, ?, ?, CAST(? AS TEXT), "
            "?, ?, ?, ?, ?, ?, ?)",
            ((position, *_document_row(entry)) for position, entry in enumerate(content.entries)),
        )
        connection.executemany(
            "INSERT INTO passages VALUES (?, ?, ?, ?, CAST(? AS TEXT), ?, ?, ?)",
            (
                (row, place[p.document_id], p.start, p.end, _bytes(p.heading), reason, text, vector)
                for row, (p, reason, text, vector) in enumerate(
                    zip(content.passages, content.reasons, proofs, vector_proofs, strict=True)
                )
            ),
        )
        connection.executemany(
            "INSERT INTO excluded VALUES (?, ?, ?, ?, CAST(? AS TEXT), ?, ?)",
            (
                (
                    i,
                    place[p.document_id],
                    p.start,
                    p.end,
                    _bytes(p.heading),
                    p.boilerplate,
                    boilerplate_key(p.text),
                )
                for i, p in enumerate(content.excluded)
            ),
        )
        connection.execute("COMMIT")
    return proofs


def _document_row(entry: Entry) -> tuple[object, ...]:
    document, file = entry.document, entry.file
    return (
        document.id,
        _bytes(document.path),
        document.sha256,
        file.size,
        file.mtime_ns,
        file.ctime_ns,
        file.checked_ns,
        document.media_type,
        _bytes(document.title),
        document.date,
        document.encoding,
        len(document.text),
        zlib.compress(document.text.encode("utf-8", "surrogatepass")),
        _deflated([[p.start, p.page, p.line] for p in document.places]),
        _deflated([_block_row(block) for block in document.blocks]),
        json.dumps(document.notes),
    )


def _deflated(value: object) -> bytes:
    return zlib.compress(json.dumps(value, separators=(",", ":")).encode("ascii"))


def _inflated(data: bytes) -> Any:
    return json.loads(zlib.decompress(data))


def _block_row(block: Block) -> list[object]:
    """A block as a list whose last values are left out where they are the usual ones."""
    row: list[object] = [block.kind, block.start, block.end, block.level, block.notice, block.lead]
    while row[-1] is None or row[-1] == 0:
        row.pop()
    return row


def _block(
    kind: str,
    start: int,
    end: int,
    level: int = 0,
    notice: str | None = None,
    lead: tuple[int, int] | None = None,
) -> Block:
    return Block(BlockKind(kind), start, end, level, notice, (lead[0], lead[1]) if lead else None)


class Database:
    """Reads one segment; several threads may share it. Closed by ``close`` or when it is collected."""

    def __init__(self, path: Path) -> None:
        # immutable: no lock and no journal is looked for, so a read-only disk serves as well.
        uri = f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1"
        try:
            self._connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
        except sqlite3.Error as error:
            raise StoreDamagedError(
                f"{path} cannot be opened: {error}", rebuild_hint(path.parents[3])
            ) from error
        self._connection.text_factory = _text
        self._path = path
        self._lock = threading.Lock()

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()

    def rows(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        """Every row of a query. Raises StoreDamagedError where the file is not what SQLite expects."""
        try:
            with self._lock:
                return self._connection.execute(query, values).fetchall()
        except sqlite3.ProgrammingError:
            raise  # asked after ``close``, say: a defect of ours, not of the file
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> StoreDamagedError:
        return StoreDamagedError(f"{self._path} cannot be read: {error}", rebuild_hint(self._path.parents[3]))

    def counts(self) -> tuple[int, int, int]:
        """How many documents, passages and excluded passages there are."""
        (found,) = self.rows(
            "SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM passages), "
            "(SELECT count(*) FROM excluded)"
        )
        return found[0], found[1], found[2]

    def rows_in_order(self) -> bool:
        """Whether the rows of the passages are 0, 1, 2 and so on."""
        ((n, low, high),) = self.rows("SELECT count(*), min(row), max(row) FROM passages")
        return bool(n == 0 or (low == 0 and high == n - 1))

    def position(self, document_id: str) -> int | None:
        """Where a document stands in the segment; None where it does not."""
        found = self.rows("SELECT position FROM documents WHERE id = ?", (document_id,))
        return found[0][0] if found else None

    def document_id(self, position: int) -> str:
        """The id of the document at a position."""
        return str(self.rows("SELECT id FROM documents WHERE position = ?", (position,))[0][0])

    def document(self, position: int) -> Document:
        """The document at a position, with its text."""
        (row,) = self.rows(f"SELECT {_DOCUMENT} FROM documents WHERE position = ?", (position,))
        try:
            return _document(*row)
        except (zlib.error, ValueError, TypeError) as error:
            raise self._damaged(error) from error

    def sources(self) -> list[Source]:
        """What is known of every document but its text, by position."""
        found = self.rows(
            f"SELECT id, {_FILE}, media_type, title, date, n_chars FROM documents ORDER BY position"
        )
        return [Source(row[0], FileRow(*row[1:7]), *row[7:]) for row in found]

    def starts(self) -> list[int]:
        """The first row of each document, by position, and at the end how many rows there are."""
        counted = dict(self.rows("SELECT document, count(*) FROM passages GROUP BY document"))
        ((n_documents,),) = self.rows("SELECT count(*) FROM documents")
        starts = [0]
        for position in range(n_documents):
            starts.append(starts[-1] + counted.get(position, 0))
        return starts

    def proofs(self) -> list[tuple[bytes, bytes]]:
        """Text proof and vector proof of every passage, by row."""
        return self.rows("SELECT text_proof, vector_proof FROM passages ORDER BY row")

    def ranges(self, position: int) -> list[tuple[int, int, int]]:
        """Row, start and end of each passage of a document, by row."""
        return self.rows(
            'SELECT row, start, "end" FROM passages WHERE document = ? ORDER BY row', (position,)
        )

    def passage(self, row: int) -> tuple[int, int, int, str | None, bytes, bytes] | None:
        """Position of the document, start, end, heading, text proof and vector proof of a row."""
        found = self.rows(
            'SELECT document, start, "end", heading, text_proof, vector_proof FROM passages WHERE row = ?',
            (row,),
        )
        return found[0] if found else None

    def split_passages(self, position: int, document: Document) -> tuple[Passage, ...]:
        """All passages of a document as they were split, boilerplate marked, in order of place."""
        found = self.rows(
            'SELECT start, "end", heading, reason FROM passages WHERE document = ? UNION ALL '
            'SELECT start, "end", heading, reason FROM excluded WHERE document = ? ORDER BY 1, 2',
            (position, position),
        )
        return tuple(
            Passage(document.id, start, end, document.text[start:end], heading, reason)
            for start, end, heading, reason in found
        )

    def excluded(self) -> list[tuple[int, int, int, str | None, str]]:
        """Position of the document, start, end, heading and reason of every passage kept out."""
        return self.rows('SELECT document, start, "end", heading, reason FROM excluded ORDER BY position')

    def n_excluded_of(self, position: int) -> int:
        """How many passages of a document are kept out."""
        return int(self.rows("SELECT count(*) FROM excluded WHERE document = ?", (position,))[0][0])

    def boilerplate_keys(self) -> set[str]:
        """The key of every text that is kept out, or would be had the user not brought it back."""
        keys = {row[0] for row in self.rows("SELECT DISTINCT key FROM excluded")}
        brought = self.rows('SELECT document, start, "end" FROM passages WHERE reason IS NOT NULL')
        texts = {position: self.document(position).text for position in {each[0] for each in brought}}
        return keys | {boilerplate_key(texts[position][start:end]) for position, start, end in brought}


def _document(
    document_id: str,
    path: str,
    sha256: str,
    media_type: str,
    title: str | None,
    date: str | None,
    encoding: str | None,
    text: bytes,
    places: bytes,
    blocks: bytes,
    notes: str,
) -> Document:
    return Document(
        id=document_id,
        path=path,
        sha256=sha256,
        media_type=media_type,
        text=_text(zlib.decompress(text)),
        title=title,
        date=date,
        encoding=encoding,
        places=tuple(Place(*place) for place in _inflated(places)),
        blocks=tuple(_block(*row) for row in _inflated(blocks)),
        notes=tuple(json.loads(notes)),
    )
