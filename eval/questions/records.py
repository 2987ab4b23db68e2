"""The records of a question set: a question, its pieces of gold evidence, and where each stands.

Gold evidence is a quote in a named document (or a range of its characters with a hash), never a passage:
splitting the documents anew leaves a question set as good as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

TYPES = (
    "who",
    "when",
    "what",
    "how_many",
    "why",
    "how",
    "yes_no",
    "list",
    "comparison",
    "change",
    "quotation",
    "false_presupposition",
    "unanswerable",
    "off_subject",
    "follow_up",
)
SPLITS = ("dev", "test")
TRAITS: Mapping[str, str] = {
    "wrong_year": "the right matter stands there, but of another year or date than asked for",
    "wrong_person": "the right role or deed stands there, but of another person",
    "wrong_body": "the same words stand there, but of another place, body or thing",
    "false_presupposition": "the question takes for granted what the documents deny or never say",
    "conflict": "sources disagree; every side is a piece of evidence",
    "as_of": "how things stood at a date is asked for, and they have changed since or had before",
    "change": "a change over time is asked for; its evidence belongs in order of date",
}
POLARITIES = ("yes", "no")


@dataclass(frozen=True, slots=True)
class GoldPlace:
    """Where a piece of evidence stands: a quote, or characters ``start``..``end``, of a document.

    ``document`` is the tail of an indexed path. A place with neither quote nor range is the whole document,
    which is what collections with document judgements know. ``quote_sha256`` and ``sha256`` are the hashes
    of the quoted characters and of the file, for a set that may not carry the text itself.
    """

    document: str
    quote: str | None = None
    start: int | None = None
    end: int | None = None
    quote_sha256: str | None = None
    sha256: str | None = None

    @property
    def whole(self) -> bool:
        """Whether the place is the document as a whole."""
        return self.quote is None and self.start is None


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing that must be found; any of its places will do. ``relevance`` grades it for nDCG."""

    any_of: tuple[GoldPlace, ...]
    relevance: int = 1


@dataclass(frozen=True, slots=True)
class Question:
    """What a person asks and what is right to answer. Empty answers and empty evidence: must abstain.

    ``standalone`` is a follow-up written out so that it needs no ``previous`` question. ``must_not`` says
    in words what must not be answered and why. ``nearest`` is what an unanswerable question comes close to.
    ``traits`` are the traps and demands its reader marked, out of ``TRAITS``; None where nobody has looked.
    """

    id: str
    question: str
    type: str | None = None
    split: str | None = None
    answers: tuple[str, ...] = ()
    evidence: tuple[Piece, ...] = ()
    polarity: str | None = None
    previous: str | None = None
    standalone: str | None = None
    must_not: str | None = None
    nearest: tuple[GoldPlace, ...] = ()
    note: str | None = None
    traits: tuple[str, ...] | None = None

    @property
    def all_traits(self) -> tuple[str, ...]:
        """The traits marked and the one that follows from the type, in the order of ``TRAITS``.

        >>> Question("q1", "how did it change?", type="change", traits=("wrong_year",)).all_traits
        ('wrong_year', 'change')
        """
        return tuple(trait for trait in TRAITS if trait in (self.traits or ()) or trait == self.type)

    @property
    def answerable(self) -> bool:
        """Whether there is anything right to answer.

        >>> Question("q1", "who left?", answers=("Ann",)).answerable, Question("q2", "why?").answerable
        (True, False)
        """
        return bool(self.answers or self.evidence)
