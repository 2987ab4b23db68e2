"""What the lines of a text look like: paragraphs, list items, address lines, headings.

Nothing here knows documents or passages: text in, ranges and plain judgements out. What is made of the
judgements where a format says nothing itself stands in `rag.text.guess`. Each judgement looks at a bounded
number of characters, or at each character once: a paragraph may be a whole book.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from rag.text.dates import around_date
from rag.text.english import ENGLISH

_WORDS = ENGLISH.lines
_BULLET = re.compile(r"\s*(?:[-–—*+•·◦▪‣●○■□]\s+|\(?\d{1,3}[.)]\s+|\(?[a-zA-Z][.)]\s+|\(?[ivx]{1,5}[.)]\s+)")
_NUMBERED = re.compile(r"\s*\(?\d")
_TERMINAL = re.compile(r"[.!?…:;,]['\"’”»)\]*_]*$")
_FULL_STOP = re.compile(r"[.!?…]['\"’”»)\]*_]*$")
_TABLE_ROW = re.compile(r"\s*\|.*\|\s*$|[^|]*\S \| \S.* \| |\S+(?: \S+){0,7} \| \S+(?: \S+){0,7}$")
_LONG_LINE = (
    120  # characters; a line longer than this was not wrapped by hand: its line break ends a paragraph
)
_ENDING = 64  # characters; whatever ends a sentence stands in the last so many
_SHORT_LINE = 1_000  # characters; headings, names and greetings are shorter by far
_MAX_SPLIT = 100_000  # characters whose words are counted by making a list of them
_WORD = re.compile(r"\S+")


def lines(text: str, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
    """The range of every line that has words, without white space around it.

    >>> list(lines("a\\n\\n  bc \\nd"))
    [(0, 1), (5, 7), (9, 10)]
    """
    at = start
    for line in text[start:end].splitlines(keepends=True):
        stripped = line.strip()
        if stripped:
            first = at + len(line) - len(line.lstrip())
            yield first, first + len(stripped)
        at += len(line)


def paragraphs(text: str) -> list[tuple[int, int]]:
    """The ranges of the paragraphs of a text as authored: runs of lines between blank lines.

    A line break also ends a paragraph where lines are too long to have been wrapped by hand, the line is
    complete and the next begins afresh.

    >>> text = "One\\ntwo.\\n\\n Three"
    >>> [text[start:end] for start, end in paragraphs(text)]
    ['One\\ntwo.', 'Three']
    """
    runs: list[list[tuple[int, int]]] = []
    at, previous_blank = 0, True
    for line in text.splitlines(keepends=True):
        stripped = line.strip()
        if stripped:
            first = at + len(line) - len(line.lstrip())
            if previous_blank:
                runs.append([])
            runs[-1].append((first, first + len(stripped)))
        previous_blank = not stripped
        at += len(line)
    return [(part[0][0], part[-1][1]) for run in runs for part in _parts(text, run)]


def _parts(text: str, run: list[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    if max(end - start for start, end in run) <= _LONG_LINE:
        yield run
        return
    part = [run[0]]
    for before, line in pairwise(run):
        previous, current = text[slice(*before)], text[slice(*line)]
        listed = is_list_item(current) or (is_table_row(previous) and is_table_row(current))
        if is_complete(previous) and not current[0].islower() and not listed:
            yield part
            part = []
        part.append(line)
    yield part


def n_words(text: str) -> int:
    """The number of words divided by white space.

    >>> n_words("one two  three")
    3
    """
    return len(text.split()) if len(text) < _MAX_SPLIT else sum(1 for _ in _WORD.finditer(text))


def is_list_item(line: str) -> bool:
    """Whether a line begins with a bullet or an item number.

    >>> is_list_item("  • Comment"), is_list_item("(a) one"), is_list_item("2014 was"), is_list_item("- x")
    (True, True, False, True)
    """
    return bool(_BULLET.match(line))


def without_bullet(line: str) -> str:
    """The line without its bullet or number.

    >>> without_bullet("  • Legal updates")
    'Legal updates'
    """
    return _BULLET.sub("", line, count=1).strip()


def is_table_row(line: str) -> bool:
    """Whether a line is a row of cells divided by bars.

    >>> is_table_row("| 2012 | Council |"), is_table_row("Year | Who"), is_table_row("| 22 March 2017")
    (True, True, False)
    """
    return "|" in line and bool(_TABLE_ROW.match(line))


def is_complete(text: str) -> bool:
    """Whether a text ends as a sentence does, closing quotes aside.

    >>> is_complete('He left.”'), is_complete("Areas covered"), is_complete("as follows:")
    (True, False, False)
    """
    return bool(_FULL_STOP.search(text[-_ENDING:]))


def breaks_off(text: str) -> bool:
    """Whether a text ends in a word that cannot end a sentence: more must follow, whatever it begins with.

    >>> breaks_off("curated by"), breaks_off("refurbishment programme and"), breaks_off("Next steps")
    (True, True, False)
    """
    return bool(_WORDS.breaks_off.search(text[-_ENDING:]))


def ends_open(text: str) -> bool:
    """Whether a text ends without any final punctuation, or with a comma: as if torn.

    >>> ends_open("programme and"), ends_open("matched, and"), ends_open("as follows:")
    (True, True, False)
    """
    ending = text[-_ENDING:]
    return not _TERMINAL.search(ending) or ending.rstrip().endswith(",")


def is_date_line(line: str) -> bool:
    """Whether a line is there for its date: little else stands on it.

    >>> is_date_line("| 22 March 2017"), is_date_line("By Laura Benson / 3 October 2014")
    (True, True)
    >>> is_date_line("It closed on 3 October 2014.")
    False
    """
    rest = around_date(line) if len(line) <= _LONG_LINE else None
    if rest is None:
        return False
    words = rest.split()
    return (
        len(words) <= 10
        and not is_complete(rest)
        and all(
            _WORDS.name_word.match(word) or _WORDS.date_cue.match(word) or word in _WORDS.date_side
            for word in words
        )
    )


def has_date_cue(line: str) -> bool:
    """Whether a line says that its date is one of publication.

    >>> has_date_cue("Posted on 12/04/2016 by Ruth Kitching"), has_date_cue("It fell in 2015")
    (True, False)
    """
    return bool(_WORDS.date_cue.search(line[:_SHORT_LINE]))


def is_salutation(line: str) -> bool:
    """Whether a line greets the reader of a letter.

    >>> is_salutation("Dear Mr Allen"), is_salutation("Dear friends of the town came to help.")
    (True, False)
    """
    return bool(_WORDS.salutation.match(line))


def is_closing(line: str) -> bool:
    """Whether a line takes leave of the reader of a letter.

    >>> is_closing("Yours sincerely"), is_closing("Regards were paid.")
    (True, False)
    """
    return bool(_WORDS.closing.match(line))


def is_byline(line: str) -> bool:
    """Whether a line names a writer.

    >>> is_byline("By Joe Lepper"), is_byline("By Monday it was over")
    (True, False)
    """
    return bool(_WORDS.byline.match(line))


def is_memo_line(line: str) -> bool:
    """Whether a line is a field at the head of a memo or an e-mail.

    >>> is_memo_line("Subject: Piling in Tenter Street"), is_memo_line("To be frank: no")
    (True, False)
    """
    return bool(_WORDS.memo.match(line)) and len(line) <= _LONG_LINE


def is_name_line(line: str) -> bool:
    """Whether a line is made of names and numbers only, as address lines and signatures are.

    >>> is_name_line("DN1 3BU"), is_name_line("Her Majesty's Inspector"), is_name_line("He left the town")
    (True, True, False)
    """
    if len(line) > _SHORT_LINE:
        return False
    words = line.split()
    return (
        0 < len(words) <= 10 and not is_complete(line) and all(_WORDS.name_word.match(word) for word in words)
    )


def looks_like_heading(line: str, *, max_words: int = 14) -> bool:
    """Whether a line could head what follows: short, opening with a capital or figure, no final punctuation.

    >>> [looks_like_heading(line) for line in ("Areas covered by the visit", "He left.", "- one")]
    [True, False, False]
    >>> looks_like_heading("What happens to records?"), looks_like_heading("3. Workforce")
    (True, True)
    """
    if len(line) > _SHORT_LINE:
        return False
    line = line.strip()
    opening = line.lstrip("'\"‘“#(* _")
    if (
        not opening
        or not (opening[0].isupper() or opening[0].isdigit())
        or len(line.splitlines()) > 1
        or is_table_row(line)
    ):
        return False
    if is_list_item(line) and not _NUMBERED.match(line):
        return False
    question = line.endswith("?") and not re.search(r"[.!?]\s", line)
    if not question and _TERMINAL.search(line):
        return False
    if re.search(r"[^\W\d]{3,}[.!?]['\"’”)]*\s+[A-Z]", line):  # a whole sentence stands inside
        return False
    return n_words(line) <= max_words and is_date_line(line) is False
