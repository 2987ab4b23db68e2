"""What a passage is indexed and read with: its document's title, date and the heading above it."""

from __future__ import annotations

from datetime import date

from rag.records import Document, Passage


def long_date(iso: str) -> str:
    """An ISO date as people write it, so that "in March 2017" finds a document dated 2017-03-22.

    >>> long_date("2017-03-22"), long_date("2017-03"), long_date("2017")
    ('22 March 2017', 'March 2017', '2017')
    """
    parts = [int(part) for part in iso.split("-")]
    if len(parts) == 1:
        return iso
    month = f"{date(parts[0], parts[1], 1):%B} {parts[0]}"
    return month if len(parts) == 2 else f"{parts[2]} {month}"


def passage_header(document: Document, passage: Passage) -> str:
    """Title, date and heading in one line, parted by bars; empty when none is known."""
    known = (document.title, long_date(document.date) if document.date else None, passage.heading)
    distinct = dict.fromkeys(" ".join(part.split()) for part in known if part)
    return " | ".join(distinct)


def passage_context(document: Document, passage: Passage) -> str:
    """The text a passage is found by: its header, then its own words with white space evened out."""
    header, words = passage_header(document, passage), " ".join(passage.text.split())
    return f"{header} . {words}" if header else words
