"""The manifest: what a generation was made with, what it holds, and the sums that prove it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from rag.errors import StoreDamagedError, StoreFormatError, StoreMissingError
from rag.store.layout import CURRENT, FORMAT, MANIFEST, FileStamp, generation_folder, generations
from rag.text.sinks import shell_word, without_comment

_CURRENT = re.compile(r"(\d{6,}) ([0-9a-f]{64})\n")


def rebuild_hint(store: Path) -> str:
    """The command that makes a store anew from the documents it was made of."""
    return f"rag index --rebuild --store {shell_word(store)}  # embeddings are reused"


def repair_hint(store: Path) -> str:
    """The command that finds what of a damaged store is whole."""
    return f"rag doctor --repair --store {shell_word(store)}  # serves the newest generation that is whole"


@dataclass(frozen=True, slots=True)
class SegmentRecord:
    """One segment of a generation: a folder of that name, written once and shared by later generations.

    The counts are of what was written. ``dead`` are the positions of its documents that count no more,
    ascending: they were edited, moved or let go since. ``order`` is the sum over (row, passage text, vectors)
    that binds row i of every index to passage i.
    """

    name: str
    n_documents: int
    n_passages: int
    n_excluded: int
    n_sentences: int
    order: str
    dead: tuple[int, ...] = ()
    n_dead_passages: int = 0
    n_dead_excluded: int = 0


class Remembered(NamedTuple):
    """What a store remembers from run to run: see ``Manifest``."""

    roots: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation says of itself.

    ``settings`` are those that shape the index: with others it must be built again. ``rules`` is a sum over
    the code that reads and cuts documents: when it differs, the next run reads every file again. ``roots``
    are the paths the user indexed, ``excluded`` the patterns of what to leave out of them, ``kept`` the keys
    of boilerplate brought back. The counts are of what may be cited; the segments also hold what no longer
    counts.
    """

    format: int
    generation: int
    created: str
    rag_version: str
    encoder_name: str
    encoder_fingerprint: str
    dim: int
    settings: Mapping[str, object]
    rules: str
    roots: tuple[str, ...]
    kept: tuple[str, ...]
    n_documents: int
    n_passages: int
    n_excluded: int
    segments: tuple[SegmentRecord, ...]
    files: Mapping[str, FileStamp]
    excluded: tuple[str, ...] = ()

    @property
    def remembered(self) -> Remembered:
        """What the next run goes by."""
        return Remembered(self.roots, self.kept, self.excluded)

    @property
    def checksums(self) -> dict[str, str]:
        """The SHA-256 of every file of the generation."""
        return {name: file.sha256 for name, file in self.files.items()}

    @property
    def order(self) -> str:
        """One sum over every passage's text and vectors in their order, and over what no longer counts."""
        if len(self.segments) == 1 and not self.segments[0].dead:
            return self.segments[0].order
        told = json.dumps([[one.order, one.dead] for one in self.segments])
        return hashlib.sha256(told.encode("ascii")).hexdigest()

    @property
    def size(self) -> int:
        """Bytes of the whole generation, the manifest not counted."""
        return sum(file.size for file in self.files.values())

    def to_bytes(self) -> bytes:
        """As it stands on disk."""
        return (json.dumps(asdict(self), indent=1, sort_keys=True) + "\n").encode("ascii")

    @classmethod
    def from_bytes(cls, data: bytes, where: Path) -> Manifest:
        """The manifest in ``data``; its format is looked at before anything else.

        Raises StoreFormatError or StoreDamagedError, naming ``where``.
        """
        hint = rebuild_hint(where.parent.parent.parent)
        try:
            raw: dict[str, Any] = json.loads(data)
            found = raw["format"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise StoreDamagedError(f"{where} is not a manifest", hint) from None
        if found != FORMAT:
            raise StoreFormatError(
                f"the store was written in format {found!r}; this version reads format {FORMAT} ({where})",
                without_comment(hint) + "  # reads and embeds every document again",
            )
        try:
            raw["segments"] = tuple(
                SegmentRecord(**{**one, "dead": tuple(one["dead"])}) for one in raw["segments"]
            )
            raw["files"] = {name: FileStamp(**file) for name, file in raw["files"].items()}
            raw["roots"], raw["kept"] = tuple(raw["roots"]), tuple(raw["kept"])
            raw["excluded"] = tuple(raw.get("excluded", ()))
            return cls(**raw)
        except (KeyError, TypeError, AttributeError):
            raise StoreDamagedError(f"{where} lacks entries or has strange ones", hint) from None


def current_line(generation: int, manifest: bytes) -> bytes:
    """The one line of CURRENT: it names a generation and pins its manifest.

    >>> current_line(7, b"{}")[:20]
    b'000007 44136fa355b36'
    """
    return f"{generation:06d} {hashlib.sha256(manifest).hexdigest()}\n".encode("ascii")


def read_current(store: Path) -> tuple[int, str] | None:
    """The number of the generation served and the SHA-256 of its manifest; None when there is no store."""
    return read_pin(store / CURRENT, repair_hint(store))


def read_pin(path: Path, hint: str) -> tuple[int, str] | None:
    """The generation that a file's one line names, and the SHA-256 of its manifest; None without the file.

    Raises StoreDamagedError, with this hint, for any other line.
    """
    try:
        line = path.read_text("ascii")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnicodeDecodeError:
        line = ""
    match = _CURRENT.fullmatch(line)
    if not match:
        raise StoreDamagedError(f"{path} does not name a generation", hint)
    return int(match[1]), match[2]


def read_manifest(store: Path) -> Manifest:
    """The manifest of the generation served, proven to be the one committed."""
    current = read_current(store)
    if current is None and (there := generations(store)):
        raise StoreDamagedError(
            f"the store at {store} has lost the file {CURRENT}, which says which of its "
            f"{len(there)} generations is served",
            repair_hint(store),
        )
    if current is None:
        raise StoreMissingError(
            f"there is no store at {store}", f"rag index PATH --store {shell_word(store)}"
        )
    return pinned_manifest(store, current, rebuild_hint(store))


def pinned_manifest(store: Path, pin: tuple[int, str], hint: str) -> Manifest:
    """The manifest of the generation that a pin names, proven to be the one committed.

    Raises StoreDamagedError, with this hint, where it is gone or another, and StoreFormatError.
    """
    number, expected = pin
    path = generation_folder(store, number) / MANIFEST
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise StoreDamagedError(f"generation {number} of the store has no {path}", hint) from None
    manifest = Manifest.from_bytes(data, path)
    if hashlib.sha256(data).hexdigest() != expected or manifest.generation != number:
        raise StoreDamagedError(f"{path} is not the manifest that was committed", hint)
    return manifest


def read_files(folder: Path) -> Mapping[str, FileStamp]:
    """The stamps of a committed generation's files, by name."""
    path = folder / MANIFEST
    return Manifest.from_bytes(path.read_bytes(), path).files


def remembered(store: Path) -> Remembered:
    """What a store remembers that need not be whole or of this format; empty where it is lost.

    It is that of the generation served; where that one does not say, of the newest that does.
    """
    try:
        current = read_current(store)
    except (StoreDamagedError, OSError):
        current = None
    newest_first = generations(store)[::-1]
    for number in ([current[0]] if current else []) + newest_first:
        try:
            raw = json.loads((generation_folder(store, number) / MANIFEST).read_bytes())
            lists = [raw.get(name) for name in Remembered._fields]
        except (OSError, ValueError, AttributeError, RecursionError):
            continue
        found = Remembered(
            *(
                tuple(item for item in listed if isinstance(item, str)) if isinstance(listed, list) else ()
                for listed in lists
            )
        )
        if found.roots:
            return found
    return Remembered()
