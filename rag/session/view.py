"""The screens of a session: one piece of evidence at a time, made of what ``rag.output.render`` draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rich.text import Text

from rag.output import render
from rag.output.lines import Look, fold
from rag.output.render import Source
from rag.records import Answer, Citation, Document, Status
from rag.session.turns import Turn
from rag.text.sinks import clean

LONGEST_QUOTE = 1200  # characters of evidence shown at once: some fifteen lines; :more shows all
LONGEST_NAME = 160  # characters of a title or heading shown

_WORDS = ((0.95, "almost certain"), (0.85, "very likely"), (0.65, "likely"), (0.4, "uncertain"))


def sureness(confidence: float) -> str:
    """A confidence in words.

    >>> sureness(0.97), sureness(0.7), sureness(0.1)
    ('almost certain', 'likely', 'doubtful')
    """
    return next((word for least, word in _WORDS if confidence >= least), "doubtful")


def _short_name(name: str | None) -> str | None:
    return name if name is None or len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def cropped(citation: Citation, longest: int = LONGEST_QUOTE) -> Citation:
    """The citation with a quote that fits a screen: the characters around its first mark."""
    named = replace(citation, title=_short_name(citation.title), heading=_short_name(citation.heading))
    if len(citation.quote) <= longest:
        return named
    first, last = citation.marks[0] if citation.marks else (0, 0)
    start = max(0, min(first - longest // 4, len(citation.quote) - longest))
    end = min(len(citation.quote), max(start + longest, min(last, start + 2 * longest)))
    marks = [(max(a, start) - start, min(b, end) - start) for a, b in citation.marks]
    return replace(
        named,
        start=citation.start + start,
        end=citation.start + end,
        quote=citation.quote[start:end],
        marks=tuple((a, b) for a, b in marks if a < b),
    )


def short_source(source: Source) -> Source:
    """The documents with titles that fit a screen."""

    def of(document_id: str) -> Document:
        document = source(document_id)
        return replace(document, title=_short_name(document.title))

    return of


def _blocks(answer: Answer, source: Source, look: Look) -> tuple[list[Text], list[Text]]:
    """What ``render.answer`` says above its first empty line, and below."""
    drawn = render.answer(answer, short_source(source), look)
    room = look.width
    lines = [
        part for line in drawn for part in (fold(line, look) if room and line.cell_len > room else [line])
    ]
    at = next((i for i, line in enumerate(lines) if not line.plain.strip()), len(lines))
    return lines[:at], lines[at + 1 :]


def head(turn: Turn, look: Look, *, n_allowed: tuple[int, int] | None = None) -> list[Text]:
    """What was asked, where that is not what was typed; the filters; how many documents they let through."""
    lines: list[Text] = []
    arrow = "→ " if look.unicode else "-> "
    if turn.completed.changed:
        asked = Text(clean(turn.question), style="italic")
        asked.append(f"  ({clean(turn.completed.why)}; :edit)", style="dim not italic")
        lines += fold(asked, look, "  ", arrow)
    written = turn.filters.written()
    if written:
        told = f"only {clean(written)}"
        if n_allowed is not None:
            n, of = n_allowed
            told += f"{look.dot}{n} of {of} documents"
        lines += fold(Text(told, style="dim"), look, "  ", arrow)
    return lines


def answer(turn: Turn, position: int, source: Source, look: Look) -> list[Text]:
    """One answer with the piece of evidence at ``position``, from 0."""
    given = turn.answer
    notices = [
        line
        for notice in given.notices
        for line in (Text(), *fold(Text(clean(notice)), look, "      ", "note: "))
    ]
    if given.status is Status.ABSTAINED:
        above, below = _blocks(replace(given, notices=()), source, look)
        return [*above, *([Text(), *below] if below else []), *notices]
    above, below = evidence(given, position, source, look)
    foot = _foot(above[0], given, position, look)
    if given.status is Status.ANSWERED:
        return [*below, Text(), *foot, *notices]
    return [*foot, *above[1:], Text(), *below, *notices]


def evidence(given: Answer, position: int, source: Source, look: Look) -> tuple[list[Text], list[Text]]:
    """The verdict, and one piece of evidence with whose words they are and where they stand."""
    alone = replace(given, citations=(cropped(given.citations[position]),), notices=(), disagreements=())
    above, below = _blocks(alone, source, look)
    if len(given.citations[position].quote) > LONGEST_QUOTE:
        below += fold(Text("part of a long sentence; :more shows it whole", style="dim"), look, "  ")
    return above, below


def _foot(verdict: Text, given: Answer, position: int, look: Look) -> list[Text]:
    line = verdict.copy()
    line.append(f", {sureness(given.confidence)}", style="dim")
    if len(given.citations) > 1:
        line.append(f"{look.dot}evidence {position + 1} of {len(given.citations)}", style="dim")
        line.append(f"{look.dot}:next" if position + 1 < len(given.citations) else f"{look.dot}:prev", "dim")
    return fold(line, look, "  ", "")


def suggestions(subjects: Sequence[str], spellings: Sequence[tuple[str, str]], look: Look) -> list[Text]:
    """What the documents do speak of, and how they spell what they do not have."""
    lines: list[Text] = []
    opening, closing = ("“", "”") if look.unicode else ('"', '"')
    for typed, known in spellings:
        sentence = f"{opening}{clean(typed)}{closing} stands nowhere in these documents; "
        sentence += f"{opening}{clean(known)}{closing} does."
        lines += [Text(), *fold(Text(sentence), look)]
    if subjects:
        lines += [Text(), Text("Near this, the documents speak of:", style="bold")]
        bullet = "· " if look.unicode else "- "
        for subject in subjects:
            lines += fold(Text(clean(subject)), look, "    ", f"  {bullet}")
    return lines
