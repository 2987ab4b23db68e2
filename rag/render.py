"""Text for terminals: what a person reads of an answer, a search, an index, a check.

Every function gives lines (rich ``Text``), already folded to the width of a ``Look``; whoever holds the
stream prints them. Nothing from a document, a question or a file name reaches a line but through ``clean``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.style import Style
from rich.text import Text

from rag.citations import locate, location
from rag.context import long_date
from rag.records import Answer, Citation, Document, Freshness, Hit, Location, Status

Source = Callable[[str], Document]  # from a document's id to the document

NARROWEST = 20  # cells; below that folding helps nobody
N_NEAREST = 3  # passages shown when there is no answer: enough to see what the corpus does say
NEAREST_CHARS = 240  # of each: some three lines of a terminal

# All that a terminal may act on instead of showing: controls, marks without width, direction overrides,
# line separators, half surrogates (UTF-8 cannot write them), invisible tags.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
)
_SPACE = re.compile(r"\s+")


def _visible(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"<U+{code:04X}>"


def clean(text: str) -> str:
    r"""The text in one line, with white space evened out and nothing in it that a terminal acts on.

    >>> clean("red\x1b[31m \n  alert \u202egnp.exe")
    'red␛[31m alert <U+202E>gnp.exe'
    """
    return _UNSAFE.sub(_visible, _SPACE.sub(" ", text))


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
_STATUS = {
    Status.ANSWERED: ("answered", "bold green"),
    Status.WEAK: ("weak", "bold yellow"),
    Status.ABSTAINED: ("no answer", "bold magenta"),
}
_FRESHNESS = {
    Freshness.UNCHANGED: ("file unchanged", "dim"),
    Freshness.EDITED: ("file edited since indexing", "bold yellow"),
    Freshness.MISSING: ("file no longer there", "bold red"),
}


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


def _link(text: str, path: str, look: Look) -> Text:
    """A place that a terminal with hyperlinks can open."""
    if not look.colour or not os.path.isabs(path):
        return Text(text)
    return Text(text, style=Style(link=Path(path).as_uri()))


def quoted(quote: str, marks: Iterable[tuple[int, int]], look: Look) -> Text:
    """The quotation in one line with its marked words set off.

    >>> quoted("It was\\n decommissioned.", [(0, 2), (8, 22)], Look()).plain
    '»It« was »decommissioned«.'
    """
    out, at = Text(), 0
    opening, closing = look.marks
    for start, end in [*sorted(marks), (len(quote), len(quote))]:
        begin = max(start, at)
        before = clean(quote[at:begin])
        out.append(before.lstrip() if out.plain.endswith(" ") or not out.plain else before)
        words = clean(quote[begin:end]).strip()
        if words:
            out.append(f"{opening}{words}{closing}", style="bold reverse" if look.colour else "")
        at = max(end, at)
    out.rstrip()
    return out


def _source_line(title: str | None, date: str | None, look: Look) -> str:
    known = [clean(title) if title else "(no title)", long_date(date) if date else "undated"]
    return look.dot.join(known)


def _also_in(places: Sequence[Location], look: Look, indent: str = "  ") -> list[Text]:
    if not places:
        return []
    named = ", ".join(place(other.document, other.line, other.page, look.base) for other in places)
    return fold(Text(f"the same words in {named}", style="dim"), look, indent + "  ", indent)


def _citation(citation: Citation, look: Look) -> list[Text]:
    """The evidence, then whose words they are, where they stand and how fresh that is."""
    lines = fold(quoted(citation.quote, citation.marks, look), look, "  ")
    lines += fold(Text(_source_line(citation.title, citation.date, look), style="dim"), look, "    ", "  ")
    where = _link(place(citation.document, citation.line, citation.page, look.base), citation.document, look)
    if citation.heading and citation.heading != citation.title:
        where.append(f"{look.dot}under “{clean(citation.heading)}”", style="dim")
    words, style = _FRESHNESS[citation.freshness]
    where.append(look.dot)
    where.append(words, style=style)
    return lines + fold(where, look, "    ", "  ") + _also_in(citation.also_in, look)


def _shortened(text: str, limit: int) -> str:
    """The text cut at a word to about ``limit`` characters.

    >>> _shortened("The trust took over in 2014.", 15)
    'The trust took …'
    """
    if len(text) <= limit:
        return text
    return text[:limit].rsplit(" ", 1)[0] + " …"


def _nearest(hit: Hit, source: Source, look: Look) -> list[Text]:
    document = source(hit.passage.document_id)
    page, line = locate(document, hit.passage.start)
    lines = fold(Text(_shortened(clean(hit.passage.text).strip(), NEAREST_CHARS)), look, "  ")
    about = _source_line(document.title, document.date, look)
    lines += fold(Text(about, style="dim"), look, "    ", "  ")
    return lines + fold(
        _link(place(document.path, line, page, look.base), document.path, look), look, "    ", "  "
    )


def answer(given: Answer, source: Source, look: Look) -> list[Text]:
    """The screen of one answer: how sure, the evidence, its source, then what else is worth reading."""
    word, style = _STATUS[given.status]
    head = Text(word, style=style)
    head.append(f"{look.dot}confidence {given.confidence:.0%}", style="dim")
    lines = fold(head, look)
    if given.reason:
        lines += fold(Text(clean(given.reason)), look)
    blocks = [_citation(citation, look) for citation in given.citations]
    if given.status is Status.ANSWERED:
        lines += _parted(blocks[:1]) + _labelled("More evidence:", blocks[1:])
    elif given.status is Status.WEAK:
        lines += _labelled("Nearest evidence:", blocks)
    else:
        near = [_nearest(hit, source, look) for hit in given.hits[:N_NEAREST]]
        lines += _labelled("Nearest passages, which do not answer it:", near)
    for notice in given.notices:
        lines += [Text(), *fold(Text(clean(notice)), look, "      ", "note: ")]
    return lines


def _parted(blocks: Sequence[Sequence[Text]]) -> list[Text]:
    """The blocks, an empty line before each."""
    return [line for block in blocks for line in (Text(), *block)]


def _labelled(label: str, blocks: Sequence[Sequence[Text]]) -> list[Text]:
    return [Text(), Text(label, style="bold"), *_parted(blocks)] if blocks else []


def hits(found: Sequence[Hit], source: Source, look: Look, *, explain: bool = False) -> list[Text]:
    """The screen of a search: every passage with its place, and what each ranker said when asked to explain."""
    lines: list[Text] = []
    for number, hit in enumerate(found, start=1):
        document = source(hit.passage.document_id)
        page, line = locate(document, hit.passage.start)
        lead = f"{number}. "
        indent = " " * len(lead)
        where = _link(place(document.path, line, page, look.base), document.path, look)
        where.append(look.dot + _source_line(document.title, document.date, look), style="dim")
        lines += [Text(), *fold(where, look, indent, lead)] if lines else fold(where, look, indent, lead)
        lines += fold(Text(clean(hit.passage.text).strip()), look, indent)
        if explain:
            said = [f"{hit.ranker} {hit.score:.4f}"]
            said += [f"{one.ranker} #{one.rank} ({one.score:.4f})" for one in hit.ranked]
            lines += fold(Text(look.dot.join(said), style="dim"), look, indent + "  ", indent)
        others = [location(source(other.document_id), other.start, other.end) for other in hit.duplicates]
        lines += _also_in(others, look, indent)
    return lines or [Text("No passage was found.")]


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
