"""What changed between two answers to the same question."""

from __future__ import annotations

from pathlib import Path

from rag.records import Answer, Citation
from rag.text.sinks import clean


def _evidence(answer: Answer) -> dict[tuple[str, str], Citation]:
    return {(citation.document, " ".join(citation.quote.split())): citation for citation in answer.citations}


def _named(citation: Citation) -> str:
    words = clean(citation.quote).strip()
    shown = words if len(words) <= 90 else words[:90].rsplit(" ", 1)[0] + " …"
    return f"“{shown}” ({clean(Path(citation.document).name)})"


def between(before: Answer, after: Answer) -> list[str]:
    """Sentences that say what differs, the weightiest first; none when nothing a reader sees does."""
    changes: list[str] = []
    if before.status is not after.status:
        changes.append(f"It was {before.status}, now it is {after.status}.")
    elif round(before.confidence, 2) != round(after.confidence, 2):
        changes.append(f"Confidence was {before.confidence:.0%}, now it is {after.confidence:.0%}.")
    old, new = _evidence(before), _evidence(after)
    changes += [f"New: {_named(new[key])}" for key in new if key not in old]
    changes += [f"Gone: {_named(old[key])}" for key in old if key not in new]
    kept = [(old[key], new[key]) for key in new if key in old]
    changes += [
        f"Moved: {_named(after)} is on line {after.line} now, not {before.line}."
        for before, after in kept
        if before.line != after.line
    ]
    changes += [
        f"{clean(Path(after.document).name)} was {before.freshness}, now it is {after.freshness}."
        for before, after in kept
        if before.freshness is not after.freshness
    ]
    shared_old, shared_new = [k for k in old if k in new], [k for k in new if k in old]
    if shared_old != shared_new:
        changes.append("The evidence comes in another order.")
    return changes
