"""How a long run tells how far it is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told of one stage after another ("reading", "embedding", "writing"); each is started and finished."""

    def start(self, stage: str, total: int) -> None:
        """A stage begins that consists of ``total`` things."""

    def advance(self, n: int = 1) -> None:
        """So many more of them are done."""

    def finish(self) -> None:
        """The stage has ended."""


class Quiet:
    """Tells nobody."""

    def start(self, stage: str, total: int) -> None:
        """Say nothing."""

    def advance(self, n: int = 1) -> None:
        """Say nothing."""

    def finish(self) -> None:
        """Say nothing."""
