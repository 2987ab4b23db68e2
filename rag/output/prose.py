"""What `rag check` shows: findings for a terminal, and a copy of the text with footnotes that cite."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

from rag.checks.prose import Change, ClaimCheck, ClaimVerdict, Standing
from rag.output.lines import Look, fold, place, shortened
from rag.output.references import escaped
from rag.records import Freshness
from rag.text.sinks import clean

_STYLES = {
    ClaimVerdict.VERBATIM: "green",
    ClaimVerdict.TYPOGRAPHY: "green",
    ClaimVerdict.ELIDED: "green",
    ClaimVerdict.ELSEWHERE: "bold yellow",
    ClaimVerdict.DIFFERS: "bold yellow",
    ClaimVerdict.NOWHERE: "bold red",
}
_FRESH = {
    Freshness.UNCHANGED: "file unchanged",
    Freshness.EDITED: "file edited since indexing",
    Freshness.MISSING: "file no longer there",
    Freshness.UNREADABLE: "file cannot be read now",
}
SHOWN_CHARS = 400  # of a document's words; the place says where the rest is


def finding(one: ClaimCheck, look: Look) -> list[Text]:
    """One claim: its verdict, what it was compared with, and the documents' words with their place."""
    claim = one.claim
    head = Text(str(one.verdict), style=_STYLES[one.verdict])
    head.append(f"  line {claim.line}, {claim.kind} “{shortened(clean(claim.words), SHOWN_CHARS)}”")
    lines = fold(head, look, "    ", "")
    lines += fold(Text(clean(one.detail)), look, "    ", "  ")
    if not one.stands:
        lines += fold(Text(f"compared {clean(one.compared)}", style="dim"), look, "    ", "  ")
    if one.found is not None:
        if any(not change.same for change in one.diff):
            lines += fold(diff(one.diff, look), look, "    ")
        elif one.verdict is not ClaimVerdict.VERBATIM or one.found.quote != claim.words:
            lines += fold(Text(shortened(clean(one.found.quote).strip(), SHOWN_CHARS)), look, "    ")
        lines += fold(Text(_source(one.found, look), style="dim"), look, "      ", "    ")
    if one.n_places > 1:
        lines += fold(Text(f"in {one.n_places} places", style="dim"), look, "      ", "    ")
    return lines


def _source(found: Standing, look: Look) -> str:
    where = found.where
    return look.dot.join(
        [
            place(where.document, where.line, where.page, look.base),
            f"characters {where.start} to {where.end}",
            _FRESH[found.fresh],
        ]
    )


def diff(changes: Sequence[Change], look: Look) -> Text:
    """A word diff: [-the text's words-] {+the document's+}, coloured where that can be seen.

    >>> diff([Change("in", "in"), Change("May", "June"), Change("", "2016")], Look()).plain
    'in [-May-] {+June+} {+2016+}'
    """
    parts: list[Text] = []
    for change in changes:
        if change.same:
            parts.append(Text(clean(change.document).strip()))
            continue
        if change.text:
            parts.append(Text(f"[-{clean(change.text).strip()}-]", style="red" if look.colour else ""))
        if change.document:
            parts.append(
                Text(f"{{+{clean(change.document).strip()}+}}", style="green" if look.colour else "")
            )
    return Text(" ").join(parts)


def summary(checks: Sequence[ClaimCheck]) -> str:
    """How many claims stand how, in a line.

    >>> summary([])
    'nothing in this text can be looked up: no quotation, no figure, no name'
    """
    if not checks:
        return "nothing in this text can be looked up: no quotation, no figure, no name"
    counts = Counter(one.verdict for one in checks)
    told = ", ".join(f"{counts[verdict]} {_TOLD[verdict]}" for verdict in ClaimVerdict if counts[verdict])
    return f"{len(checks)} looked up: {told}"


_TOLD = {
    ClaimVerdict.VERBATIM: "verbatim",
    ClaimVerdict.TYPOGRAPHY: "in other typography",
    ClaimVerdict.ELIDED: "with words left out as marked",
    ClaimVerdict.DIFFERS: "with differences",
    ClaimVerdict.ELSEWHERE: "elsewhere",
    ClaimVerdict.NOWHERE: "nowhere",
}


def footnoted(text: str, checks: Sequence[ClaimCheck]) -> str:
    """The text as it is, with a Markdown footnote after everything that was looked up.

    Equal findings (a name that comes ten times) share a footnote.
    """
    notes: dict[str, int] = {}
    out: list[str] = []
    at = 0
    for one in sorted(checks, key=lambda one: one.claim.after):
        number = notes.setdefault(_note(one), len(notes) + 1)
        out += [text[at : one.claim.after], f"[^rag-{number}]"]
        at = one.claim.after
    out.append(text[at:])
    copy = "".join(out)
    if not notes:
        return copy
    listed = "\n".join(f"[^rag-{number}]: {note}" for note, number in notes.items())
    return f"{copy.rstrip()}\n\n{listed}\n"


def _note(one: ClaimCheck) -> str:
    """The footnote: what was looked up, how it stands, where, and the checksum of that file."""
    claim = one.claim
    said = f"{str(one.verdict).capitalize()}: {claim.kind} “{_even(claim.words)}”; {escaped(one.detail)}."
    if one.found is None:
        return f"{said} Compared {escaped(one.compared)}."
    where = one.found.where
    named = place(Path(where.document).name, where.line, where.page)
    source = f"{escaped(clean(named))}, characters {where.start} to {where.end}"
    words = f"“{_even(one.found.quote)}”"
    return f"{said} {words} ({source}; {_FRESH[one.found.fresh]}; SHA-256 {one.found.sha256})"


def _even(text: str) -> str:
    return escaped(shortened(clean(text).strip(), SHOWN_CHARS))
