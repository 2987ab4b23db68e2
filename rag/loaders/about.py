"""What a document's opening lines say about it: its title and its date.

Only the head of the text is read: the short lines before its first paragraph. A date in the running text is
what the text is about, not when it was written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag import boilerplate
from rag.dates import around_date, dates_in
from rag.layout import (
    blocks,
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
    plain_heading,
)

_LABEL = re.compile(
    r"(?:press|news|media) release|press notice|for immediate release|memo(?:randum)?|news|report|draft|confidential"
    r"|private and confidential|minutes|agenda|briefing(?: note)?|statement|comment|opinion|contents",
    re.IGNORECASE,
)
_UPDATED = re.compile(r"\b(?:updated|revised|last checked)\b", re.IGNORECASE)
_MINUTES = re.compile(r"\b(?:minutes|meeting|held on|notes of)\b", re.IGNORECASE)
_MAX_HEAD = 14  # lines; no letterhead or page top is longer
_TITLE_WORDS = 40  # a letter's subject can be long


@dataclass(frozen=True, slots=True)
class About:
    """A title and an ISO 8601 date, each None where the text gives none."""

    title: str | None
    date: str | None


def about(text: str, *, wrapped_title: bool = True) -> About:
    """The title and date that a text gives itself in its opening lines.

    >>> about("Trust praised\\n\\nBy Jo Lee\\n\\n| 22 March 2017\\n\\nThe trust was praised in May 2016 by all.")
    About(title='Trust praised', date='2017-03-22')
    >>> about("The trust was praised on 3 May 2016 by everyone who had seen it at work.")
    About(title=None, date=None)
    """
    head = _head(text)
    return About(_title(head), _date([line for block in head for line in block]))


def _head(text: str) -> list[list[str]]:
    """The blocks before the first paragraph, each as its lines; the first paragraph's first line may end it."""
    ranges = blocks(text[:20_000])
    texts = [text[block.start : block.end] for block in ranges]
    head: list[list[str]] = []
    count = 0
    for block, notice in zip(texts, boilerplate.reasons(texts), strict=True):
        if notice is not None or block.startswith(("```", "---")):
            continue
        rows = [block[start:end] for start, end in lines(block)]
        if count >= _MAX_HEAD:
            break
        if not head or not _is_paragraph(block, rows):
            head.append(rows)
            count += len(rows)
            if _is_paragraph(block, rows):
                break
        else:
            if has_date_cue(rows[0]) and len(rows) <= 2:  # "Compiled by …, issued 9 December 2024."
                head.append(rows)
                continue
            break
    return head


def _is_paragraph(block: str, rows: Sequence[str]) -> bool:
    return (n_words(block) > 20 and is_complete(block)) or (
        is_complete(block) and len(rows) == 1 and n_words(block) > 12
    )


def _title(head: Sequence[Sequence[str]]) -> str | None:
    greeted = next(
        (row for row, block in enumerate(head) if any(is_salutation(line) for line in block)), None
    )
    if greeted is not None:
        after = [block for block in head[greeted + 1 : greeted + 2] if len(block) == 1]
        return next(
            (
                plain_heading(block[0])
                for block in after
                if looks_like_heading(block[0], max_words=_TITLE_WORDS)
            ),
            None,
        )
    labelled = False
    found: list[str] = []
    for block in head:
        first = plain_heading(block[0])
        if _LABEL.fullmatch(first.strip(" :")):
            labelled = True
            continue
        if len(block) > 2 and all(is_name_line(line) for line in block):
            continue  # an address
        if is_byline(first) or (is_list_item(block[0]) and len(block) > 1) or is_date_line(first):
            continue
        if labelled and len(block) > 1:
            continue
        if looks_like_heading(first, max_words=25):
            second = block[1] if len(block) == 2 else ""
            found.append(
                f"{first} {second}" if second and second[0].islower() and not is_complete(second) else first
            )
    return None if not found else found[-1] if labelled else found[0]


def _date(head_lines: Sequence[str]) -> str | None:
    later: list[str] = []
    for line in head_lines[: _MAX_HEAD + 6]:
        dates = dates_in(line)
        if not dates:
            continue
        bare = line.strip("*_# ")
        if has_date_cue(bare) and n_words(bare) <= 25 and not _UPDATED.search(around_date(bare) or ""):
            return dates[0][2]
        if is_date_line(bare) and not _UPDATED.search(bare):
            return dates[0][2]
        if has_date_cue(bare) and n_words(bare) <= 30:
            later.append(_cued(bare) or dates[0][2])
        elif not is_complete(bare) and (
            _MINUTES.search(bare) or bare.endswith(bare[dates[-1][0] : dates[-1][1]])
        ):
            later.append(dates[-1][2])
    return later[0] if later else None


def _cued(line: str) -> str | None:
    """The date after "published", where a line also says when it was revised."""
    match = re.search(r"\b(?:published|issued|posted|first published)\b[^.;]*", line, re.IGNORECASE)
    found = dates_in(match[0]) if match else []
    return found[0][2] if found else None
