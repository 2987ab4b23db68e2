"""The document somebody names, and the lines of it around a place."""

from __future__ import annotations

import difflib
import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

from rag.citations import locate
from rag.errors import DocumentNotFoundError
from rag.records import Document
from rag.text.sinks import shell_word

N_CANDIDATES = 8  # named when a name fits several documents, or none
_PLACE = re.compile(r"(?P<name>.+?)(?::p(?P<page>\d+))?(?::(?P<line>\d+))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Named:
    """What ``minutes.md:12`` or ``review.pdf:p3:4`` asks for."""

    name: str
    page: int | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a document's text; ``wanted`` is the one asked for, ``start`` its first character."""

    text: str
    page: int | None
    number: int
    wanted: bool = False
    start: int = 0


def parse_name(text: str, paths: Sequence[str] = ()) -> Named:
    """A document's name with the page and line asked for; a path that itself ends like that goes first.

    >>> parse_name("minutes.md:12"), parse_name("review.pdf:p3")
    (Named(name='minutes.md', page=None, line=12), Named(name='review.pdf', page=3, line=None))
    """
    if any(path == text or Path(path).name == text for path in paths):
        return Named(text)
    match = _PLACE.fullmatch(text)
    if match is None:
        return Named(text)
    page, line = match["page"], match["line"]
    return Named(match["name"], int(page) if page else None, int(line) if line else None)


def find_path(name: str, paths: Sequence[str]) -> str:
    """The one indexed path that a name means: the path itself, its last part, its end, or any part of it.

    Raises DocumentNotFoundError naming the candidates when several fit, or the nearest when none does.

    >>> find_path("minutes", ["/d/minutes.md", "/d/letter.txt"])
    '/d/minutes.md'
    """
    try:
        absolute = str(Path(name).expanduser().absolute())
    except RuntimeError:  # "~name" where there is no user of that name
        absolute = name
    tests = (
        lambda path: path in (name, absolute),
        lambda path: Path(path).name == name or Path(path).stem == name,
        lambda path: path.endswith("/" + name.removeprefix("./")),
        lambda path: name.casefold() in Path(path).name.casefold(),
        lambda path: name.casefold() in path.casefold(),
    )
    for test in tests:
        fitting = [path for path in paths if test(path)]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            raise DocumentNotFoundError(
                f"{len(fitting)} documents go by the name {name!r}", "name one of:\n" + _listed(fitting)
            )
    by_name = {Path(path).name: path for path in paths}
    near = [by_name[one] for one in difflib.get_close_matches(name, by_name, n=3, cutoff=0.4)]
    hint = "the nearest names are:\n" + _listed(near) if near else "rag info --documents  # lists them all"
    raise DocumentNotFoundError(f"no document in the store goes by the name {name!r}", hint)


def _listed(paths: Sequence[str]) -> str:
    more = [f"  and {len(paths) - N_CANDIDATES} more"] if len(paths) > N_CANDIDATES else []
    return "\n".join([*(f"  {path}" for path in paths[:N_CANDIDATES]), *more])


def lines_of(document: Document) -> list[tuple[int | None, int, str]]:
    """Every line of the text with its page (None where there are none) and its number on it, both from 1."""
    lines: list[tuple[int | None, int, str]] = []
    start, last_page, count = 0, None, 0
    for text in document.text.split("\n"):
        page, number = (None, None) if not document.places else locate(document, start)
        count = 1 if page != last_page else count + 1
        last_page = page
        lines.append((page, number if number is not None else count, text.rstrip("\r\f")))
        start += len(text) + 1
    return lines


def around(document: Document, named: Named, context: int) -> list[Line]:
    """The lines within ``context`` of the place named; the whole document when no place is.

    Raises DocumentNotFoundError when the document has no such page or line.
    """
    every = _every_line(document)
    if named.page is None and named.line is None:
        return every
    at = next(
        (
            index
            for index, line in enumerate(every)
            if named.page in (None, line.page) and (named.line is None or line.number >= named.line)
        ),
        None,
    )
    if at is None:
        end = every[-1]
        last = f"page {end.page}" if named.page is not None and end.page is not None else f"line {end.number}"
        wanted = f"page {named.page}" if named.page is not None else f"line {named.line}"
        raise DocumentNotFoundError(
            f"{document.path} has no {wanted}; it ends at {last}", f"rag show {shell_word(document.path)}"
        )
    return _near(every, at, at, context)


def around_characters(document: Document, start: int, end: int, context: int) -> list[Line]:
    """The lines that hold characters start..end, as the wanted ones, and ``context`` more on each side.

    Raises DocumentNotFoundError when the document ends before ``start``.
    """
    if start >= len(document.text):
        raise DocumentNotFoundError(
            f"{document.path} has no character {start}; it ends at {len(document.text)}",
            f'rag show "{document.path}"',
        )
    every = _every_line(document)
    starts = [line.start for line in every]
    return _near(
        every, bisect_right(starts, start) - 1, bisect_left(starts, max(end, start + 1)) - 1, context
    )


def _every_line(document: Document) -> list[Line]:
    starts = accumulate((len(text) + 1 for text in document.text.split("\n")), initial=0)
    return [
        Line(text, page, number, start=start)
        for (page, number, text), start in zip(lines_of(document), starts, strict=False)
    ]


def _near(every: Sequence[Line], first: int, last: int, context: int) -> list[Line]:
    """Lines first..last, marked as the wanted ones, among ``context`` more on each side."""
    return [
        replace(line, wanted=first <= index <= last)
        for index, line in enumerate(every)
        if first - context <= index <= last + context
    ]
