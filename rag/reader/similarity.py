"""The plain reader: sentences by their nearness to the question. The baseline every other must beat."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from rag.reader.base import Candidate, Judgement, Mark, Reading
from rag.text.sentences import sentences
from rag.text.terms import terms

Encode = Callable[[Sequence[str]], NDArray[np.float32]]

# Where a cosine turns from "about this" to "not about this", and how steeply: read off development questions
# of the sample corpus. The word share counts as much as the cosine.
MIDDLE, STEEPNESS = 0.62, 12.0


class SimilarityReader:
    """Marks whole sentences: cosine to the question and share of the question's words, in equal parts."""

    name = "similarity"
    judges_pairs = False  # two sentences are near each other whether they agree or not

    def __init__(self, encode: Encode, fingerprint: str) -> None:
        self._encode = encode
        self.fingerprint = fingerprint

    def read(
        self, question: str, candidates: Sequence[Candidate], *, thorough: bool = False
    ) -> list[Reading]:
        """One reading a candidate, in the order given; the whole sentence is marked."""
        found = [sentences(candidate.text) for candidate in candidates]
        texts = [c.text[a:b] for c, ranges in zip(candidates, found, strict=True) for a, b in ranges]
        if not texts:
            return [Reading(-STEEPNESS) for _ in candidates]
        vectors = self._encode([question, *texts])
        cosines = vectors[1:] @ vectors[0]
        wanted = set(terms(question))
        readings, position = [], 0
        for candidate, ranges in zip(candidates, found, strict=True):
            marks = []
            around = set(terms(candidate.header))
            for start, end in ranges:
                words = around | set(terms(candidate.text[start:end]))
                share = len(wanted & words) / len(wanted) if wanted else 0.0
                marks.append(Mark(start, end, (float(cosines[position]) + share) / 2))
                position += 1
            marks.sort(key=lambda mark: (-mark.score, mark.start))
            best = marks[0].score if marks else 0.0
            readings.append(Reading(STEEPNESS * (best - MIDDLE), tuple(marks[:4])))
        return readings

    def judge(self, question: str, pairs: Sequence[tuple[Candidate, Candidate]]) -> list[Judgement]:
        """Not offered: ``judges_pairs`` is False."""
        raise NotImplementedError("the similarity reader judges no pairs")
