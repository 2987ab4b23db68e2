"""What one loader hands back, before it becomes a Document, and how it is made of a text and its blocks."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from rag.loaders.head import Head, head_of
from rag.records import Block, BlockKind, Place
from rag.text.blocks import settled, with_all, with_leads
from rag.text.boilerplate import CONTENTS, is_contents
from rag.text.guess import guess_blocks, guess_paragraphs
from rag.text.markup import plain_words, without_syntax

_HEAD = 20_000  # characters: enough to find title and date, and whether sections follow them
# What stands line under line instead of paragraph by paragraph, where two of the same word meet.
_TOGETHER = {
    BlockKind.LIST_ITEM: "list",
    BlockKind.TABLE_HEADER: "table",
    BlockKind.TABLE_ROW: "table",
    BlockKind.TERM: "definitions",
    BlockKind.DEFINITION: "definitions",
}


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
    blocks: tuple[Block, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What a format says of a document beside its text.

    ``title`` and ``date`` are believed before the text's own opening lines; ``created``, the date of the
    file, only where these give none.
    """

    title: str | None = None
    date: str | None = None
    created: str | None = None
    encoding: str | None = None
    places: Sequence[Place] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """Words that a format set apart, and what it says they are, before they stand in a text.

    A ``fresh`` one begins a list or table of its own. ``line`` and ``page`` are where it begins in the file.
    """

    kind: BlockKind
    words: str
    level: int = 0
    fresh: bool = False
    line: int | None = None
    page: int | None = None


def laid_out(pieces: Iterable[Piece]) -> tuple[str, list[Block], list[Place]]:
    """The pieces as one text, parted by blank lines, items and rows by line ends; their blocks and places.

    A piece without words is left out.

    >>> items = [Piece(BlockKind.LIST_ITEM, "- one", 1, line=7), Piece(BlockKind.LIST_ITEM, "- two", 1)]
    >>> text, blocks, places = laid_out([Piece(BlockKind.PARAGRAPH, "We will:"), *items])
    >>> text, blocks[1].start, places
    ('We will:\\n\\n- one\\n- two', 10, [Place(start=10, page=None, line=7)])
    """
    parts, blocks, places = list[str](), list[Block](), list[Place]()
    at = 0
    before: str | None = None
    for piece in pieces:
        words = piece.words.strip()
        if not words:
            continue
        group = _TOGETHER.get(piece.kind)
        if parts:
            gap = "\n" if group is not None and group == before and not piece.fresh else "\n\n"
            parts.append(gap)
            at += len(gap)
        if piece.line is not None or piece.page is not None:
            places.append(Place(at, page=piece.page, line=piece.line))
        blocks.append(Block(piece.kind, at, at + len(words), piece.level))
        parts.append(words)
        at += len(words)
        before = group
    return "".join(parts), blocks, places


def marked(text: str, media_type: str, blocks: Iterable[Block], known: Known = Known()) -> Draft:
    """A draft of a format that marks its blocks; words that stand in none become paragraphs.

    >>> draft = marked("Notes of 3 May\\n- one", "text/html", [Block(BlockKind.LIST_ITEM, 15, 20, 1)])
    >>> [(block.kind.value, draft.text[block.start : block.end]) for block in draft.blocks]
    [('title', 'Notes of 3 May'), ('list item', '- one')]
    """
    whole = with_all(text, list(blocks))
    head = head_of(list(_opening(text, whole, media_type)))
    title = known.title or head.title
    return _draft(text, media_type, settled(text, whole, title, media_type), title, head, known)


def as_marked(text: str, media_type: str, blocks: Sequence[Block], known: Known = Known()) -> Draft:
    """A draft with these blocks as they are: for what is all rows or messages, of which nothing is guessed.

    Title and date are those of ``known`` or none; the blocks hold every word of the text.

    >>> rows = [Block(BlockKind.TABLE_HEADER, 0, 10), Block(BlockKind.TABLE_ROW, 11, 20)]
    >>> as_marked("Year | Who\\n2012 | Lee", "text/csv", rows).blocks[1].lead
    (0, 10)
    """
    return _draft(text, media_type, blocks, known.title, Head(None, None), known)


def unmarked(text: str, media_type: str, known: Known = Known()) -> Draft:
    """A draft of text whose format marks no blocks: they are guessed from how its lines look.

    >>> [block.kind.value for block in unmarked("We will:\\n- come\\n- see the", "text/plain").blocks]
    ['paragraph', 'list item', 'list item']
    """
    return _guessed(text, media_type, guess_paragraphs(text), known)


def partly_marked(text: str, media_type: str, rows: Sequence[Block], known: Known = Known()) -> Draft:
    """A draft of text of which only these rows of tables are known; all else is guessed from its lines.

    The rows stand in paragraphs of nothing else.

    >>> rows = [Block(BlockKind.TABLE_ROW, 8, 21)]
    >>> draft = partly_marked("Costs.\\n\\n2011 | a lamp", "application/pdf", rows)
    >>> [block.kind.value for block in draft.blocks]
    ['paragraph', 'table row']
    """
    if not rows:
        return unmarked(text, media_type, known)
    starts = [row.start for row in rows]
    found = [
        block
        for block in guess_paragraphs(text)
        if not (at := bisect_right(starts, block.start)) or block.start >= rows[at - 1].end
    ]
    merged = sorted([*found, *_without_contents(text, rows)], key=lambda block: block.start)
    return _guessed(text, media_type, merged, known)


def _without_contents(text: str, rows: Sequence[Block]) -> Iterator[Block]:
    """The rows of tables, those named that only say on which page something stands."""
    for row in rows:
        listed = is_contents(text[row.start : row.end])
        yield replace(row, kind=BlockKind.PARAGRAPH, notice=CONTENTS) if listed else row


def _guessed(text: str, media_type: str, found: Sequence[Block], known: Known) -> Draft:
    head = head_of(list(_opening(text, found, media_type)))
    first = next((block for block in found if block.notice is None), None)
    underlined = first is not None and first.kind is BlockKind.HEADING
    own = plain_words(text[first.start : first.end], media_type) if first and underlined else head.title
    title = known.title or own
    return _draft(text, media_type, guess_blocks(text, found, title), title, head, known)


def _draft(
    text: str, media_type: str, blocks: Sequence[Block], title: str | None, head: Head, known: Known
) -> Draft:
    date = known.date or head.date
    notes = known.notes
    if date is None and known.created is not None:
        date, notes = known.created, (*notes, "the date is that of the file's creation")
    return Draft(
        text,
        media_type,
        title,
        date,
        known.encoding,
        tuple(known.places),
        with_leads(text, blocks),
        notes,
    )


def _opening(text: str, blocks: Sequence[Block], media_type: str) -> Iterator[str]:
    """The words of the first paragraphs, as people are shown them; items and rows of one kind together."""
    start = end = None
    group: str | None = None
    for block in blocks:
        if block.start > _HEAD:
            break
        if block.notice is not None or block.kind is BlockKind.CODE:
            continue
        if start is not None and end is not None:
            if group is not None and _TOGETHER.get(block.kind) == group:
                end = block.end
                continue
            yield _shown(text[start:end], media_type)
        start, end, group = block.start, min(block.end, _HEAD + block.start), _TOGETHER.get(block.kind)
    if start is not None and end is not None:
        yield _shown(text[start:end], media_type)


def _shown(words: str, media_type: str) -> str:
    return without_syntax(words, media_type)[0].strip()
