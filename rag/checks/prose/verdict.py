"""What is said of a claim: how it stands in the documents, where, and what parts the two."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rag.checks.claims import Claim, ClaimKind
from rag.records import Freshness, Location, sha256_text
from rag.text.typography import folded


class ClaimVerdict(StrEnum):
    """How a claim stands in the documents."""

    VERBATIM = "verbatim"
    TYPOGRAPHY = "typography"
    ELIDED = "elided"
    DIFFERS = "differs"
    ELSEWHERE = "elsewhere"
    NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True)
class Change:
    """A stretch of a word diff: what the text has and what the document has; equal where both agree."""

    text: str
    document: str

    @property
    def same(self) -> bool:
        """Whether text and document agree here, typography aside."""
        return folded(self.text) == folded(self.document)


@dataclass(frozen=True, slots=True)
class Standing:
    """Words of a document: where they stand, the file's SHA-256 when indexed, and what it is now."""

    where: Location
    quote: str
    sha256: str
    fresh: Freshness
    title: str | None
    date: str | None


@dataclass(frozen=True, slots=True)
class ClaimCheck:
    """A claim with its verdict. ``compared`` says what it was held to, ``detail`` the verdict in words.

    ``found`` is where it stands, or the nearest words there are; ``diff`` leads from the text's words to
    those; ``also_in`` are further places, ``n_places`` how many there are in all.
    """

    claim: Claim
    verdict: ClaimVerdict
    compared: str
    detail: str
    found: Standing | None = None
    diff: tuple[Change, ...] = ()
    also_in: tuple[Location, ...] = ()
    n_places: int = 0

    @property
    def stands(self) -> bool:
        """Whether the claim stands. A name or phrase may stand anywhere; a figure means nothing alone."""
        if self.verdict is ClaimVerdict.ELSEWHERE:
            return self.claim.kind is not ClaimKind.FIGURE
        return self.verdict in (ClaimVerdict.VERBATIM, ClaimVerdict.TYPOGRAPHY, ClaimVerdict.ELIDED)

    def to_json(self) -> dict[str, Any]:
        """The check under its documented keys (``rag/schema/check.schema.json``)."""
        claim, found = self.claim, self.found
        return {
            "kind": str(claim.kind),
            "text": claim.words,
            "start": claim.start,
            "end": claim.end,
            "line": claim.line,
            "verdict": str(self.verdict),
            "stands": self.stands,
            "compared": self.compared,
            "detail": self.detail,
            "found": None
            if found is None
            else {
                **found.where.to_json(),
                "quote": found.quote,
                "quote_sha256": sha256_text(found.quote),
                "sha256": found.sha256,
                "freshness": str(found.fresh),
                "title": found.title,
                "date": found.date,
            },
            "diff": [{"same": one.same, "text": one.text, "document": one.document} for one in self.diff],
            "also_in": [where.to_json() for where in self.also_in],
            "n_places": self.n_places,
        }


_PIECE = re.compile(r"\d+(?:[.,]\d+)*|[^\W_]+(?:['’][^\W_]+)*|[^\w\s]|_")


def word_diff(here: str, there: str) -> tuple[Change, ...]:
    """The stretches in which two texts agree and differ, word by word; typography is no difference.

    >>> [(c.text, c.document) for c in word_diff("It’s  in May.", "It's in June.")]
    [('It’s  in', "It's in"), ('May', 'June'), ('.', '.')]
    """
    mine, its = list(_PIECE.finditer(here)), list(_PIECE.finditer(there))
    matcher = difflib.SequenceMatcher(
        None, [folded(m.group()) for m in mine], [folded(m.group()) for m in its], autojunk=False
    )
    return tuple(
        Change(_stretch(here, mine, a, b), _stretch(there, its, c, d))
        for _, a, b, c, d in matcher.get_opcodes()
    )


def _stretch(text: str, pieces: Sequence[re.Match[str]], first: int, last: int) -> str:
    return text[pieces[first].start() : pieces[last - 1].end()] if first < last else ""
