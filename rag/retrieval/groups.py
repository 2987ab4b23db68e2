"""Which passages say the same, where it is known of all of them at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class LabelledRows:
    """Groups by the label of each row.

    >>> groups = LabelledRows([7, 8, 7])
    >>> groups.labels([2]), groups.members(7)
    ([7], [0, 2])
    """

    def __init__(self, labels: Sequence[int]) -> None:
        self._labels = [int(label) for label in labels]
        self._members: dict[int, list[int]] = {}
        for row, label in enumerate(self._labels):
            self._members.setdefault(label, []).append(row)

    def labels(self, rows: Iterable[int]) -> list[int]:
        """For each row the label of its group."""
        return [self._labels[row] for row in rows]

    def members(self, label: int) -> list[int]:
        """The rows of a group, ascending."""
        return self._members.get(label, [])
