"""What a store remembers from run to run, and how a run changes it: paths, patterns, boilerplate."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rag.errors import UsageError
from rag.files import is_gone, is_under
from rag.indexing.scan import Scan
from rag.store import Store
from rag.store.content import boilerplate_key


def patterns_in_force(
    before: Sequence[str], given: Sequence[str], forgotten: Collection[str]
) -> tuple[str, ...]:
    """The patterns in force, those given now last, for the last that fits a file decides.

    Raises UsageError for one to forget that is not remembered.

    >>> patterns_in_force(["*.log", "old/", "!keep.log"], ["*.log"], ["old/"])
    ('!keep.log', '*.log')
    """
    unknown = [pattern for pattern in forgotten if pattern not in before]
    if unknown:
        raise UsageError(
            f"no pattern {', '.join(unknown)} is remembered",
            f"there are: {', '.join(before)}" if before else "rag info  # lists what is remembered",
        )
    said = [pattern for pattern in given if pattern.strip()]
    kept = [pattern for pattern in before if pattern not in forgotten and pattern not in said]
    return tuple(dict.fromkeys([*kept, *said]))


def kept_keys(
    scanned: Scan,
    previous: Store | None,
    before: Collection[str],
    keep: frozenset[str],
    drop: frozenset[str],
) -> tuple[str, ...]:
    """The keys of boilerplate brought back, sorted. Raises UsageError for a key that names nothing."""
    unknown = sorted(drop - set(before))
    if keep:
        known = {boilerplate_key(p.text) for entry in scanned.loaded for p in entry.passages if p.boilerplate}
        unknown += sorted(keep - known - (previous.boilerplate_keys() if previous is not None else set()))
    if unknown:
        raise UsageError(
            f"no boilerplate goes by the key {', '.join(unknown)}", "rag index --report  # lists the keys"
        )
    return tuple(sorted((set(before) | keep) - drop))


def paths_to_remember(before: Sequence[str], given: Sequence[str]) -> tuple[str, ...]:
    """The paths to remember: each once, none below another, none given that is not there."""
    every = sorted({*before, *given} - {path for path in given if is_gone(path)})
    return tuple(path for path in every if not is_under(path, [other for other in every if other != path]))
