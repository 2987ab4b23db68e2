"""Lines for terminals: folded to a width, in colour or plain, and nothing in them that a terminal acts on.

Nothing from a document, a question or a file name reaches a line but through ``clean``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from rich.console import Console
from rich.style import Style
from rich.text import Text

from rag.citations import marked_parts
from rag.text.dates import long_date
from rag.text.sinks import clean

NARROWEST = 20  # cells; below that folding helps nobody
NEAREST_CHARS = 240  # of a passage that is shown in part: some three lines of a terminal


@dataclass(frozen=True, slots=True)
class Look:
    """How lines are drawn: cells to fold at (None: never), colour or plain, the folder paths count from."""

    width: int | None = None
    colour: bool = False
    unicode: bool = True
    base: Path | None = None

    @property
    def marks(self) -> tuple[str, str]:
        """What stands around the answering words when they cannot be coloured."""
        if self.colour:
            return "", ""
        return ("»", "«") if self.unicode else ("**", "**")

    @property
    def dot(self) -> str:
        """What parts the fields of a line."""
        return " · " if self.unicode else " - "


_PLAIN = Console(width=1000, color_system=None, force_terminal=False)  # rich wants one to fold a text


def fold(text: Text, look: Look, indent: str = "", first: str | None = None) -> list[Text]:
    """The text in lines of the look's width, each indented, the first one by ``first``.

    >>> [line.plain for line in fold(Text("one two three"), Look(width=20), " " * 12, first="- ")]
    ['- one two', '            three']
    """
    lead = indent if first is None else first
    if look.width is None:
        return [Text(lead) + text]
    room = max(look.width, NARROWEST) - max(len(indent), len(lead))
    lines = text.wrap(_PLAIN, max(room, 8), overflow="fold")
    folded = []
    for number, line in enumerate(lines):
        line.rstrip()
        folded.append(Text(indent if number else lead) + line)
    return folded or [Text(lead.rstrip())]


def short_path(path: str, base: Path | None) -> str:
    """The path from ``base`` when it lies under it, else as it is; fit to print.

    >>> short_path("/home/u/docs/a.txt", Path("/home/u")), short_path("/etc/a.txt", Path("/home/u"))
    ('docs/a.txt', '/etc/a.txt')
    """
    if base is not None and Path(path).is_relative_to(base):
        return clean(os.path.relpath(path, base))
    return clean(path)


def place(path: str, line: int | None, page: int | None, base: Path | None = None) -> str:
    """Where something stands, as an editor understands it where there are lines.

    >>> place("/d/a.txt", 12, None), place("/d/a.pdf", 4, 3), place("/d/a.pdf", None, 3)
    ('/d/a.txt:12', '/d/a.pdf, page 3, line 4', '/d/a.pdf, page 3')
    """
    name = short_path(path, base)
    if page is None:
        return f"{name}:{line}" if line is not None else name
    return f"{name}, page {page}" + (f", line {line}" if line is not None else "")


def link(text: str, path: str, look: Look) -> Text:
    """A place that a terminal with hyperlinks can open."""
    if not look.colour or not Path(path).is_absolute():
        return Text(text)
    return Text(text, style=Style(link=Path(path).as_uri()))


def quoted(quote: str, marks: Iterable[tuple[int, int]], look: Look) -> Text:
    """The quotation in one line with its marked words set off.

    >>> quoted("It was\\n decommissioned.", [(0, 2), (8, 22)], Look()).plain
    '»It« was »decommissioned«.'
    """
    out = Text()
    opening, closing = look.marks
    for part, marked in marked_parts(quote, marks):
        words = clean(part)
        if not marked:
            out.append(words.lstrip() if out.plain.endswith(" ") or not out.plain else words)
        elif words.strip():
            out.append(f"{opening}{words.strip()}{closing}", style="bold reverse" if look.colour else "")
    out.rstrip()
    return out


def source_line(
    title: str | None, date: str | None, look: Look, counted: Mapping[str, str] = MappingProxyType({})
) -> str:
    """A document's title and date in one line; what is unknown is said to be.

    Words that are ``counted`` from that date are said with what they come to.

    >>> source_line("Minutes", "2017-03-22", Look(), {"last October": "2016-10"})
    'Minutes · 22 March 2017 · “last October” from then: October 2016'
    """
    known = [clean(title) if title else "(no title)", long_date(date) if date else "undated"]
    known += [f"“{clean(words)}” from then: {long_date(iso)}" for words, iso in counted.items()]
    return look.dot.join(known)


def shortened(text: str, limit: int) -> str:
    """The text cut at a word to about ``limit`` characters.

    >>> shortened("The trust took over in 2014.", 15)
    'The trust took …'
    """
    if len(text) <= limit:
        return text
    return text[:limit].rsplit(" ", 1)[0] + " …"


def rows(pairs: Sequence[tuple[str, str]], look: Look) -> list[Text]:
    """Names and values in two columns, the values folded within theirs.

    >>> [line.plain for line in rows([("store", "/tmp/s"), ("passages", "12")], Look())]
    ['store     /tmp/s', 'passages  12']
    """
    wide = max((len(name) for name, _ in pairs), default=0) + 2
    lines: list[Text] = []
    for name, value in pairs:
        if look.width is not None and look.width < wide + 24:  # too narrow for columns
            lines += [Text(name, style="bold"), *fold(Text(clean(value)), look, "  ")]
        else:
            line = fold(Text(clean(value)), look, " " * wide, name.ljust(wide))
            line[0].stylize("bold", 0, len(name))
            lines += line
    return lines
