"""The records that carry everything from a file to an answer.

Offsets are half-open and count Python ``str`` indices. A record is checked when it is made: one that
breaks its invariant cannot exist.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

EXTRACTOR_CHARS = 16  # of the sum over the code that reads documents, by which an answer names it


def sha256_text(text: str) -> str:
    """The SHA-256 of a text's UTF-8 bytes, in hexadecimal.

    >>> sha256_text("trust")[:12]
    'f796e2f28ae5'
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _check_range(start: int, end: int, limit: int | None = None) -> None:
    if not 0 <= start < end or (limit is not None and end > limit):
        raise ValueError(f"a range must be non-empty and inside its text: got {start}..{end} of {limit}")


@dataclass(frozen=True, slots=True)
class Place:
    """From character ``start`` on, a document's text is on this page and line (from 1; None: unknown)."""

    start: int
    page: int | None = None
    line: int | None = None


class BlockKind(StrEnum):
    """What a block of a document is, as its format says or, in plain text and PDF, as its lines look."""

    TITLE = "title"
    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list item"
    TABLE_HEADER = "table header"
    TABLE_ROW = "table row"
    QUOTATION = "quotation"
    CODE = "code"
    CAPTION = "caption"
    TERM = "term"
    DEFINITION = "definition"
    LINES = "lines"  # an address, a byline, names under a letter
    DATE = "date"  # such lines that open with a date
    GREETING = "greeting"  # such lines with "Dear Ms Crane"
    CLOSING = "closing"  # such lines with "Yours sincerely"


@dataclass(frozen=True, slots=True)
class Block:
    """Characters of a document that its author set apart, without white space around them.

    ``level`` is a heading's (1 is the highest) or an item's depth in nested lists (1 is the outermost), else
    0. ``notice`` names why a block is no part of what the document says ("cookie notice"), or is None.
    ``lead`` is the range of what a block cannot be read without: a list's lead-in, a table's header row, a
    definition's term.
    """

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    notice: str | None = None
    lead: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        _check_range(self.start, self.end)
        if self.lead is not None:
            _check_range(*self.lead, self.start)


@dataclass(frozen=True, slots=True)
class Document:
    """One file as it was decoded; later stages slice ``text`` and never rewrite it.

    ``path`` is absolute. ``date`` is ISO 8601 (``2017-03-22``, or ``2017-03`` or ``2017`` where no more is
    said) or None. ``places`` is sorted by start and is empty for plain text, whose lines are counted from its
    line breaks. ``blocks`` are in order, do not overlap and leave out nothing but white space and what only
    divides (a rule, a table's line of dashes). ``notes`` are what the loader had to decide ("decoded as
    cp1252"), each a short sentence for the indexing report.
    """

    id: str
    path: str
    sha256: str
    media_type: str
    text: str
    title: str | None = None
    date: str | None = None
    encoding: str | None = None
    places: tuple[Place, ...] = ()
    blocks: tuple[Block, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        at = 0
        for block in self.blocks:
            if not at <= block.start < block.end <= len(self.text):
                raise ValueError(
                    f"blocks must stand in order inside their text: got {block.start}..{block.end} "
                    f"after {at} of {len(self.text)}"
                )
            at = block.end

    def lead_at(self, offset: int) -> tuple[int, int] | None:
        """The range of what the block at a character cannot be read without; None for most.

        >>> blocks = Block(BlockKind.TERM, 0, 4), Block(BlockKind.DEFINITION, 5, 9, lead=(0, 4))
        >>> Document("d", "/d.md", "0", "text/markdown", "Pier walk", blocks=blocks).lead_at(6)
        (0, 4)
        """
        row = bisect_right(self.blocks, offset, key=lambda block: block.start) - 1
        return self.blocks[row].lead if row >= 0 and offset < self.blocks[row].end else None


@dataclass(frozen=True, slots=True)
class Passage:
    """A slice of a document that is found and cited as one: ``document.text[start:end] == text``.

    ``heading`` is the nearest heading above it. ``boilerplate`` names why the passage is kept out of
    answers ("cookie notice"), or is None for a passage that may be cited.
    """

    document_id: str
    start: int
    end: int
    text: str
    heading: str | None = None
    boilerplate: str | None = None

    def __post_init__(self) -> None:
        _check_range(self.start, self.end)
        if len(self.text) != self.end - self.start:
            raise ValueError(
                f"passage text has {len(self.text)} characters, its range {self.end - self.start}"
            )


@dataclass(frozen=True, slots=True)
class Ranked:
    """What one ranker said of a passage: its place in that ranker's list (1 is best) and its own score."""

    ranker: str
    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage in a ranked list. The place in the list is the rank; scores compare only within one list.

    ``row`` is the passage's row in its store's generation. ``ranked`` keeps every ranker's word.
    ``duplicates`` are passages with the same words elsewhere, answered once through this one.
    """

    passage: Passage
    row: int
    score: float
    ranker: str
    ranked: tuple[Ranked, ...] = ()
    duplicates: tuple[Passage, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """Characters ``start``..``end`` of a passage, with the score of whoever marked them."""

    passage: Passage
    start: int
    end: int
    score: float

    def __post_init__(self) -> None:
        _check_range(self.start, self.end, len(self.passage.text))

    @property
    def text(self) -> str:
        """The marked words."""
        return self.passage.text[self.start : self.end]


class Freshness(StrEnum):
    """How a cited file stands against what was indexed."""

    UNCHANGED = "unchanged"
    EDITED = "edited"
    MISSING = "missing"
    UNREADABLE = "unreadable"  # there, but not to be read: no permission, or no regular file any more


@dataclass(frozen=True, slots=True)
class Location:
    """Where words stand: a document's path and characters, with line and page where known."""

    document: str
    start: int
    end: int
    line: int | None = None
    page: int | None = None

    def to_json(self) -> dict[str, str | int | None]:
        """The place under the keys that every schema has for one."""
        return {
            "document": self.document,
            "start": self.start,
            "end": self.end,
            "line": self.line,
            "page": self.page,
        }


@dataclass(frozen=True, slots=True)
class Lead:
    """What stands above a quotation and it cannot be read without, in characters of the document.

    It is a list's lead-in, a table's header row or a definition's term.
    """

    start: int
    end: int
    text: str

    def __post_init__(self) -> None:
        _check_range(self.start, self.end)
        if len(self.text) != self.end - self.start:
            raise ValueError(f"lead has {len(self.text)} characters, its range {self.end - self.start}")


@dataclass(frozen=True, slots=True)
class Citation:
    """The sentence (or two) quoted, byte for byte, and where it stands; ``sha256`` is the file's.

    ``marks`` are the answering words inside ``quote``, as (start, end) characters of it. ``lead`` is
    None where the quotation can be read alone. ``media_type`` is the document's, which says what syntax is
    not shown.
    """

    document: str
    sha256: str
    start: int
    end: int
    quote: str
    quote_sha256: str
    line: int | None
    page: int | None
    heading: str | None
    title: str | None
    date: str | None
    freshness: Freshness
    score: float
    marks: tuple[tuple[int, int], ...] = ()
    also_in: tuple[Location, ...] = ()
    lead: Lead | None = None
    media_type: str = ""

    def __post_init__(self) -> None:
        _check_range(self.start, self.end)
        if len(self.quote) != self.end - self.start:
            raise ValueError(f"quote has {len(self.quote)} characters, its range {self.end - self.start}")
        for start, end in self.marks:
            _check_range(start, end, len(self.quote))


class Status(StrEnum):
    """How far an answer goes."""

    ANSWERED = "answered"
    WEAK = "weak"
    ABSTAINED = "abstained"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the documents say to a question. No citation means nothing found means no text.

    ``confidence`` (0..1) is the estimated probability that the first citation answers the question; where
    change over time is asked about, citations stand in order of date, and it speaks of the best of them.
    ``reason`` says in words why the status is weak or abstained, and is None when answered.
    ``notices`` are things the reader of the answer must know (sources that disagree, a stale index).
    ``disagreements`` are pairs of places in ``citations`` that tell different things, each told in a notice.
    ``signals`` are the numbers the confidence was made from, by name; empty when nothing was found.
    """

    question: str
    status: Status
    confidence: float
    reason: str | None
    spans: tuple[Span, ...] = ()
    citations: tuple[Citation, ...] = ()
    hits: tuple[Hit, ...] = ()
    notices: tuple[str, ...] = ()
    disagreements: tuple[tuple[int, int], ...] = ()
    signals: Mapping[str, float] = field(default_factory=dict)
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    store: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0.0 <= self.confidence <= 1.0:
            raise ValueError(f"confidence must be in 0..1, got {self.confidence}")
        if (self.status is Status.ABSTAINED) != (not self.citations):
            raise ValueError("an answer has citations exactly when it is not abstained")
        if bool(self.spans) != bool(self.citations):
            raise ValueError("an answer has spans exactly when it has citations")
        if (self.status is Status.ANSWERED) != (self.reason is None):
            raise ValueError("a reason is given exactly when the question is not answered")
        if any(not 0 <= i < j < len(self.citations) for i, j in self.disagreements):
            raise ValueError("a disagreement is between two citations, in their order")

    @property
    def answer(self) -> str:
        """The best span's words; empty when abstained."""
        return self.spans[0].text if self.spans else ""
