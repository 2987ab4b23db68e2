"""Which paragraphs of a text are a web page's furniture and not its words: notices, offers, comment forms.

A paragraph is judged by what it says and by where it stands. *Decisive* wording addresses a visitor of a
site ("we use cookies", "you must sign in to comment") and is enough by itself, unless the paragraph reports
someone's words. *Leaning* wording ("Have your say", "Learn more") only counts beside something decisive.
Offers are recognised by their price line and the list above it. Everything found is named, so that a person
can look at it and bring it back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.text.english import ENGLISH
from rag.text.layout import is_complete, is_list_item, n_words, without_bullet

_WORDS = ENGLISH.notices
_MAX_CHARACTERS = 100_000  # of a paragraph; a longer one is no notice, not even a table of contents
_MAX_LEANING = 200  # characters; "Have your say" and the like, with what stands around it
_MAX_ABOVE_PRICE = 24  # list items over a price; no offer has more
CONTENTS = "table of contents"
_LONGEST_ENTRY = 400  # characters of a line of a table of contents
_ENTRIES_IN_A_LINE = 3  # of a table of contents whose lines were put together
_LEADERS = ("...", ". .", "……", "… …", "···", "· ·")
# A run of leaders is looked at once: never from its middle, and never given back.
_TO_A_PAGE = re.compile(
    r"(?:(?<![.·])(?<![.·][ \u00a0])(?:[.·][ \u00a0]?){4,}+|(?<!…)(?<!…[ \u00a0])(?:…[ \u00a0]?){2,}+)"
    r"[\s|]*+(?:p\.?[ ]?)?(?:\d{1,4}|[ivxlc]{1,7})(?=[\s|]|$)"
)


def is_contents(text: str) -> bool:
    """Whether most lines of a text are entries of a table of contents: leaders, then a page.

    Whatever an entry says, it says where something is said and not the thing itself.

    >>> is_contents("2 What the inspectors said ..... 4"), is_contents("He waited .... and left in 2014.")
    (True, False)
    """
    if len(text) > _MAX_CHARACTERS or not any(mark in text for mark in _LEADERS):
        return False
    rows = [row for row in text.splitlines() if row.strip()]
    n_entries = sum(map(_is_entry, rows))
    return n_entries > 0 and 2 * n_entries >= len(rows)


def _is_entry(row: str) -> bool:
    found = list(_TO_A_PAGE.finditer(row))
    closes = bool(found) and not row[found[-1].end() :].strip(" |") and len(row) <= _LONGEST_ENTRY
    return closes or len(found) >= _ENTRIES_IN_A_LINE


def _decisive(text: str) -> str | None:
    if len(text) > _MAX_CHARACTERS:
        return None
    if is_contents(text):
        return CONTENTS
    words = text.split()
    flat = " ".join(words)
    if _WORDS.reporting.search(flat):
        return None
    for rule in _WORDS.rules:
        if len(words) <= rule.max_words and len(flat) <= 12 * rule.max_words and rule.decisive.search(flat):
            return rule.name
    return None


def _leaning(text: str) -> str | None:
    if len(text) > _MAX_LEANING:
        return None
    flat = " ".join(text.split()).strip(" |•*·-.")
    for rule in _WORDS.rules:
        if rule.leaning and rule.leaning.fullmatch(flat):
            return rule.name
    return None


def is_notice_line(line: str) -> bool:
    """Whether a single line is furniture by its wording alone.

    >>> is_notice_line("Comments powered by Talkback"), is_notice_line("The council consulted on cookies.")
    (True, False)
    """
    return _decisive(line) is not None


def reasons(paragraphs: Sequence[str]) -> list[str | None]:
    """For each paragraph of a text, in order, the kind of furniture it is, or None where it is to be read.

    >>> reasons(["We use cookies. Accept all cookies", "It opened in 2014.", "Comments powered by Talkback"])
    ['cookie notice', None, 'comment form']
    >>> reasons(["The council consulted on cookies in its website policy."])
    [None]
    """
    found = [_decisive(paragraph) for paragraph in paragraphs]
    for row, paragraph in enumerate(paragraphs):
        if len(paragraph) <= _MAX_LEANING and _WORDS.price.match(" ".join(paragraph.split())):
            _mark_offer(paragraphs, found, row)
    decided = list(found)
    for row, paragraph in enumerate(paragraphs):
        if decided[row] is None and (kind := _leaning(paragraph)):
            beside = [decided[near] for near in (row - 1, row + 1, row + 2) if 0 <= near < len(decided)]
            if any(reason is not None for reason in beside):
                found[row] = kind
    return found


def _mark_offer(paragraphs: Sequence[str], found: list[str | None], price: int) -> None:
    """Mark the offer whose price stands in row ``price``: the list above it and a line over the list."""
    first = price
    while first > 0 and price - first < _MAX_ABOVE_PRICE and _is_pitch(paragraphs[first - 1]):
        first -= 1
    if first > 0 and n_words(paragraphs[first - 1]) <= 8 and not is_complete(paragraphs[first - 1]):
        first -= 1
    words = {
        word.lower() for row in range(first, price) for word in _WORDS.offer_word.findall(paragraphs[row])
    }
    if first < price and len(words) >= 2:
        for row in range(first, price + 1):
            found[row] = "subscription offer"


def _is_pitch(paragraph: str) -> bool:
    items = paragraph.splitlines()
    return all(
        is_list_item(item) and n_words(without_bullet(item)) <= 10 and not is_complete(item) for item in items
    )
