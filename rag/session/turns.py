"""What a session remembers: every question with its answer, and the options in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rag.records import Answer
from rag.session.filters import Filters
from rag.session.followups import Completed


@dataclass(frozen=True, slots=True)
class Turn:
    """One question as it was typed, completed and asked, with the answer it got.

    ``paths`` gives the path of every document in the answer by its id: a later generation may not know it.
    """

    typed: str
    completed: Completed
    filters: Filters
    answer: Answer
    paths: Mapping[str, str] = field(default_factory=dict)

    @property
    def question(self) -> str:
        """The question as it was asked."""
        return self.completed.text


@dataclass(slots=True)
class Options:
    """What ``:set`` changes. ``k`` None takes the setting; ``questions`` is where ``:good`` writes."""

    questions: Path
    k: int | None = None
    filters: Filters = field(default_factory=Filters)
    followups: bool = True
