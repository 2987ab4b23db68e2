"""What a session writes to: lines, notes, errors, a spinner, and nothing that a document could misuse."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TextIO

from rich.console import Console
from rich.text import Text

from rag.errors import RagError
from rag.output.lines import Look, fold
from rag.text.sinks import clean

PATIENCE_SECONDS = 0.3  # before a wait is shown: shorter ones are over before they are read
_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_PLAIN_FRAMES = "|/-\\"
_ASCII = str.maketrans({"“": '"', "”": '"', "’": "'", "…": "...", "·": "-", "→": "->", "›": ">", "—": "-"})
_LINK = re.compile(r"\x1b\]8;[^\x1b\x07]*(?:\x1b\\|\x07)")
_LINKING = ("TERM_PROGRAM", "VTE_VERSION", "KITTY_WINDOW_ID", "WT_SESSION", "KONSOLE_VERSION", "DOMTERM")


def has_links(environ: Mapping[str, str]) -> bool:
    """Whether the terminal is one that follows OSC-8 hyperlinks, by the name it gives itself.

    tmux and screen hide the terminal behind them, so they count as one that does not.

    >>> has_links({"TERM": "xterm-kitty"}), has_links({"TERM": "xterm-256color", "VTE_VERSION": "7200"})
    (True, True)
    >>> has_links({"TERM": "xterm-256color"}), has_links({"TMUX": "/tmp/x", "VTE_VERSION": "7200"})
    (False, False)
    """
    wish = environ.get("FORCE_HYPERLINK")
    if wish is not None:
        return wish not in ("", "0")
    term = environ.get("TERM", "")
    if environ.get("TMUX") or term.startswith(("screen", "tmux", "dumb", "linux")):
        return False
    if environ.get("TERM_PROGRAM") == "Apple_Terminal":
        return False
    vte = environ.get("VTE_VERSION", "")
    if vte.isdigit() and int(vte) < 5000:
        return False
    return bool(re.search("kitty|foot|alacritty|ghostty|wezterm|contour", term)) or any(
        environ.get(name) for name in _LINKING
    )


class Screen:
    """A text stream with a width. ``look`` is asked anew for every output: a terminal may be resized.

    ``terminal`` says that a person is watching: only then is there a spinner, a clipboard, a pager.
    Errors go to ``errors``, which is the stream itself unless another is given.
    """

    def __init__(
        self,
        out: TextIO,
        look: Callable[[], Look],
        *,
        terminal: bool = False,
        links: bool = False,
        errors: TextIO | None = None,
    ) -> None:
        self._out = out
        self._look = look
        self._links = links
        self._errors = out if errors is None else errors
        self.terminal = terminal

    @property
    def look(self) -> Look:
        """How lines are to be drawn now."""
        return self._look()

    def show(self, lines: Iterable[Text]) -> None:
        """Write lines, in colour where it is taken."""
        self._out.write("".join(line + "\n" for line in self._drawn(lines)))
        self._out.flush()

    def text(self, lines: Iterable[Text]) -> str:
        """What ``show`` would write: for a pager."""
        return "".join(line + "\n" for line in self._drawn(lines))

    def _drawn(self, lines: Iterable[Text]) -> Iterable[str]:
        if not self.look.colour:
            yield from (line.plain for line in lines)
            return
        console = Console(force_terminal=True, highlight=False, markup=False, emoji=False, width=1_000_000)
        for line in lines:
            with console.capture() as captured:
                console.print(line, soft_wrap=True, end="")
            drawn = captured.get()
            yield drawn if self._links else _LINK.sub("", drawn)

    def say(self, *words: str, style: str = "") -> None:
        """Write sentences of our own, each on a line of its own, folded."""
        look = self.look
        for sentence in words:
            plain = clean(sentence) if look.unicode else clean(sentence).translate(_ASCII)
            self.show(fold(Text(plain, style=style), look))

    def note(self, *words: str) -> None:
        """Write something aside."""
        self.say(*words, style="dim")

    def clear_line(self) -> None:
        """Take away what stands on the line, such as the ^C of an interrupt."""
        if self.terminal:
            self._out.write("\r\x1b[K")

    def gap(self) -> None:
        """Leave a line empty."""
        self.show([Text()])

    def verbatim(self, text: str) -> None:
        """Write text whose lines matter, every line cleaned, none folded."""
        self.show(Text(clean_line(line)) for line in text.split("\n"))

    def error(self, error: RagError) -> None:
        """Say what went wrong and what to do about it."""
        lines: list[Text] = []
        for word, text, style in (("error", error.message, "bold red"), ("hint", error.hint, "dim")):
            for line in text.splitlines():
                labelled = Text(f"{word}: ", style=style)
                labelled.append(clean_line(line), style="" if word == "error" else "dim")
                lines += fold(labelled, self.look, " " * (len(word) + 2), "")
        if self._errors is self._out:
            self.show(lines)
            return
        self._errors.write("".join(line.plain + "\n" for line in lines))
        self._errors.flush()

    def copy(self, text: str) -> None:
        """Hand text to the terminal's clipboard (OSC 52); nothing where nobody watches."""
        if self.terminal:
            import base64

            self._out.write(f"\x1b]52;c;{base64.b64encode(text.encode('utf-8', 'replace')).decode()}\x07")
            self._out.flush()

    def spinner(self) -> Spinner:
        """A sign of life for a wait that begins now."""
        return Spinner(self._out if self.terminal else None, self.look)


def clean_line(text: str) -> str:
    """One line fit to print, its white space at the beginning kept.

    >>> clean_line("  two  \\x1b[2J")
    '  two ␛[2J'
    """
    body = text.lstrip(" ")
    return " " * (len(text) - len(body)) + clean(body)


class Spinner:
    """One line that says what is being waited for, from ``PATIENCE_SECONDS`` on, and leaves no trace."""

    def __init__(self, out: TextIO | None, look: Look) -> None:
        self._out = out
        self._look = look
        self._began = time.monotonic()
        self._shown = False

    def turn(self, stage: str) -> None:
        """Show the stage, if the wait has been long enough to be noticed."""
        waited = time.monotonic() - self._began
        if self._out is None or waited < PATIENCE_SECONDS:
            return
        frames = _FRAMES if self._look.unicode else _PLAIN_FRAMES
        frame = frames[int(waited * 10) % len(frames)]
        room = max(8, (self._look.width or 80) - 4)
        dim, end = ("\x1b[2m", "\x1b[0m") if self._look.colour else ("", "")
        self._out.write(f"\r\x1b[K{dim}{frame} {clean(stage)[:room]}{end}")
        self._out.flush()
        self._shown = True

    def clear(self) -> None:
        """Take the line away."""
        if self._out is not None and self._shown:
            self._out.write("\r\x1b[K")
            self._out.flush()
            self._shown = False
