"""Where a session's lines come from: a terminal, a pipe, a test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TextIO


class Lines(Protocol):
    """Gives what a person enters, one entry at a time.

    ``echoes`` says whether the person sees the entry as it is made; if not, the session repeats it.
    """

    @property
    def echoes(self) -> bool:
        """Whether an entry is on the screen already when it arrives."""

    def read(self, prompt: str, prefill: str = "") -> str:
        """The next entry, ``prefill`` offered for editing. Raises EOFError at the end, KeyboardInterrupt."""


class PipedLines:
    """Entries from any lines of text; a backslash at the end of a line joins the next to it.

    >>> lines = PipedLines(["who led \\\\\\n", "the trust?\\n", ":quit"])
    >>> lines.read("> "), lines.read("> ")
    ('who led  the trust?', ':quit')
    """

    echoes = False

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines: Iterator[str] = iter(lines)

    def read(self, prompt: str, prefill: str = "") -> str:
        """The next entry; there is nobody to offer ``prefill`` to."""
        parts: list[str] = []
        for line in self._lines:
            plain = line.rstrip("\r\n")
            if not plain.endswith("\\"):
                return " ".join([*parts, plain])
            parts.append(plain[:-1])
        if parts:
            return " ".join(parts)
        raise EOFError


class AskedLines:
    """Entries from a terminal that can do no more than show a prompt and read a line."""

    echoes = True

    def __init__(self, lines: TextIO, prompts: TextIO) -> None:
        self._lines = PipedLines(lines)
        self._prompts = prompts

    def read(self, prompt: str, prefill: str = "") -> str:
        """The next entry, asked for."""
        self._prompts.write(prompt)
        self._prompts.flush()
        return self._lines.read(prompt)
