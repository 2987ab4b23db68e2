"""``rag chat``: the session, at a terminal or over a pipe."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rag.cli.options import AtOption, KOption, RayOption, StoreOption, resolve

if TYPE_CHECKING:
    from rag.session.session import Session

EPILOG = "Example: rag chat --store papers/store"


def chat(store: StoreOption = None, k: KOption = None, at: AtOption = None, ray: RayOption = None) -> None:
    """Ask, read the evidence in its place, and ask on.

    At a terminal: history, completion, follow-up questions; :help lists the commands. Over a pipe every line
    is a question or a command.
    """
    open_session(store, k, at, ray)


def open_session(
    store: Path | None = None, k: int | None = None, at: str | None = None, ray: str | None = None
) -> None:
    """Open the session on a store, or on what a tag of it keeps, and stay in it until it ends."""
    settings = resolve(store, k, ray).settings
    from rag.output.streams import look
    from rag.session.screen import Screen, has_links
    from rag.session.session import Session

    terminal = sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    errors = None if terminal else sys.stderr
    screen = Screen(sys.stdout, look, terminal=terminal, links=has_links(os.environ), errors=errors)
    session = Session(screen, settings, os.environ, at=at)
    session.greet()
    try:
        if terminal:
            _at_terminal(session)
        else:
            _over_a_pipe(session)
    except BaseException:
        session.close()
        raise
    if not session.close():  # a model is still at work, and nothing of it is worth waiting for
        sys.stdout.flush()
        os._exit(0)


def _over_a_pipe(session: Session) -> None:
    """Line by line; a person who types them is shown a prompt."""
    from rag.session.lines import AskedLines, PipedLines
    from rag.session.repl import run

    run(session, AskedLines(sys.stdin, sys.stderr) if sys.stdin.isatty() else PipedLines(sys.stdin))


def _at_terminal(session: Session) -> None:
    from rag.session.repl import run
    from rag.session.terminal import TerminalLines, history_file, open_history

    history, why_not = open_history(history_file())
    if why_not:
        session.screen.note(why_not)
    run(session, TerminalLines(session, history))


def at_terminal() -> bool:
    """Whether a person sits before both ends, so that ``rag`` alone may open the session."""
    return sys.stdin.isatty() and sys.stdout.isatty()
