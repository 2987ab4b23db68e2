"""Do the citations of earlier answers still stand? Files and answers decide; no store is needed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from rag.citations import freshness, location
from rag.errors import LoadError, UsageError
from rag.loaders import load
from rag.records import Document, Freshness, Location, sha256_text

N_NAMED = 5  # lines that cannot be read, named one by one; more are counted


class Verdict(StrEnum):
    """What became of a citation."""

    STANDS = "stands"
    EDITED = "edited"
    MOVED = "moved"
    GONE = "gone"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    ALTERED = "altered"

    @property
    def good(self) -> bool:
        """Whether the words stand where the citation points."""
        return self in (Verdict.STANDS, Verdict.EDITED)


@dataclass(frozen=True, slots=True)
class Cited:
    """One citation as an answers file has it: ``line`` of the file, ``number`` within the answer, from 1."""

    line: int
    number: int
    question: str
    document: str
    sha256: str
    start: int
    end: int
    quote: str
    quote_sha256: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A citation with its verdict; ``found`` is where its words stand now, None when nowhere."""

    cited: Cited
    verdict: Verdict
    detail: str
    found: Location | None = None

    def to_json(self) -> dict[str, Any]:
        """The check under its documented keys (``rag/schema/verify.schema.json``)."""
        found = self.found
        return {
            "line": self.cited.line,
            "citation": self.cited.number,
            "question": self.cited.question,
            "document": self.cited.document,
            "start": self.cited.start,
            "end": self.cited.end,
            "quote": self.cited.quote,
            "verdict": str(self.verdict),
            "found": None
            if found is None
            else {
                "document": found.document,
                "start": found.start,
                "end": found.end,
                "line": found.line,
                "page": found.page,
            },
            "detail": self.detail,
        }


def read_answers(lines: Iterable[str], name: str) -> list[Cited]:
    """Every citation in an answers file, in order; UsageError naming the lines that hold no answer."""
    cited: list[Cited] = []
    wrong: list[str] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            cited += citations_in(json.loads(line), number)
        except (ValueError, KeyError, TypeError) as error:
            what = f"no {error}" if isinstance(error, KeyError) else str(error)
            wrong.append(f"{name}:{number}: {what}")
    if wrong:
        more = [f"and {len(wrong) - N_NAMED} more lines"] if len(wrong) > N_NAMED else []
        raise UsageError(
            "\n".join(["these lines are no answers", *wrong[:N_NAMED], *more]),
            "write the file with: rag ask - --json > answers.jsonl",
        )
    return cited


def citations_in(answer: Any, line: int) -> list[Cited]:
    """The citations of one answer as read from JSON; KeyError or TypeError where it is none."""
    if not isinstance(answer, Mapping):
        raise TypeError("expected a JSON object")
    listed = answer["citations"]
    if not isinstance(listed, list) or not all(isinstance(one, Mapping) for one in listed):
        raise TypeError("expected a list of objects under 'citations'")
    return [_cited(one, line, number, answer.get("question")) for number, one in enumerate(listed, start=1)]


def _cited(one: Mapping[str, Any], line: int, number: int, question: object) -> Cited:
    for key in ("document", "sha256", "quote", "quote_sha256"):
        if not isinstance(one[key], str):
            raise TypeError(f"citation {number}: expected text under {key!r}")
    for key in ("start", "end"):
        if not isinstance(one[key], int) or isinstance(one[key], bool):
            raise TypeError(f"citation {number}: expected a whole number under {key!r}")
    return Cited(
        line=line,
        number=number,
        question=question if isinstance(question, str) else "",
        document=one["document"],
        sha256=one["sha256"],
        start=one["start"],
        end=one["end"],
        quote=one["quote"],
        quote_sha256=one["quote_sha256"],
    )


def check(cited: Iterable[Cited], *, max_bytes: int) -> Iterator[Checked]:
    """Each citation with its verdict, in the order given; every file is read once."""
    seen: dict[tuple[str, str], tuple[Freshness, Document | LoadError | None]] = {}
    for one in cited:
        file = (one.document, one.sha256)
        if file not in seen:
            seen[file] = _reread(*file, max_bytes=max_bytes)
        yield judge(one, *seen[file])


def _reread(path: str, sha256: str, *, max_bytes: int) -> tuple[Freshness, Document | LoadError | None]:
    fresh = freshness(path, sha256)
    if fresh is Freshness.MISSING:
        return fresh, None
    try:
        return fresh, load(Path(path), max_bytes=max_bytes)
    except LoadError as error:
        return fresh, error


def judge(cited: Cited, fresh: Freshness, document: Document | LoadError | None) -> Checked:
    """The verdict on one citation, given its file as it is now."""
    if not cited.quote or sha256_text(cited.quote) != cited.quote_sha256:
        return Checked(
            cited, Verdict.ALTERED, "the quote in the answers file does not match its own checksum"
        )
    if document is None:
        return Checked(cited, Verdict.MISSING, "the file is no longer there")
    if isinstance(document, LoadError):
        return Checked(cited, Verdict.UNREADABLE, f"the file cannot be read: {document.reason}")
    start = _where(document.text, cited)
    if start is None:
        since = "the file was edited and" if fresh is Freshness.EDITED else "the file is unchanged, yet"
        return Checked(cited, Verdict.GONE, f"{since} the words are not in it")
    found = location(document, start, start + len(cited.quote))
    if (start, start + len(cited.quote)) != (cited.start, cited.end):
        return Checked(cited, Verdict.MOVED, "the words stand elsewhere in the file now", found)
    if fresh is Freshness.EDITED:
        return Checked(cited, Verdict.EDITED, "the file was edited; the words are where they were", found)
    return Checked(cited, Verdict.STANDS, "the words are where the citation points", found)


def _where(text: str, cited: Cited) -> int | None:
    """Where the quote stands: at its place, else where it is nearest to that, else nowhere (None)."""
    if text[max(cited.start, 0) : max(cited.end, 0)] == cited.quote:
        return max(cited.start, 0)
    before, after = text.rfind(cited.quote, 0, max(cited.end, 0)), text.find(cited.quote, max(cited.start, 0))
    places = [at for at in (before, after) if at >= 0]
    return min(places, key=lambda at: abs(at - cited.start), default=None)
