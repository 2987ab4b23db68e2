"""What a text says that can be looked up: its quotations, its figures, its names."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from rag.text.english import ENGLISH
from rag.text.figures import Figure, figures_in
from rag.text.language import Language
from rag.text.names import name_spans, opens_sentence
from rag.text.sentences import sentences
from rag.text.wordmatch import words


class ClaimKind(StrEnum):
    """What is looked up."""

    QUOTATION = "quotation"
    FIGURE = "figure"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Claim:
    """A quotation, figure or name at characters ``start``..``end`` of the text, on ``line`` (from 1).

    ``words`` is what is looked up: without quotation marks, and without Markdown's own signs. ``sentence``
    is the one it stands in. ``after`` is where a note on it may be put. ``opener`` tells of a name that it
    is the single word a sentence begins with, which may be no name at all.
    """

    kind: ClaimKind
    start: int
    end: int
    line: int
    words: str
    sentence: str
    after: int
    figure: Figure | None = None
    opener: bool = False


MAX_WORDS = 300  # of a quotation; a longer one is looked up in pieces that end with a sentence
AROUND_CHARS = 500  # of its sentence before and after a claim; what is longer is no sentence people write

# What is no prose: fenced and inline code, comments, addresses, footnote marks and their labels.
_NO_PROSE = re.compile(
    r"^[ \t]*(?P<fence>```|~~~).*?(?:^[ \t]*(?P=fence)[^\S\n]*$|\Z)"
    r"|<!--.*?(?:-->|\Z)|`[^`\n]+`|(?<=\])\([^()\s]*\)|<?\bhttps?://[^\s>]+>?|\[\^[^\]\s]{1,99}\]:?",
    re.DOTALL | re.MULTILINE,
)
_HALVES = re.compile("[\ud800-\udfff]")
LIST_NUMBER = re.compile(r"^[ \t>#]*(?:\d+[.)]|\d+(?:\.\d+)+\.?)(?=\s)", re.MULTILINE)  # 1.  2)  3.1
_HEADING = re.compile(r"^#{1,6}\s.*$", re.MULTILINE)
_BLOCK = re.compile(r"(?:^[ ]{0,3}>.*(?:\n|\Z))+", re.MULTILINE)
_BLOCK_LINE = re.compile(r"^[ ]{0,3}(?:>[ ]?)+", re.MULTILINE)
_ATTRIBUTION = re.compile(r"\s*(?:—|–|--|― ?)\s*\S")
_PAIRS = {"“": "”", "„": "“”", "‟": "”", "«": "»", "»": "«", "‹": "›", "›": "‹", "‘": "’", "‚": "‘’"}
_SINGLE = "‘‚'‹›"
_SIGNS = re.compile(r"\\(?=[^\w\s])|\*\*|__|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)")


def claims_in(text: str, language: Language = ENGLISH) -> list[Claim]:
    """The quotations, figures and names of a text, in order.

    Code, addresses and headings are passed over (quotations and figures in headings are not), and so is
    what stands inside a quotation: that is looked up with it.

    >>> [(c.kind.value, c.words) for c in claims_in("Mr Ray said “it closed” in May 2019.")]
    [('name', 'Mr Ray'), ('quotation', 'it closed'), ('figure', 'May 2019')]
    """
    text = _HALVES.sub("\ufffd", text)  # no UTF-8 can hold them, so no document does
    prose = _NO_PROSE.sub(blank, text)
    prose = LIST_NUMBER.sub(blank, prose)
    blocks = [match.span() for match in _BLOCK.finditer(prose)]
    outside = _hidden(prose, blocks)
    quoted = [*_block_quotations(prose, blocks), *_inline_quotations(outside)]
    rest = _hidden(outside, [(start, end) for start, end, _ in quoted])
    lines = _Lines(text)
    found = sentences(outside, language=language)
    starts = [start for start, _ in found]

    def claim(kind: ClaimKind, start: int, end: int, after: int, said: str, **more: object) -> Claim:
        number = bisect_right(starts, start) - 1
        sentence = said
        if number >= 0 and start < found[number][1]:
            first, last = found[number]
            sentence = plain(text[max(first, start - AROUND_CHARS) : min(last, start + AROUND_CHARS)])
        return Claim(kind, start, end, lines.at(start), said, sentence, after, **more)  # type: ignore[arg-type]

    claims = [
        claim(ClaimKind.QUOTATION, start, end, after, said)
        for start, end, after in quoted
        if words(said := plain(text[start:end]))
    ]
    for figure in figures_in(rest, language):
        start, end = figure.start, figure.end
        claims.append(claim(ClaimKind.FIGURE, start, end, end, text[start:end], figure=figure))
    dated = _hidden(rest, [(c.start, c.end) for c in claims if c.kind is ClaimKind.FIGURE])
    dated = _HEADING.sub(blank, dated)
    for start, end in name_spans(dated, language):
        said = text[start:end]
        opener = len(words(said)) == 1 and opens_sentence(dated, start)
        claims.append(claim(ClaimKind.NAME, start, end, end, " ".join(said.split()), opener=opener))
    return sorted(claims, key=lambda one: (one.start, one.end))


class _Lines:
    """Line numbers of characters."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def at(self, offset: int) -> int:
        return bisect_right(self._starts, offset)


def blank(match: re.Match[str]) -> str:
    """White space of the same length, its line breaks kept."""
    return re.sub(r"[^\n]", " ", match.group())


def _hidden(text: str, ranges: list[tuple[int, int]]) -> str:
    """The text with these ranges made white space, their line breaks kept."""
    out, at = [], 0
    for start, end in sorted(ranges):
        if start >= at:
            out += [text[at:start], re.sub(r"[^\n]", " ", text[start:end])]
            at = end
    return "".join([*out, text[at:]])


def plain(text: str) -> str:
    r"""The text without Markdown's signs: block quote marks, emphasis, backslashes.

    >>> plain("> the **trust**\n> \\[sic\\] is *not* a_b")
    'the trust\n[sic] is not a_b'
    """
    return _SIGNS.sub("", _BLOCK_LINE.sub("", text)).strip()


def _block_quotations(text: str, blocks: list[tuple[int, int]]) -> Iterator[tuple[int, int, int]]:
    """(start, end, place of a note) of each paragraph of the block quotations; attributions left out."""
    for begin, stop in blocks:
        bare = _BLOCK_LINE.sub(blank, text[begin:stop])
        for first, last in _paragraphs(bare):
            said = bare[first:last]
            if _ATTRIBUTION.match(said):
                continue
            start = begin + first + len(said) - len(said.lstrip())
            after = end = begin + first + len(said.rstrip())
            if text[start] in "“\"«‘'" and text[end - 1] in "”\"»’'" and end - start > 2:
                start, end = start + 1, end - 1
            for left, right in _pieces(text, start, end):
                yield left, right, after if right == end else right


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of each run of lines that are not blank."""
    begin: int | None = None
    at = 0
    for line in text.splitlines(keepends=True):
        if not line.strip():
            if begin is not None:
                yield begin, at
            begin = None
        elif begin is None:
            begin = at
        at += len(line)
    if begin is not None:
        yield begin, at


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The quotation whole, or in runs of sentences of at most ``MAX_WORDS`` words."""
    if len(words(text[start:end])) <= MAX_WORDS:
        yield start, end
        return
    run: tuple[int, int] | None = None
    n = 0
    for first, last in sentences(text[start:end]):
        for left, right in _cut(text, start + first, start + last):
            more = len(words(text[left:right]))
            if run is not None and n + more > MAX_WORDS:
                yield run
                run, n = None, 0
            run = (left if run is None else run[0], right)
            n += more
    if run is not None:
        yield run


def _cut(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A sentence whole, or every ``MAX_WORDS`` words of one without end."""
    inside = words(text[start:end])
    for number in range(0, max(len(inside), 1), MAX_WORDS):
        first = start if not number else start + inside[number].start
        last = start + inside[number + MAX_WORDS].start if number + MAX_WORDS < len(inside) else end
        yield first, first + len(text[first:last].rstrip())


def _inline_quotations(text: str) -> Iterator[tuple[int, int, int]]:
    """(start, end, place of a note) of what stands between quotation marks, paragraph by paragraph."""
    for at, stop in _paragraphs(text):
        hopeless: set[str] = set()  # marks that nothing further on in the paragraph closes
        while (opening := _next_opening(text, at, stop, hopeless)) is not None:
            mark, closing = text[opening], _closing(text, opening, stop)
            if closing is not None:
                end, after = closing, closing + 1
            elif mark == "“":  # it goes on in the next paragraph, which opens with a mark of its own
                end = after = opening + len(text[opening:stop].rstrip())
            else:
                hopeless.add(mark)
                continue
            for first, last in _pieces(text, opening + 1, end):
                yield first, last, after if last == end else last
            at = after


_OPENING = re.compile("[\"“„‟«»‹›‘‚']")


def _next_opening(text: str, at: int, stop: int, hopeless: set[str]) -> int | None:
    """Where the next mark stands that can open a quotation."""
    for match in _OPENING.finditer(text, at, stop):
        mark, start = match.group(), match.start()
        if mark in hopeless:
            continue
        before, after = text[start - 1 : start], text[start + 1 : start + 2]
        if not after.strip():
            continue
        if mark in _SINGLE and before and not (before.isspace() or before in '([{—–-“"„«'):
            continue
        if mark == '"' and before.isdigit() and not after[:1].isalpha():
            continue  # 5" is a measure
        return start
    return None


def _closing(text: str, opening: int, stop: int) -> int | None:
    """Where the quotation that opens there is closed; None where it is not."""
    mark = text[opening]
    closers = _PAIRS.get(mark, mark)
    depth = 0
    for at in range(opening + 1, stop):
        here = text[at]
        if mark == "“" and here == "“":
            depth += 1
        elif here in closers:
            if mark in "‘‚'" and (text[at - 1].isspace() or text[at + 1 : at + 2].isalnum()):
                continue  # an apostrophe, or another opening mark
            if depth:
                depth -= 1
                continue
            return at
    return None
