"""``:save``: the session as Markdown, as a web page, or as JSON lines that ``rag verify`` checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import UsageError
from rag.files import replace_file
from rag.output import export
from rag.output.export import Account, account
from rag.output.json_lines import to_json
from rag.session.turns import Turn
from rag.text.sinks import json_line

if TYPE_CHECKING:
    from rag.session.session import Session


def told(turn: Turn) -> Account:
    """The account of a turn, with how it was typed and which documents might answer."""
    filters = turn.filters.written()
    before = [f"Typed: {turn.typed}"] if turn.completed.changed else []
    before += [f"Only {filters}"] if filters else []
    return account(turn.answer, question=turn.question, before=before)


def markdown(turns: Sequence[Turn]) -> str:
    """The session as Markdown, a section a question."""
    return export.markdown(list(map(told, turns)))


def web_page(turns: Sequence[Turn]) -> str:
    """The session as one HTML file that needs nothing else."""
    return export.web_page(list(map(told, turns)))


def json_lines(turns: Sequence[Turn]) -> str:
    """One answer a line, under the documented keys."""
    return "".join(json_line(to_json(turn.answer, turn.paths.__getitem__)) + "\n" for turn in turns)


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
