"""Commands on the evidence of the last answer: the next piece, its surroundings, its file, a copy of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from rag.citations import freshness
from rag.errors import UsageError
from rag.output import references, render
from rag.output.lines import place
from rag.records import Citation, Document
from rag.session import view
from rag.session.commands import editor
from rag.session.commands.paragraphs import around
from rag.session.screen import clean_line
from rag.store.lookup import Line, lines_of

if TYPE_CHECKING:
    from rag.session.session import Session


def current(session: Session) -> Citation:
    """The evidence on the screen; UsageError where the last answer has none."""
    citations = session.last().answer.citations
    if not citations:
        raise UsageError(
            "the last question found no answer, so there is no evidence",
            ":why 1 tells how the nearest passage was found",
        )
    return citations[session.position]


def document_of(session: Session, citation: Citation) -> Document:
    """The document that a citation quotes, as it was indexed."""
    store = session.assistant().store
    for span in session.last().answer.spans:
        document = store.document(span.passage.document_id)
        if document.path == citation.document:
            return document
    raise UsageError(f"{citation.document} is no longer in the store", ":again asks the question anew")


def _step(session: Session, by: int) -> None:
    current(session)
    turn = session.last()
    wanted = session.position + by
    if not 0 <= wanted < len(turn.answer.citations):
        session.screen.say("That was the last piece of evidence." if by > 0 else "That is the first one.")
        return
    session.position, session.widened = wanted, 0
    source = session.assistant().store.document
    _, lines = view.evidence(turn.answer, session.position, source, session.screen.look)
    n = len(turn.answer.citations)
    session.screen.gap()
    session.screen.show(lines)
    session.screen.gap()
    way = ":next" if wanted + 1 < n else ":prev"
    session.screen.note(f"evidence {wanted + 1} of {n}{session.screen.look.dot}{way}")


def next_one(session: Session, argument: str) -> None:
    """The next piece of evidence."""
    _step(session, 1)


def previous_one(session: Session, argument: str) -> None:
    """The piece of evidence before."""
    _step(session, -1)


def more(session: Session, argument: str) -> None:
    """The evidence in its paragraph; asked again, with the paragraphs around it."""
    citation, look = current(session), session.screen.look
    document = document_of(session, citation)
    lines, whole = around(document, citation, session.widened, look)
    session.widened += 1
    session.screen.gap()
    session.screen.show(lines)
    session.screen.gap()
    where = place(citation.document, citation.line, citation.page, look.base)
    session.screen.note(f"{where}{look.dot}{'this is all of it' if whole else ':more, :page, :open'}")


def page(session: Session, argument: str) -> None:
    """The whole document, at the place; through a pager where a person watches."""
    citation, look = current(session), session.screen.look
    document = document_of(session, citation)
    lines, at = excerpt(document, citation)
    fresh = freshness(document.path, document.sha256)
    drawn = render.excerpt(document, lines, fresh, look)
    if session.screen.terminal:
        row = next((i for i, line in enumerate(drawn) if line.plain.startswith("> ")), at)
        if editor.pager(session.screen.text(drawn), row + 1, session.environ):
            return
    session.screen.show(drawn)


def excerpt(document: Document, citation: Citation) -> tuple[list[Line], int]:
    """Every line of a document, those that hold the citation marked, and the first of them."""
    lines: list[Line] = []
    start, first = 0, 0
    for index, (on_page, number, text) in enumerate(lines_of(document)):
        end = start + len(text)
        wanted = start < citation.end and end > citation.start
        if wanted and not any(line.wanted for line in lines):
            first = index
        lines.append(Line(text, on_page, number, wanted))
        start = document.text.find("\n", start) + 1 or end
    return lines, first


def open_file(session: Session, argument: str) -> None:
    """The cited file in the editor at the line, or in a viewer at the page."""
    citation = current(session)
    command = editor.command(citation, session.environ)
    where = place(citation.document, citation.line, citation.page, session.screen.look.base)
    if not session.screen.terminal or command is None:
        session.screen.show([Text(where)])
        if command is None:
            session.screen.note("Set VISUAL or EDITOR to open it from here.")
        return
    session.screen.note(f"opening {where}")
    editor.run(command, session.environ)


def copy(session: Session, argument: str) -> None:
    """The quotation with its reference, to the clipboard and on the screen."""
    text = references.written(current(session), argument.casefold() or "plain")
    text = "\n".join(clean_line(line) for line in text.split("\n"))  # it may be pasted into a terminal
    session.screen.copy(text)
    session.screen.verbatim(text)
    if session.screen.terminal:
        session.screen.note("Copied, where the terminal lets programs copy.")
