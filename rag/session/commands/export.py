"""``:save``: the session as Markdown, as a web page, or as JSON lines that ``rag verify`` checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rag.citations import marked_parts
from rag.errors import UsageError
from rag.files import replace_file
from rag.output import references
from rag.output.json_lines import to_json
from rag.output.pages import fill_in
from rag.records import Answer, Citation, Freshness, Status
from rag.session.screen import clean_line
from rag.session.turns import Turn
from rag.session.view import sureness
from rag.text.sinks import clean, json_line

if TYPE_CHECKING:
    from rag.session.session import Session

_STATUS = {Status.ANSWERED: "answered", Status.WEAK: "weak", Status.ABSTAINED: "no answer"}
_CHANGED = {
    Freshness.UNCHANGED: "",
    Freshness.EDITED: ", edited since it was indexed",
    Freshness.MISSING: ", no longer there",
    Freshness.UNREADABLE: ", cannot be read now",
}


def verdict(answer: Answer) -> str:
    """How far the answer goes, in words and figure."""
    return f"{_STATUS[answer.status]}, confidence {answer.confidence:.0%} ({sureness(answer.confidence)})"


def markdown(turns: Sequence[Turn]) -> str:
    """The session as Markdown, a section a question."""
    lines = ["# Questions and what the documents say", ""]
    for turn in turns:
        answer = turn.answer
        lines += [f"## {references.escaped(turn.question)}", ""]
        if turn.completed.changed:
            lines += [f"Typed: {references.escaped(turn.typed)}", ""]
        if turn.filters.written():
            lines += [f"Only {references.escaped(turn.filters.written())}", ""]
        for citation in answer.citations:
            lines += [references.markdown(citation) + _CHANGED[citation.freshness], ""]
        lines += [
            f"*{verdict(answer)}*" + (f": {references.escaped(answer.reason)}" if answer.reason else ""),
            "",
        ]
        for notice in answer.notices:
            lines += [f"Note: {references.escaped(notice)}", ""]
    return "\n".join(clean_line(line) for line in "\n".join(lines).split("\n"))


def json_lines(turns: Sequence[Turn]) -> str:
    """One answer a line, under the documented keys."""
    return "".join(json_line(to_json(turn.answer, turn.paths.__getitem__)) + "\n" for turn in turns)


@dataclass(frozen=True, slots=True)
class Quotation:
    """A citation on the page: ``parts`` are texts, each marked or not, that make up the quotation."""

    source: str
    reference: str
    parts: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A question on the page, with what is said before and after its quotations."""

    question: str
    before: tuple[str, ...]
    quotations: tuple[Quotation, ...]
    after: tuple[str, ...]


def web_page(turns: Sequence[Turn]) -> str:
    """The session as one HTML file that needs nothing else."""
    return fill_in("rag.session", "session.html", sections=[_section(turn) for turn in turns])


def _section(turn: Turn) -> Section:
    answer, filters = turn.answer, turn.filters.written()
    reason = f": {answer.reason}" if answer.reason else ""
    before = [f"Typed: {turn.typed}"] if turn.completed.changed else []
    before += [f"Only {filters}"] if filters else []
    after = [verdict(answer) + reason, *(f"Note: {notice}" for notice in answer.notices)]
    return Section(
        _one_line(turn.question),
        tuple(map(_one_line, before)),
        tuple(map(_quotation, answer.citations)),
        tuple(map(_one_line, after)),
    )


def _quotation(citation: Citation) -> Quotation:
    parts = [(clean(part), marked) for part, marked in marked_parts(citation.quote, citation.marks)]
    return Quotation(
        source=Path(citation.document).as_uri(),
        reference=_one_line(references.reference(citation)) + _CHANGED[citation.freshness],
        parts=tuple((part, marked) for part, marked in parts if part.strip() or not marked),
    )


def _one_line(text: str) -> str:
    return clean_line(text.replace("\n", " "))


_WRITERS: dict[str, Callable[[Sequence[Turn]], str]] = {
    ".md": markdown,
    ".html": web_page,
    ".jsonl": json_lines,
}


def save(session: Session, argument: str) -> None:
    """Write the session to a file; one that another program made is not written over."""
    path = Path(argument.strip('"')).expanduser().absolute() if argument else None
    writer = _WRITERS.get(path.suffix.lower()) if path is not None else None
    if path is None or writer is None:
        raise UsageError("expected a file's name that ends in .md, .html or .jsonl", ":save session.md")
    if not session.turns:
        raise UsageError("nothing has been asked yet, so there is nothing to save")
    if path.exists() and path not in session.saved:
        raise UsageError(f"{path} exists already, and this session did not write it", "give another name")
    try:
        replace_file(path, writer(session.turns).encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}", "give another name") from error
    session.saved.add(path)
    n = len(session.turns)
    session.screen.say(f"Wrote {n} question{'' if n == 1 else 's'} to {path}")
    if path.suffix.lower() == ".jsonl":
        session.screen.note(f"rag verify {path.name} checks later whether the quotations still stand.")
