"""Where sentences begin and end, without a character lost.

Boundaries come from ``sentencex``; what it does not know of British official prose is repaired here: titles
and abbreviations before a full stop, sentences inside a long quotation, bullets and line ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.text.english import ENGLISH
from rag.text.language import Language
from rag.text.layout import is_complete, is_list_item, is_table_row, lines

_LAST_WORD = re.compile(r"([\w.]+)\.$")
_INITIAL = re.compile(r"(?:^|[\s(“‘\"'.])[A-Z]\.$")
_INSIDE = re.compile(r"[.!?…]['\"’”»)\]]*(?=\s+['\"‘“«(\[]*[A-Z0-9£$€])")
_HALF = re.compile("[\ud800-\udfff]")  # half a surrogate pair, which the library cannot take
_NO_SPACE = re.compile(r"\S")
_LOOK_BACK = 40  # characters before an end that decide it: an abbreviation or an initial, no more
_WINDOW = 4000  # characters given to the library at once; no sentence people read is longer
_WRAPPED = 45  # characters; a shorter line without final punctuation was ended on purpose


def sentences(text: str, language: Language = ENGLISH) -> list[tuple[int, int]]:
    """The (start, end) of every sentence, in order, trimmed of white space and covering everything else.

    >>> text = "Mr. Hebden paid £6.5m. “We knew. All of us,” he said.\\n- one item\\n- another"
    >>> [text[start:end] for start, end in sentences(text)]
    ['Mr. Hebden paid £6.5m.', '“We knew.', 'All of us,” he said.', '- one item', '- another']
    """
    return [pair for start, end in _runs(text) for pair in _split(text, start, end, language)]


def _runs(text: str) -> Iterator[tuple[int, int]]:
    """Stretches whose line breaks are mere wrapping: a sentence never leaves its stretch."""
    run = before = (0, 0)  # the stretch so far, and its last line
    for start, end in lines(text):
        line, previous = text[start:end], text[slice(*before)]
        if previous:
            blank_between = text.count("\n", run[1], start) > 1 or text.count("\r", run[1], start) > 1
            fresh = is_list_item(line) or is_table_row(line) or is_table_row(previous)
            torn = (blank_between or len(previous) < _WRAPPED) and not line[0].islower()
            if fresh or torn or is_complete(previous) or previous.endswith(":"):
                yield run
                run = (start, end)
        run, before = (run[0] if previous else start, end), (start, end)
    if run[1]:
        yield run


def _split(text: str, start: int, end: int, language: Language) -> Iterator[tuple[int, int]]:
    piece = text[start:end]
    cuts = sorted({*_library_cuts(piece, language.code), *(match.end() for match in _INSIDE.finditer(piece))})
    last = 0
    for cut in [*(cut for cut in cuts if _is_end(piece, cut, language)), len(piece)]:
        part = piece[last:cut]
        if part.strip():
            first = start + last + len(part) - len(part.lstrip())
            yield first, first + len(part.strip())
        last = cut


def _library_cuts(piece: str, code: str) -> Iterator[int]:
    """Ends of sentences as sentencex sees them: its parts are contiguous, so their lengths are positions."""
    from sentencex import segment

    for base in range(0, len(piece), _WINDOW):  # its time grows with the square of the length
        window = _HALF.sub("\ufffd", piece[base : base + _WINDOW])
        at = 0
        for part in segment(code, window):
            if not window.startswith(part, at):  # it did not give the text back: its lengths mean nothing
                break
            at += len(part)
            if at < len(window):
                yield base + at


def _is_end(piece: str, cut: int, language: Language) -> bool:
    following = _NO_SPACE.search(piece, cut)
    end = cut
    while end > 0 and piece[end - 1].isspace():
        end -= 1
    if end == 0 or following is None or following[0].islower() or following[0] in ",;:)]”’":
        return False
    before = piece[max(0, end - _LOOK_BACK) : end]
    word = _LAST_WORD.search(before)
    if word and word[1].lower() in language.abbreviations:
        # "No. 5" goes on and "the answer was no. He left" does not.
        return word[1] in language.also_words and following[0].isupper()
    return not _INITIAL.search(before)
