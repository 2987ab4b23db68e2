"""Text for terminals: what a person reads of an answer, a search, an index, a check.

Every function gives lines (rich ``Text``), already folded to the width of a ``Look``; whoever holds the
stream prints them. Nothing from a document, a question or a file name reaches a line but through ``clean``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.style import Style
from rich.text import Text

from rag.citations import locate, location
from rag.records import Answer, Citation, Document, Freshness, Hit, Location, Status
from rag.text.dates import long_date
from rag.text.sinks import clean

if TYPE_CHECKING:
    from rag.checks.doctor import Finding
    from rag.checks.hygiene import Hygiene, KeptOut
    from rag.checks.verify import Checked
    from rag.indexing import IndexSummary
    from rag.store.lookup import Line

Source = Callable[[str], Document]  # from a document's id to the document

NARROWEST = 20  # cells; below that folding helps nobody
N_NEAREST = 3  # passages shown when there is no answer: enough to see what the corpus does say
NEAREST_CHARS = 240  # of each: some three lines of a terminal


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
    Freshness.UNREADABLE: ("file cannot be read now", "bold red"),
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
    """The screen of a search: every passage with its place; what each ranker said, if asked to explain."""
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
            said = [f"{one.ranker} #{one.rank} ({one.score:.4f})" for one in hit.ranked]
            if hit.ranker not in {one.ranker for one in hit.ranked}:
                said.insert(0, f"{hit.ranker} {hit.score:.4f}")
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


def excerpt(document: Document, lines: Sequence[Line], fresh: Freshness, look: Look) -> list[Text]:
    """Numbered lines of a document as it was indexed, the wanted one marked, page by page."""
    head = fold(Text(_source_line(document.title, document.date, look), style="bold"), look)
    where = _link(short_path(document.path, look.base), document.path, look)
    words, style = _FRESHNESS[fresh]
    where.append(look.dot)
    where.append(words if fresh is Freshness.UNCHANGED else f"{words}; this is the indexed text", style=style)
    shown = [*head, *fold(where, look), Text()]
    wide = max((len(str(line.number)) for line in lines), default=1)
    page: int | None = None
    for line in lines:
        if line.page != page:
            page = line.page
            shown.append(Text(f"page {page}", style="dim"))
        lead = f"{'>' if line.wanted else ' '} {line.number:>{wide}}  "
        text = Text(clean(line.text).rstrip(), style="bold" if line.wanted else "")
        shown += fold(text, look, " " * len(lead), lead)
    return shown


def checked(one: Checked, look: Look) -> list[Text]:
    """A citation that no longer stands: what became of it, where it was, where its words are now."""
    cited, found = one.cited, one.found is not None
    line = Text(str(one.verdict), style="bold yellow" if found else "bold red")
    line.append(f"  {short_path(cited.document, look.base)}, characters {cited.start} to {cited.end}")
    if one.found is not None:
        now = place(one.found.document, one.found.line, one.found.page, look.base)
        line.append(f", now at {now}, characters {one.found.start} to {one.found.end}")
    else:
        line.append(f": {clean(one.detail)}")
    quote = Text(_shortened(clean(cited.quote).strip(), NEAREST_CHARS), style="dim")
    if one.changes:
        quote = _changed_words(one.changes, look)
    return fold(line, look, "    ", "") + fold(quote, look, "    ", "  ")


def _changed_words(changes: Sequence[tuple[str, str]], look: Look) -> Text:
    """The words of then and of now in one line, those that are gone and those that are new set off."""
    marks = {"gone": ("[-", "-]", "red"), "new": ("{+", "+}", "green"), "same": ("", "", "dim")}
    out = Text()
    for what, words in changes:
        opening, closing, style = marks[what]
        out.append(" " if out.plain else "")
        out.append(f"{opening}{clean(words)}{closing}", style=style if look.colour or what == "same" else "")
    return out


def findings(found: Sequence[Finding], look: Look) -> list[Text]:
    """What the doctor found, one check a line, with the remedy under each that is not well."""
    lines: list[Text] = []
    for finding in found:
        mark = "ok " if finding.good else "bad"
        line = Text(f"{finding.check}: {clean(finding.detail)}")
        folded = fold(line, look, "     ", f"{mark}  ")
        folded[0].stylize("green" if finding.good else "bold red", 0, 3)
        lines += folded
        if finding.remedy:
            lines.append(Text(f"     -> {clean(finding.remedy)}"))  # whole: somebody pastes it into a shell
    return lines


def _count(n: int, noun: str) -> str:
    """The number with its noun.

    >>> _count(1, "file"), _count(1200, "file")
    ('1 file', '1,200 files')
    """
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def summary(done: IndexSummary, store: Path, look: Look) -> list[Text]:
    """What an indexing run did, and what the store now holds."""
    became = ("added", "changed", "renamed", "removed", "unchanged")
    told = [f"{getattr(done, what):,} {what}" for what in became if getattr(done, what)]
    if done.problems:
        told.append(f"{len(done.problems):,} skipped")
    kept_out = f"{_count(done.n_excluded, 'passage')} kept out as boilerplate"
    if done.n_excluded:
        kept_out += " (rag index --report lists them)"
    repeats = f"{_count(done.duplicates, 'passage')} with words that stand elsewhere too"
    how = (
        f"generation {done.generation}"
        if done.committed
        else f"nothing to do, still generation {done.generation}"
    )
    return rows(
        [
            ("files", ", ".join(told) or "none"),
            ("documents", f"{done.n_documents:,}, in {_count(done.n_passages, 'passage')}"),
            ("left out", kept_out),
            ("repeats", repeats),
            ("encoded", f"{_count(done.embedded, 'text')} new, {done.reused:,} known"),
            ("store", f"{short_path(str(store), look.base)} ({how}, {done.seconds:.1f} s)"),
        ],
        look,
    )


def hygiene(found: Hygiene, look: Look) -> list[Text]:
    """What was kept out, by file and with its key; then repeats, encodings, undated files and notes."""
    lines: list[Text] = []
    by_file: dict[str, list[KeptOut]] = {}
    for one in found.kept_out:
        by_file.setdefault(one.where.document, []).append(one)
    if by_file:
        lines += _headed("Kept out of answers; bring a text back with: rag index --keep KEY", look)
    for path, kept_out in by_file.items():
        lines += fold(Text(short_path(path, look.base)), look, "    ", "  ")
        for one in kept_out:
            said = Text(f"{one.key}  {clean(one.reason)}{_at(one.where)}: ")
            said.append(_shortened(clean(one.text).strip(), NEAREST_CHARS), style="dim")
            lines += fold(said, look, " " * 18, "    ")
    if found.brought_back:
        lines += _headed("Brought back; leave a text out again with: rag index --drop KEY", look)
        lines += [Text(f"  {clean(key)}") for key in found.brought_back]
    if found.twins:
        lines += _headed("Standing in several places, answered once", look)
    for twin in found.twins:
        places = ", ".join(place(one.document, one.line, one.page, look.base) for one in twin.places)
        lines += fold(Text(places), look, "    ", "  ")
        lines += fold(Text(_shortened(clean(twin.text).strip(), NEAREST_CHARS), style="dim"), look, "    ")
    if found.encodings:
        lines += _headed("Not in UTF-8", look)
        lines += _pairs(found.encodings, look)
    if found.undated:
        lines += _headed("Without a date, so left out by --after and --before", look)
        for path in found.undated:
            lines += fold(Text(short_path(path, look.base)), look, "    ", "  ")
    if found.notes:
        lines += _headed("Decided while reading", look)
        lines += _pairs(found.notes, look)
    return [*lines, Text()] if lines else []


def _at(where: Location) -> str:
    """Line and page of a place, in words; nothing where neither is known."""
    known = [f"{name} {at}" for name, at in (("page", where.page), ("line", where.line)) if at is not None]
    return f" on {', '.join(known)}" if known else ""


def _headed(title: str, look: Look) -> list[Text]:
    return [Text(), *fold(Text(title, style="bold"), look)]


def _pairs(pairs: Iterable[tuple[str, str]], look: Look) -> list[Text]:
    """Each path with what is said of it."""
    return [
        line
        for path, said in pairs
        for line in fold(Text(f"{short_path(path, look.base)}: {clean(said)}"), look, "    ", "  ")
    ]
