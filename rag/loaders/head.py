"""What a document's opening lines say about it: its title and its date.

Only the head of the text is read: the short lines before its first paragraph. A date in the running text is
what the text is about, not when it was written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.text.dates import around_date, dates_in, months_in, seasons_in
from rag.text.english import ENGLISH
from rag.text.layout import (
    has_date_cue,
    is_byline,
    is_complete,
    is_date_line,
    is_list_item,
    is_name_line,
    is_salutation,
    lines,
    looks_like_heading,
    n_words,
)

_WORDS = ENGLISH.lines
_TRAIL = re.compile(r"\s[>»|]\s")  # "Echo > News > Calder Mere": where a page stands, not what it is called
_MAX_HEAD = 14  # lines; no letterhead or page top is longer
_LONGEST_DATE = 120  # characters of a line that is there for its date
_CUE_WORDS = 3  # "first published in", beside a month
_TITLE_WORDS = 40  # a letter's subject can be long


@dataclass(frozen=True, slots=True)
class Head:
    """A title and an ISO 8601 date, each None where the text gives none."""

    title: str | None
    date: str | None


def head_of(paragraphs: Sequence[str]) -> Head:
    """The title and date that a text gives itself in its opening paragraphs, without notices and syntax.

    >>> head_of(["Trust praised", "By Jo Lee", "| 22 March 2017", "It was praised in May 2016 by all."])
    Head(title='Trust praised', date='2017-03-22')
    >>> head_of(["The trust was praised on 3 May 2016 by everyone who had seen it at work."])
    Head(title=None, date=None)
    """
    kept = [paragraph for paragraph in paragraphs if paragraph.strip()]
    head = _head(kept)
    sectioned = any(map(looks_like_heading, kept[len(head) + 1 : -1]))
    return Head(_title(head, sectioned=sectioned), _date([line for block in head for line in block]))


def _head(texts: Sequence[str]) -> list[list[str]]:
    """The blocks before the first paragraph, each as its lines."""
    head: list[list[str]] = []
    for block in texts:
        rows = [block[start:end] for start, end in lines(block)]
        # "Compiled by …. Issued 9 December 2024." is a whole sentence and still belongs to the head.
        stated = (
            head and len(rows) <= 2 and n_words(block) <= 25 and has_date_cue(rows[0]) and dates_in(rows[0])
        )
        if sum(map(len, head)) >= _MAX_HEAD or (_is_paragraph(block, rows) and not stated):
            break
        head.append(rows)
    return head


def _is_paragraph(block: str, rows: Sequence[str]) -> bool:
    return (n_words(block) > 20 and is_complete(block)) or (
        is_complete(block) and len(rows) == 1 and n_words(block) > 12
    )


def _title(head: Sequence[Sequence[str]], *, sectioned: bool) -> str | None:
    subjects = [match[1] for block in head for line in block if (match := _WORDS.subject.match(line))]
    if subjects:
        return " ".join(subjects[0].split())
    greeted = next(
        (row for row, block in enumerate(head) if any(is_salutation(line) for line in block)), None
    )
    if greeted is not None:
        after = [block for block in head[greeted + 1 : greeted + 2] if len(block) == 1]
        return next(
            (_even(block[0]) for block in after if looks_like_heading(block[0], max_words=_TITLE_WORDS)),
            None,
        )
    labelled = False
    titles: list[str] = []
    for block in head:
        first = _even(block[0])
        if _WORDS.label.fullmatch(first.strip(" :")) or _TRAIL.search(first):
            labelled = labelled or len(block) == 1
            first, block = (_even(block[1]), block[1:]) if len(block) > 1 else ("", block)
        if (
            not first
            or is_byline(first)
            or is_date_line(first)
            or _month(first)
            or (is_list_item(block[0]) and len(block) > 1)
        ):
            continue
        if len(block) > 2 and all(is_name_line(line) for line in block):
            continue  # an address
        if looks_like_heading(first, max_words=25) and not (
            labelled and len(block) > 1 and is_name_line(first)
        ):
            second = block[1] if len(block) == 2 else ""
            titles.append(
                f"{first} {second}" if second and second[0].islower() and not is_complete(second) else first
            )
    if not titles:
        return None
    masthead = len(titles) > 1 and is_name_line(titles[0]) and n_words(titles[0]) <= 5 and not sectioned
    return titles[-1] if labelled and not sectioned else titles[1] if masthead else titles[0]


def _even(line: str) -> str:
    return " ".join(line.split())


def _date(head_lines: Sequence[str]) -> str | None:
    later: list[str] = []
    for line in head_lines[: _MAX_HEAD + 6]:
        dates = dates_in(line)
        if not dates:
            continue
        bare = line.strip("*_# ")
        if has_date_cue(bare) and n_words(bare) <= 25 and not _WORDS.updated.search(around_date(bare) or ""):
            return dates[0][2]
        if is_date_line(bare) and not _WORDS.updated.search(bare):
            return dates[0][2]
        if has_date_cue(bare) and n_words(bare) <= 30:
            later.append(_cued(bare) or dates[0][2])
        elif not is_complete(bare) and (
            _WORDS.minutes.search(bare) or bare.endswith(bare[dates[-1][0] : dates[-1][1]])
        ):
            later.append(dates[-1][2])
    return later[0] if later else next(filter(None, map(_month, head_lines[: _MAX_HEAD + 6])), None)


def _month(line: str) -> str | None:
    """The month, or the year of a season, for which a line is there.

    Little stands beside it but that it is of publication.

    >>> _month("March 2017"), _month("Published: Sept. 2018"), _month("The fire of March 2017")
    ('2017-03', '2018-09', None)
    >>> _month("Spring 2017"), _month("The floods of spring 2017")
    ('2017', None)
    """
    found = (months_in(line) or seasons_in(line)) if len(line) <= _LONGEST_DATE else []
    if not found:
        return None
    start, end, iso = found[0]
    beside = " ".join(f"{line[:start]} {line[end:]}".split()).strip(" |·•,;:/()[]*_#–—-")
    cued = has_date_cue(beside) and n_words(beside) <= _CUE_WORDS and not _WORDS.updated.search(beside)
    return iso if not beside or cued else None


def _cued(line: str) -> str | None:
    """The date after "published", where a line also says when it was revised."""
    match = _WORDS.published.search(line)
    dates = dates_in(match[0]) if match else []
    return dates[0][2] if dates else None
