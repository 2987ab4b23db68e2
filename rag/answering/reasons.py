"""Why an answer is weak or missing, in words a person can act on."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rag.answering.question import Kind
from rag.text.english import ENGLISH
from rag.text.language import Language

MAX_WORDS = 4  # unknown words named: more is no longer a sentence


def why_weak(
    kind: Kind,
    missing_years: Collection[str] = (),
    unknown: Sequence[str] = (),
    language: Language = ENGLISH,
) -> str:
    """Why the evidence shown is only the nearest.

    ``missing_years`` are asked about but not in it; ``unknown`` are words that stand in no document.

    >>> why_weak(Kind.WHY)
    'The documents speak of this, but no passage clearly states a reason; this is the nearest.'
    >>> why_weak(Kind.WHO, {"2019"})
    'The documents speak of this, but no passage clearly states who it was; the nearest does not name 2019.'
    >>> why_weak(Kind.WHO, unknown=["zoo"])
    'No passage clearly states who it was, and no document mentions “zoo”; this is the nearest.'
    """
    asked_for = language.questions.asked_for[kind]
    if unknown:
        stated = f"No passage clearly states {asked_for}"
        return f"{stated}, and no document mentions {_named(unknown)}; this is the nearest."
    nearest = "this is the nearest"
    if missing_years:
        nearest = f"the nearest does not name {' or '.join(sorted(missing_years))}"
    return f"The documents speak of this, but no passage clearly states {asked_for}; {nearest}."


def why_abstained(unknown: Sequence[str]) -> str:
    """Why nothing is shown; ``unknown`` are words of the question that stand in no document.

    >>> why_abstained([])
    'The documents do not speak of this: no passage comes near it.'
    >>> why_abstained(["pizza", "oven"])
    'The documents do not speak of this: none mentions “pizza” or “oven”.'
    """
    if not unknown:
        return "The documents do not speak of this: no passage comes near it."
    return f"The documents do not speak of this: none mentions {_named(unknown)}."


def _named(words: Sequence[str]) -> str:
    return " or ".join(f"“{word}”" for word in words[:MAX_WORDS])
