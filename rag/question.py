"""What a question may be."""

from __future__ import annotations

from rag.errors import UsageError


def usable_question(text: str, max_chars: int) -> str:
    """The question without outer white space; UsageError when it is empty or too long.

    >>> usable_question("  Who led the trust? ", 1000)
    'Who led the trust?'
    """
    question = text.strip()
    if not question:
        raise UsageError("the question is empty", 'rag ask "why was the trust decommissioned?"')
    if len(question) > max_chars:
        raise UsageError(
            f"the question has {len(question):,} characters; at most {max_chars:,} are read",
            "ask for one thing in a sentence or two (the setting is retrieval.max_question_chars)",
        )
    return question
