"""Lines from a person at a terminal: history that lasts, Ctrl-R, completion, several lines to an entry."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.enums import DEFAULT_BUFFER, EditingMode
from prompt_toolkit.filters import Condition, has_focus, is_searching
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.styles import Style

from rag.session.terminal.completion import SessionCompleter

if TYPE_CHECKING:
    from rag.session.session import Session

NARROW = 60  # columns; below that nothing stands beside the entry
# Only colours that a terminal's own palette holds, so that light and dark both stay readable.
_STYLE = Style.from_dict(
    {
        "prompt": "bold",
        "aside": "ansibrightblack",
        "auto-suggestion": "ansibrightblack",
        "completion-menu": "bg:default fg:default",
        "completion-menu.completion.current": "reverse",
        "scrollbar.background": "bg:default",
        "scrollbar.button": "reverse",
    }
)


def history_file() -> Path:
    """Where entries are kept from session to session: a file in the user's state folder."""
    import platformdirs

    return Path(platformdirs.user_state_dir("rag", appauthor=False)) / "history"


def open_history(path: Path) -> tuple[History, str | None]:
    """The history at a path, readable by its owner only; one in memory, and why, where it cannot be kept."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600))
    except OSError as error:
        return InMemoryHistory(), f"History is not kept: {path}: {error.strerror}"
    return FileHistory(str(path)), None


@Condition
def _goes_on() -> bool:
    return get_app().current_buffer.document.text_before_cursor.endswith("\\")


def bindings() -> KeyBindings:
    """Enter asks; Alt-Enter, and a backslash before Enter, begin another line."""
    keys = KeyBindings()
    entering = has_focus(DEFAULT_BUFFER) & ~is_searching

    @keys.add("enter", filter=entering & ~_goes_on)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    @keys.add("enter", filter=entering & _goes_on)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.delete_before_cursor()
        event.current_buffer.insert_text("\n")

    @keys.add("escape", "enter", filter=entering)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return keys


class TerminalLines:
    """Entries from a terminal."""

    echoes = True

    def __init__(self, session: Session, history: History) -> None:
        self._session = session
        self._narrow = False  # fixed for each entry: prompt_toolkit cannot change its way of searching midway
        plain = not session.screen.look.colour
        self._prompt: PromptSession[str] = PromptSession(
            history=history,
            completer=SessionCompleter(session),
            complete_while_typing=False,
            complete_in_thread=True,
            auto_suggest=AutoSuggestFromHistory(),
            multiline=Condition(lambda: self._narrow),
            prompt_continuation=lambda width, number, wrapped: " " * width,
            key_bindings=bindings(),
            editing_mode=EditingMode.VI if _wants_vi() else EditingMode.EMACS,
            style=_STYLE,
            color_depth=ColorDepth.DEPTH_1_BIT if plain else None,
            reserve_space_for_menu=4,
            refresh_interval=0.3,
            erase_when_done=False,
        )

    def read(self, prompt: str, prefill: str = "") -> str:
        """The next entry. Raises EOFError for Ctrl-D, KeyboardInterrupt for Ctrl-C."""
        self._narrow = (self._session.screen.look.width or 80) < NARROW
        return self._prompt.prompt([("class:prompt", prompt)], default=prefill, rprompt=self._aside)

    def _aside(self) -> StyleAndTextTuples:
        """What stands at the right while the prompt waits: that models are still loading."""
        words = {"loading": "loading the models", "failed": "not open; ask to see why"}
        state = words.get(self._session.background.state, "")
        narrow = (self._session.screen.look.width or 80) < NARROW
        return [] if narrow or not state or get_app().is_done else [("class:aside", state)]


def _wants_vi() -> bool:
    """Whether readline is set to vi keys, which is how people say so."""
    try:
        text = Path(os.environ.get("INPUTRC", "~/.inputrc")).expanduser().read_text("utf-8", "replace")
    except OSError:
        return False
    return any(line.split()[:3] == ["set", "editing-mode", "vi"] for line in text.splitlines())
