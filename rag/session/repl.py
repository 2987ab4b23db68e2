"""The loop over lines, each a question or a command, until there are no more."""

from __future__ import annotations

from rag.errors import RagError
from rag.session.commands import find
from rag.session.lines import Lines
from rag.session.session import Session


def run(session: Session, lines: Lines, *, warm: bool = True) -> None:
    """Take entries until they end. What a person can mend is said on the screen and ends nothing."""
    session.background.start(warm=warm)
    while True:
        interrupted = "Ctrl-D leaves."
        try:
            prefill, session.prefill = session.prefill, ""
            line = lines.read(session.prompt(), prefill)
            if not lines.echoes and line.strip():
                session.screen.say(f"> {line}", style="bold")
            interrupted = "Stopped."
            take(session, line, as_typed=bool(prefill))
        except EOFError:
            return
        except KeyboardInterrupt:
            session.screen.clear_line()
            session.screen.note(interrupted)
            session.screen.gap()


def take(session: Session, line: str, *, as_typed: bool = False) -> None:
    """One entry. Raises EOFError when it ends the session, KeyboardInterrupt when it was stopped."""
    entry = " ".join(line.split())
    if not entry:
        return
    try:
        if entry.startswith(":"):
            name, _, argument = entry[1:].partition(" ")
            find(name).run(session, argument.strip())
        else:
            session.ask(entry, as_typed=as_typed)
    except RagError as error:
        session.screen.error(error)
    session.screen.gap()
