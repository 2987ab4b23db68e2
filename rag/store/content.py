"""What a generation holds, arranged: documents by path, one row for every passage that may be cited."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from rag.records import Document, Passage, sha256_text


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file as it was when it was read; times are nanoseconds since 1970, ``checked_ns`` our own clock."""

    path: str
    sha256: str
    size: int
    mtime_ns: int
    ctime_ns: int
    checked_ns: int


@dataclass(frozen=True, slots=True)
class Source:
    """What is known of a document without reading it."""

    id: str
    file: FileRow
    media_type: str
    title: str | None
    date: str | None
    n_chars: int

    @property
    def path(self) -> str:
        """Where its file stands."""
        return self.file.path

    @property
    def sha256(self) -> str:
        """The SHA-256 of its file, as indexed."""
        return self.file.sha256


@dataclass(frozen=True, slots=True)
class Entry:
    """A document, its file, and all its passages as they were split, boilerplate marked."""

    document: Document
    file: FileRow
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """Rows in order. ``reasons[i]`` says why row i would be kept out, had the user not brought it back."""

    entries: tuple[Entry, ...]
    passages: tuple[Passage, ...]
    reasons: tuple[str | None, ...]
    excluded: tuple[Passage, ...]


def boilerplate_key(text: str) -> str:
    """What names a boilerplate text to bring it back: the same for the same words, whatever their spacing.

    >>> boilerplate_key("We use  cookies.") == boilerplate_key("we use\\ncookies.")
    True
    """
    return sha256_text(" ".join(text.casefold().split()))[:12]


def arrange(entries: Iterable[Entry], kept: Collection[str] = ()) -> Content:
    """Documents by path, their passages by place; boilerplate set aside unless its key is in ``kept``."""
    ordered = tuple(sorted(entries, key=lambda entry: entry.document.path))
    passages: list[Passage] = []
    reasons: list[str | None] = []
    excluded: list[Passage] = []
    for entry in ordered:
        for passage in sorted(entry.passages, key=lambda p: (p.start, p.end)):
            if passage.boilerplate is not None and boilerplate_key(passage.text) not in kept:
                excluded.append(passage)
                continue
            passages.append(replace(passage, boilerplate=None))
            reasons.append(passage.boilerplate)
    return Content(ordered, tuple(passages), tuple(reasons), tuple(excluded))
