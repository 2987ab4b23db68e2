"""What one loader hands back, before it becomes a Document."""

from __future__ import annotations

from dataclasses import dataclass

from rag.records import Heading, Place


class UnreadableError(Exception):
    """A file's content cannot be read: the reason in plain words, and what the user can do."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Draft:
    """A file's decoded content. The fields are those of a Document that come from the content."""

    text: str
    media_type: str
    title: str | None = None
    date: str | None = None
    encoding: str | None = None
    places: tuple[Place, ...] = ()
    headings: tuple[Heading, ...] = ()
    notes: tuple[str, ...] = ()
