"""Documents cut into passages: what is found, read and cited as one.

Every passage is a slice of its document. Every block stands in exactly one passage or is a heading; a heading
that says something by itself also opens the passage under it, so that it can be cited. What blocks there are
the loaders say; nothing here asks what a line looks like.
"""

from __future__ import annotations

from typing import Protocol

from rag.passages.cutting import cut
from rag.passages.joining import joined
from rag.records import Document, Passage


class SplitSettings(Protocol):
    """What decides where passages are cut; words are runs between white space."""

    @property
    def max_words(self) -> int:
        """The most words of a passage."""

    @property
    def min_words(self) -> int:
        """The fewest words of one that stands alone."""

    @property
    def keep_boilerplate(self) -> bool:
        """Whether notices are passages too."""


def split(document: Document, settings: SplitSettings) -> list[Passage]:
    """The passages of a document in its order, boilerplate among them and marked.

    Paragraphs stand as authored; long ones are cut at sentences into even parts, long lists and tables
    between their items and rows; headings, lists, address lines and very short paragraphs join what they
    belong to.

    >>> from types import SimpleNamespace
    >>> from rag.records import Block, BlockKind
    >>> blocks = Block(BlockKind.HEADING, 0, 10, 1), Block(BlockKind.PARAGRAPH, 12, 28)
    >>> text = "Next steps\\n\\nThe panel comes."
    >>> document = Document("d", "/d.md", "0", "text/markdown", text, blocks=blocks)
    >>> settings = SimpleNamespace(max_words=220, min_words=3, keep_boilerplate=False)
    >>> [(p.heading, p.text) for p in split(document, settings)]
    [('Next steps', 'The panel comes.')]
    """
    text = document.text
    return [
        Passage(
            document.id,
            start,
            end,
            text[start:end],
            heading=unit.heading,
            boilerplate=None if settings.keep_boilerplate else unit.notice,
        )
        for unit in joined(document, settings)
        for start, end in cut(text, unit.parts, settings.max_words)
    ]
