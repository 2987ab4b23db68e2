"""What a passage is indexed and read with: its document's title, date and the heading above it."""

from __future__ import annotations

from rag.records import Document, Passage
from rag.text.dates import long_date
from rag.text.english import ENGLISH
from rag.text.language import Language


def passage_header(document: Document, passage: Passage, language: Language = ENGLISH) -> str:
    """Title, date and heading in one line, parted by bars; empty when none is known."""
    date = long_date(document.date, language) if document.date else None
    known = (document.title, date, passage.heading)
    distinct = dict.fromkeys(" ".join(part.split()) for part in known if part)
    return " | ".join(distinct)


def passage_context(document: Document, passage: Passage, language: Language = ENGLISH) -> str:
    """The text a passage is found by: its header, then its own words with white space evened out."""
    header = passage_header(document, passage, language)
    words = " ".join(passage.text.split())
    return f"{header} . {words}" if header else words
