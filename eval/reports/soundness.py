"""What the check of a question set says on a screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from eval.questions.check import Soundness
from eval.reports.tables import plain


def lines(soundness: Soundness, *, with_documents: bool) -> Iterator[str]:
    """Every finding, then the counts; the share that borrows its wording only where documents were read."""
    for finding in soundness.findings:
        yield f"{finding.level}: {plain(finding.question_id)}: {plain(finding.message)}"
    counts = f"{soundness.n_questions} questions ({_counts(dict(sorted(soundness.by_split.items())))})"
    types = _counts(dict(sorted(soundness.by_type.items())))
    yield f"{counts}, {soundness.n_answerable} answerable: {types}"
    if soundness.by_trait:
        yield f"traits: {_counts(soundness.by_trait)}"
    if with_documents:
        yield f"{100 * soundness.borrowed_share:.1f} % borrow four words in a row from their evidence"


def _counts(by_name: Mapping[str, int]) -> str:
    """Counts as people read them.

    >>> _counts({"dev": 3, "test": 2})
    '3 dev, 2 test'
    """
    return ", ".join(f"{n} {name}" for name, n in by_name.items())
