"""What a passage is indexed and read with: its document's title, date and the heading above it."""

from __future__ import annotations

from rag.records import Document, Passage
from rag.text.dates import long_date


def passage_header(document: Document, passage: Passage) -> str:
    """Title, date and heading in one line, parted by bars; empty when none is known."""
    known = (document.title, long_date(document.date) if document.date else None, passage.heading)
    distinct = dict.fromkeys(" ".join(part.split()) for part in known if part)
    return " | ".join(distinct)


def passage_context(document: Document, passage: Passage) -> str:
    """The text a passage is found by: its header, then its own words with white space evened out."""
    header, words = passage_header(document, passage), " ".join(passage.text.split())
    return f"{header} . {words}" if header else words
