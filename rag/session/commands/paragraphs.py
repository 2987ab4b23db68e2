"""Paragraphs of a document, and the evidence in the midst of them."""

from __future__ import annotations

import re

from rich.text import Text

from rag.output.lines import Look, fold, quoted
from rag.records import Citation, Document
from rag.text.sentences import sentences

LONGEST = 3000  # characters of one paragraph shown: more fills several screens
_BREAK = re.compile(r"\n[ \t\r\f\v]*\n\s*")


def paragraphs(text: str) -> list[tuple[int, int]]:
    """Ranges of a text between its empty lines; white space alone is no paragraph.

    >>> paragraphs("one\\n\\n two\\nlines\\n\\n\\n")
    [(0, 3), (6, 15)]
    """
    ranges, start = [], 0
    for gap in [*_BREAK.finditer(text), None]:
        end = len(text) if gap is None else gap.start()
        body = text[start:end]
        inner = start + len(body) - len(body.lstrip()), start + len(body.rstrip())
        if inner[0] < inner[1]:
            ranges.append(inner)
        start = end if gap is None else gap.end()
    return ranges


def window(text: str, start: int, end: int, longest: int = LONGEST) -> tuple[int, int]:
    """Whole sentences around characters start..end, about ``longest`` characters in all."""
    if len(text) <= longest:
        return 0, len(text)
    spare = max(0, longest - (end - start)) // 2
    low, high = max(0, start - spare), min(len(text), end + spare)
    inside = [(a, b) for a, b in sentences(text[low:high]) if low + a <= start or low + b >= end]
    if not inside:
        return low, high
    return (low if low == 0 else low + inside[0][0]), (high if high == len(text) else low + inside[-1][1])


def around(document: Document, citation: Citation, n: int, look: Look) -> tuple[list[Text], bool]:
    """The paragraphs that hold a citation and ``n`` more on either side; whether that is the whole document.

    The marked words are set off.
    """
    every = paragraphs(document.text)
    touched = [i for i, (a, b) in enumerate(every) if a < citation.end and b > citation.start]
    if not touched:
        return fold(quoted(citation.quote, citation.marks, look), look, "  "), True
    first, last = max(0, touched[0] - n), min(len(every) - 1, touched[-1] + n)
    marks = [(citation.start + a, citation.start + b) for a, b in citation.marks]
    lines: list[Text] = []
    for number in range(first, last + 1):
        a, b = every[number]
        if lines:
            lines.append(Text())
        lines += _one(document.text[a:b], a, citation, marks, look, cited=number in touched)
    return lines, first == 0 and last == len(every) - 1


def _one(
    text: str, offset: int, citation: Citation, marks: list[tuple[int, int]], look: Look, *, cited: bool
) -> list[Text]:
    """One paragraph, its long stretches far from the citation left out."""
    start = max(0, min(citation.start - offset, len(text) - 1))
    end = max(start, min(citation.end - offset, len(text)))
    low, high = window(text, start, end)
    inside = [(max(a - offset, low) - low, min(b - offset, high) - low) for a, b in marks]
    body = quoted(text[low:high], [(a, b) for a, b in inside if a < b], look)
    dots = "…" if look.unicode else "..."
    shown = Text(f"{dots} " if low else "") + body + Text(f" {dots}" if high < len(text) else "")
    if not cited:
        shown.stylize("dim")
    return fold(shown, look, "  ")
