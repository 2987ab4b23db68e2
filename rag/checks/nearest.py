"""The passage of a text that is nearest to a quotation which no longer stands in it, and what differs.

Words are compared, not characters: white space, the way a letter with an accent is composed and marks that
nobody sees make no difference between two words.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

_WORD = re.compile(r"\S+")
_UNSEEN = str.maketrans("", "", "\xad\u200b\u200c\u200d\u2060\ufeff")
_MAX_WORDS = 400  # of a quotation that are looked for: quotations are a sentence or two
_REACH = 4_000_000  # characters of the text on either side of where the quotation stood
_ENOUGH = 0.6  # of the words in order (SequenceMatcher's ratio): less is another sentence
_FINAL = ".!?…"
_CLOSING = "\"'”’»)]*_"
_BULLET = re.compile(r"(?:^|[\n\r])[ \t]*(?:[-*•–>#|]+|\(?(?:\d{1,3}|[a-zA-Z])[.)])[ \t]*$")

Change = tuple[Literal["same", "gone", "new"], str]  # words in a row, and what became of them


@dataclass(frozen=True, slots=True)
class Nearest:
    """Characters ``start``..``end`` of the text, and the words of both, in order, by what became of them."""

    start: int
    end: int
    changes: tuple[Change, ...]

    @property
    def same_words(self) -> bool:
        """Whether only white space and the like differ."""
        return all(what == "same" for what, _ in self.changes)


def stands_whole(text: str, start: int, end: int) -> bool:
    """Whether a range is not a part of a larger sentence, such as one that denies it.

    >>> quote = "It ended in 2022."
    >>> [stands_whole(before + quote, len(before), len(before + quote))
    ...  for before in ("", "It began. ", "It is false that: ", "- ", "Not so.\\n")]
    [True, True, False, True, True]
    """
    before = text[max(0, start - 200) : start].rstrip(" \t\xa0")
    begins = (
        not before
        or before[-1] in "\n\r\f"
        or before.rstrip(_CLOSING)[-1:] in tuple(_FINAL)
        or _BULLET.search(before) is not None
    )
    after = text[end : end + 200].lstrip(" \t\xa0")
    complete = text[start:end].rstrip().rstrip(_CLOSING)[-1:] in tuple(_FINAL)
    ends = not after or after[0] in "\n\r\f|" or (complete and not text[end : end + 1].isalnum())
    return begins and (ends or after[0] in _FINAL + ";")


def nearest(text: str, quote: str, near: int) -> Nearest | None:
    """The part of the text most like a quotation that stood about character ``near``; None where none is.

    >>> found = nearest("One. The trust was opened in May 2015. Two.", "The trust was opened in May 2014.", 5)
    >>> found.changes
    (('same', 'The trust was opened in May'), ('gone', '2014.'), ('new', '2015.'))
    """
    wanted = [_key(word) for word in quote.split()[:_MAX_WORDS]]
    offset = max(0, min(near, len(text)) - _REACH)
    places = [
        (match.start() + offset, match.end() + offset)
        for match in _WORD.finditer(text[offset : offset + 2 * _REACH])
    ]
    words = [_key(text[start:end]) for start, end in places]
    first = _densest(words, wanted)
    if first is None:
        return None
    margin = len(wanted)
    low, high = max(0, first - margin), min(len(words), first + 2 * margin)
    matcher = SequenceMatcher(None, wanted, words[low:high], autojunk=False)
    blocks = [block for block in matcher.get_matching_blocks() if block.size]
    if not blocks:
        return None
    begin, end = low + blocks[0].b - blocks[0].a, low + blocks[-1].b + blocks[-1].size
    end += len(wanted) - blocks[-1].a - blocks[-1].size
    begin, end = _to_sentence(text, places, max(low, begin), min(high, max(end, begin + 1)))
    matcher.set_seq2(words[begin:end])
    if matcher.ratio() < _ENOUGH:
        return None
    shown = [text[start:stop] for start, stop in places[begin:end]]
    changes = _changes(matcher, quote.split()[:_MAX_WORDS], shown)
    return Nearest(places[begin][0], places[end - 1][1], changes)


def _key(word: str) -> str:
    return unicodedata.normalize("NFC", word).translate(_UNSEEN)


def _densest(words: list[str], wanted: list[str]) -> int | None:
    """Where the stretch of as many words begins that shares most with those wanted, rare ones above all."""
    counts = Counter(words)
    weights = {word: 1 / counts[word] for word in set(wanted) if counts[word]}
    if not weights:
        return None
    size, score, best, at = len(wanted), 0.0, 0.0, 0
    for place, word in enumerate(words):
        score += weights.get(word, 0.0)
        if place >= size:
            score -= weights.get(words[place - size], 0.0)
        if score > best + 1e-9:
            best, at = score, max(0, place - size + 1)
    return at


def _to_sentence(text: str, places: list[tuple[int, int]], begin: int, end: int) -> tuple[int, int]:
    """The words of a stretch and those before it in the same sentence, eight at most."""
    for _ in range(8):
        if begin == 0 or stands_whole(text, places[begin][0], places[end - 1][1]):
            break
        gap = text[places[begin - 1][1] : places[begin][0]]
        if "\n" in gap or text[places[begin - 1][0] : places[begin - 1][1]].rstrip(_CLOSING)[-1:] in tuple(
            _FINAL
        ):
            break
        begin -= 1
    return begin, end


def _changes(matcher: SequenceMatcher[str], before: list[str], after: list[str]) -> tuple[Change, ...]:
    changes: list[Change] = []
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            changes.append(("same", " ".join(after[c:d])))
            continue
        if b > a:
            changes.append(("gone", " ".join(before[a:b])))
        if d > c:
            changes.append(("new", " ".join(after[c:d])))
    return tuple(changes)
