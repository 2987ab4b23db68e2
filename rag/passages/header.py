"""What a passage is indexed and read with: its document's title, date, the heading above it and its lead."""

from __future__ import annotations

from rag.citations import date_at
from rag.records import Document, Passage
from rag.text.dates import long_date
from rag.text.english import ENGLISH
from rag.text.language import Language
from rag.text.markup import plain_words
from rag.text.sentences import sentences


def passage_lead(document: Document, passage: Passage) -> tuple[int, int] | None:
    """The range of the document outside a passage that it cannot be read without; None for most.

    A long list's or table's lead-in or header row stands in its first passage and belongs to all.
    """
    lead = document.lead_at(passage.start)
    return lead if lead is not None and lead[0] < passage.start else None


def passage_header(document: Document, passage: Passage, language: Language = ENGLISH) -> str:
    """Title, date, heading and lead in one line, parted by bars; empty when none is known."""
    lead, date = passage_lead(document, passage), date_at(document, passage.start)
    known = (
        document.title,
        long_date(date, language) if date else None,
        passage.heading,
        plain_words(document.text[slice(*lead)], document.media_type) if lead else None,
    )
    distinct = dict.fromkeys(" ".join(part.split()) for part in known if part)
    return " | ".join(distinct)


def passage_context(document: Document, passage: Passage, language: Language = ENGLISH) -> str:
    """The text a passage is found by: its header, then its own words with white space evened out."""
    return under_header(passage_header(document, passage, language), passage)


def under_header(header: str, passage: Passage) -> str:
    """A passage's own words, white space evened out, under a header made before; alone where that is empty.

    >>> under_header("Minutes", Passage("d", 0, 9, "It\\n shut."))
    'Minutes . It shut.'
    """
    words = " ".join(passage.text.split())
    return f"{header} . {words}" if header else words


def sentences_in_context(
    context: str, passage: Passage, language: Language = ENGLISH
) -> list[tuple[int, int]]:
    """Where each sentence of a passage stands in the text that `passage_context` made of it.

    >>> passage = Passage("d", 0, 22, "It\\n shut. Nobody\\tknew.")
    >>> context = under_header("Minutes", passage)
    >>> [context[start:end] for start, end in sentences_in_context(context, passage)]
    ['It shut.', 'Nobody knew.']
    """
    at = len(context) - len(" ".join(passage.text.split()))
    spans = []
    for start, end in sentences(passage.text, language):
        words = " ".join(passage.text[start:end].split())
        at = context.index(words, at)
        spans.append((at, at + len(words)))
        at += len(words)
    return spans
