"""What a person reads of an answer, a search and an excerpt.

Every function gives lines (rich ``Text``), already folded to the width of a ``Look``; whoever holds the
stream prints them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from rag.citations import date_at, locate, location
from rag.output.dates import counted_dates
from rag.output.lines import (
    NEAREST_CHARS,
    Look,
    fold,
    link,
    place,
    quoted,
    short_path,
    shortened,
    source_line,
)
from rag.records import Answer, Citation, Document, Freshness, Hit, Location, Status
from rag.text.markup import plain_words, without_syntax
from rag.text.sinks import clean

if TYPE_CHECKING:
    from rag.store.lookup import Line


Source = Callable[[str], Document]  # from a document's id to the document
N_NEAREST = 3  # passages shown when there is no answer: enough to see what the corpus does say
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


def _also_in(places: Sequence[Location], look: Look, indent: str = "  ") -> list[Text]:
    if not places:
        return []
    named = ", ".join(place(other.document, other.line, other.page, look.base) for other in places)
    return fold(Text(f"the same words in {named}", style="dim"), look, indent + "  ", indent)


def _citation(citation: Citation, look: Look) -> list[Text]:
    """The evidence, then whose words they are, where they stand and how fresh that is."""
    quote, marks = without_syntax(citation.quote, citation.media_type, citation.marks)
    lines = fold(quoted(quote, marks, look), look, "  ")
    if citation.lead:
        lead = Text(clean(plain_words(citation.lead.text, citation.media_type)), style="dim")
        lines = [*fold(lead, look, "  "), *lines]
    about = source_line(citation.title, citation.date, look, counted_dates(quote, citation.date))
    lines += fold(Text(about, style="dim"), look, "    ", "  ")
    where = link(place(citation.document, citation.line, citation.page, look.base), citation.document, look)
    if citation.heading and citation.heading != citation.title:
        where.append(f"{look.dot}under “{clean(citation.heading)}”", style="dim")
    words, style = _FRESHNESS[citation.freshness]
    where.append(look.dot)
    where.append(words, style=style)
    return lines + fold(where, look, "    ", "  ") + _also_in(citation.also_in, look)


def _nearest(hit: Hit, source: Source, look: Look) -> list[Text]:
    document = source(hit.passage.document_id)
    page, line = locate(document, hit.passage.start)
    lines = fold(Text(shortened(clean(hit.passage.text).strip(), NEAREST_CHARS)), look, "  ")
    about = source_line(document.title, date_at(document, hit.passage.start), look)
    lines += fold(Text(about, style="dim"), look, "    ", "  ")
    return lines + fold(
        link(place(document.path, line, page, look.base), document.path, look), look, "    ", "  "
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


def hits(ranked: Sequence[Hit], source: Source, look: Look, *, explain: bool = False) -> list[Text]:
    """The screen of a search: every passage with its place; what each ranker said, if asked to explain."""
    lines: list[Text] = []
    for number, hit in enumerate(ranked, start=1):
        document = source(hit.passage.document_id)
        page, line = locate(document, hit.passage.start)
        lead = f"{number}. "
        indent = " " * len(lead)
        where = link(place(document.path, line, page, look.base), document.path, look)
        where.append(look.dot + source_line(document.title, document.date, look), style="dim")
        lines += [Text(), *fold(where, look, indent, lead)] if lines else fold(where, look, indent, lead)
        lines += fold(Text(clean(hit.passage.text).strip()), look, indent)
        if explain:
            scores = [f"{place.ranker} #{place.rank} ({place.score:.4f})" for place in hit.ranked]
            if hit.ranker not in {place.ranker for place in hit.ranked}:
                scores.insert(0, f"{hit.ranker} {hit.score:.4f}")
            lines += fold(Text(look.dot.join(scores), style="dim"), look, indent + "  ", indent)
        others = [location(source(other.document_id), other.start, other.end) for other in hit.duplicates]
        lines += _also_in(others, look, indent)
    return lines or [Text("No passage was found.")]


def excerpt(document: Document, lines: Sequence[Line], fresh: Freshness, look: Look) -> list[Text]:
    """Numbered lines of a document as it was indexed, the wanted one marked, page by page."""
    head = fold(Text(source_line(document.title, document.date, look), style="bold"), look)
    where = link(short_path(document.path, look.base), document.path, look)
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
