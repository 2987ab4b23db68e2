"""Citations: from characters of a passage to a quotation anyone can check.

The one place where passage characters become document characters, and document characters a page and line.
"""

from __future__ import annotations

import os
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence

from rag.files import file_sha256
from rag.records import BlockKind, Citation, Document, Freshness, Lead, Location, Passage, sha256_text

_MAILBOX = "application/mbox"
_DATE_LINE = re.compile(r"^Date: (.{1,200})$", re.MULTILINE)


def locate(document: Document, offset: int) -> tuple[int | None, int | None]:
    """The page and line (1-based, None where unknown) at which a character of the document stands.

    >>> locate(Document("d", "/a.txt", "", "text/plain", "one\\ntwo"), 4)
    (None, 2)
    """
    if not document.places:
        return None, document.text.count("\n", 0, offset) + 1
    number = bisect_right(document.places, offset, key=lambda place: place.start) - 1
    if number < 0:
        return None, None
    return document.places[number].page, document.places[number].line


def date_at(document: Document, offset: int) -> str | None:
    """The date of the words at a character: the document's own, in a mailbox that of the message.

    None where a message says none; the date of the mailbox is that of its newest.

    >>> from rag.records import Block, Place
    >>> text = "News\\nDate: 3 May 2016 10:00:00 +0000\\n\\nYes."
    >>> blocks = Block(BlockKind.HEADING, 0, 4, 1), Block(BlockKind.LINES, 5, 36)
    >>> box = Document(
    ...     "d", "/d", "0", _MAILBOX, text, date="2019-01-01", places=(Place(0, page=1),), blocks=blocks
    ... )
    >>> date_at(box, 38)
    '2016-05-03'
    """
    if document.media_type != _MAILBOX:
        return document.date
    number = bisect_right(document.places, offset, key=lambda place: place.start) - 1
    if number < 0:
        return None
    start = document.places[number].start
    head = bisect_left(document.blocks, start, key=lambda block: block.start)
    for block in document.blocks[head : head + 2]:  # a subject, and what is known of the message
        said = _DATE_LINE.search(document.text, block.start, block.end)
        if block.kind is BlockKind.LINES and block.start <= offset and said:
            return _day(said[1])
    return None


def _day(text: str) -> str | None:
    """The ISO day that the date of a message names, as the standard for mail writes it."""
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(text).date().isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def marked_parts(quote: str, marks: Iterable[tuple[int, int]]) -> Iterator[tuple[str, bool]]:
    """The parts of a quotation in order, each with whether it is marked; none is empty, overlaps count once.

    >>> list(marked_parts("It was decommissioned.", [(7, 21), (0, 2), (9, 12)]))
    [('It', True), (' was ', False), ('decommissioned', True), ('.', False)]
    """
    at = 0
    for start, end in sorted(marks):
        begin, stop = max(start, at), max(end, at)
        if quote[at:begin]:
            yield quote[at:begin], False
        if quote[begin:stop]:
            yield quote[begin:stop], True
        at = stop
    if quote[at:]:
        yield quote[at:], False


def location(document: Document, start: int, end: int) -> Location:
    """Where a range of the document stands."""
    page, line = locate(document, start)
    return Location(document.path, start, end, line, page)


def freshness(path: str, sha256: str, size: int | None = None) -> Freshness:
    """How the file at ``path`` stands against the hash, and the size where known, it was indexed with.

    With ``size`` a file of another size is not read.
    """
    try:
        if size is not None and os.stat(path).st_size != size:
            return Freshness.EDITED if os.path.isfile(path) else Freshness.UNREADABLE
        found = file_sha256(path)
    except (FileNotFoundError, NotADirectoryError):
        return Freshness.MISSING
    except (OSError, ValueError):
        return Freshness.UNREADABLE
    return Freshness.UNCHANGED if found == sha256 else Freshness.EDITED


def cite(
    document: Document,
    passage: Passage,
    quote: tuple[int, int],
    marks: Sequence[tuple[int, int]],
    *,
    score: float,
    fresh: Freshness,
    also_in: Sequence[Location] = (),
) -> Citation:
    """A citation of characters ``quote`` of the passage, with ``marks`` (passage characters too) inside it.

    Marks are cut to the quotation; one wholly outside it is dropped.
    """
    start, end = quote
    text = passage.text[start:end]
    inside = [(max(a, start) - start, min(b, end) - start) for a, b in marks]
    page, line = locate(document, passage.start + start)
    lead = document.lead_at(passage.start + start)
    return Citation(
        document=document.path,
        sha256=document.sha256,
        start=passage.start + start,
        end=passage.start + end,
        quote=text,
        quote_sha256=sha256_text(text),
        line=line,
        page=page,
        heading=passage.heading,
        title=document.title,
        date=date_at(document, passage.start + start),
        freshness=fresh,
        score=score,
        marks=tuple(sorted((a, b) for a, b in inside if a < b)),
        also_in=tuple(also_in),
        lead=Lead(*lead, document.text[slice(*lead)]) if lead else None,
        media_type=document.media_type,
    )
