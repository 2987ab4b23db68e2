"""A line of a PDF's page, and lines put together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page, or a part that a wide gap sets off, and where it stands (points).

    ``broken``: its last word goes on in the next line. ``row`` is the same for the parts of one line.
    ``full`` is where the lines of its column end. ``size`` is that of its largest type; ``style``, size and
    font, is None where it has several.
    """

    text: str
    page: int
    broken: bool = False
    left: float = 0.0
    right: float = 0.0
    base: float = 0.0
    style: tuple[float, str] | None = None
    size: float = 0.0
    row: int = -1
    full: float = 0.0


def joined(lines: Sequence[Line]) -> Iterator[Line]:
    """The lines, parts of one line that follow each other put together."""
    whole: Line | None = None
    for line in lines:
        if whole is not None and line.row >= 0 and line.row == whole.row:
            whole = replace(
                whole,
                text=f"{whole.text} {line.text}",
                broken=line.broken,
                right=line.right,
                style=whole.style if whole.style == line.style else None,
                size=max(whole.size, line.size),
            )
            continue
        if whole is not None:
            yield whole
        whole = line
    if whole is not None:
        yield whole
