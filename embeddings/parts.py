"""Indexes searched in parts, each by somebody else, with the result of one search over all of them.

A part is a range of rows. Where rows are scored one by one, the best of the parts' best are the best of all.
Where lists propose candidates, every part looks as deep as a search of the whole would and says by which
scores it proposes: the first of all proposals are those that the whole would have rescored.

Shapes: n vectors, d dims, k hits, c candidates.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from embeddings.halves import order
from embeddings.index import Rows, VectorIndex, Vectors


@dataclass(frozen=True, slots=True)
class Proposed:
    """What a part found in one segment: exact scores and rows of the whole, (c,) each.

    ``by_code`` are the scores that lists proposed the rows by, None where every row was scored;
    ``candidates`` is how many of them count over all parts, ``k`` how many are wanted of the segment.
    """

    segment: int
    scores: Vectors
    rows: Rows
    by_code: Vectors | None
    candidates: int
    k: int


class VectorPart:
    """The rows ``first`` to ``end`` of several indexes; ``dead`` ones are never found."""

    def __init__(self, segments: Sequence[VectorIndex], dead: Rows, first: int, end: int) -> None:
        self._segments = tuple(segments)
        self._offsets = np.cumsum([0, *(segment.n for segment in segments)])
        self._alive = np.zeros(int(self._offsets[-1]), bool)
        self._alive[first:end] = True
        self._alive[dead] = False

    def search(
        self, query: Vectors, k: int, allowed: Rows | None, n_allowed: Sequence[int]
    ) -> list[Proposed]:
        """What the part holds for one query (d,); ``n_allowed`` counts the rows of all parts, by segment."""
        mask = self._alive
        if allowed is not None:
            mask = np.zeros(len(mask), bool)
            mask[allowed] = True
            mask &= self._alive
        found = []
        for number, (segment, start) in enumerate(zip(self._segments, self._offsets, strict=False)):
            own = mask[start : start + segment.n]
            if not own.any():
                continue
            most = min(k, n_allowed[number])
            probe = segment.probe(most, n_allowed[number])
            if probe is None:
                scores, rows = segment.score(query, k, own)
                found.append(Proposed(number, scores, rows + start, None, len(rows), most))
            else:
                by_code, scores, rows = segment.propose(query, probe, own)
                found.append(Proposed(number, scores, rows + start, by_code, probe.candidates, most))
        return found


def merged(found: Iterable[Proposed], k: int) -> tuple[Vectors, Rows] | None:
    """Scores and rows (k',) of the k best, best first, ties by row.

    None where the lists of a segment hold too few: a search of the whole would score each row of it.
    """
    by_segment: dict[int, list[Proposed]] = defaultdict(list)
    for part in found:
        by_segment[part.segment].append(part)
    scores, rows = [np.zeros(0, np.float32)], [np.zeros(0, np.int64)]
    for parts in by_segment.values():
        exact = np.concatenate([part.scores for part in parts])
        where = np.concatenate([part.rows for part in parts])
        codes = [part.by_code for part in parts if part.by_code is not None]
        if codes:
            kept = np.lexsort((where, -np.concatenate(codes)))[: parts[0].candidates]
            if len(kept) < parts[0].k:
                return None
            exact, where = exact[kept], where[kept]
        scores.append(exact)
        rows.append(where)
    return order(np.concatenate(scores), np.concatenate(rows), k)
