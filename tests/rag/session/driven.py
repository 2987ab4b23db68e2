"""A session driven by a test: what it is given, what its screen shows."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import support
from rich.cells import cell_len

from rag.answering.calibration import load_calibrator
from rag.assistant import Assistant
from rag.output.lines import Look
from rag.reader.similarity import SimilarityReader
from rag.session import repl
from rag.session.lines import PipedLines
from rag.session.screen import Screen
from rag.session.session import Session
from rag.settings import ReaderSettings, Settings
from rag.store import Store

NAMES = (
    "2014-10-03-trust-takes-over.txt",
    "2017-03-22-young-voices.txt",
    "annual-review-2017-18.pdf",
    "council-good-rating.html",
    "peer-review-letter.txt",
    "timeline.md",
)


def assistant_over(store: Path) -> Assistant:
    """An assistant with the tiny encoder and the plain reader."""
    encoder = support.WordEncoder()
    reader = SimilarityReader(lambda texts: encoder.encode(texts), encoder.fingerprint)
    settings = Settings(store=store, reader=ReaderSettings(model="similarity"))
    return Assistant(Store.open(store), encoder, reader, load_calibrator("similarity"), settings)


@dataclass
class Driven:
    """A session whose screen is read as text. ``folder`` is where its documents and files are."""

    session: Session
    out: io.StringIO
    folder: Path
    seen: int = field(default=0)

    def type(self, *lines: str) -> str:
        """Enter lines; returns what the screen shows from there on."""
        repl.run(self.session, PipedLines(lines), warm=False)
        shown = self.out.getvalue()[self.seen :]
        self.seen += len(shown)
        return shown


def open_driven(
    store: Path,
    folder: Path,
    *,
    width: int | None = 80,
    colour: bool = False,
    terminal: bool = False,
    links: bool = False,
    environ: dict[str, str] | None = None,
    real: bool = False,
) -> Driven:
    out = io.StringIO()
    screen = Screen(out, lambda: Look(width, colour, True, folder), terminal=terminal, links=links)
    settings = Settings(store=store, reader=ReaderSettings(model="similarity"))
    opened = None if real else (lambda: assistant_over(store))
    session = Session(
        screen, settings, environ or {}, open_assistant=opened, questions=store.parent / "questions.jsonl"
    )
    return Driven(session, out, folder)


def lines_wider_than(width: int, shown: Iterable[str]) -> list[str]:
    """The lines that do not fit."""
    return [line for line in shown if cell_len(line) > width]
