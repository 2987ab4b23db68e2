"""Figures: in the passages nearest to their sentence, with what they count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.checks.claims import Claim
from rag.checks.prose.library import Library, Nearby
from rag.checks.prose.verdict import ClaimCheck, ClaimVerdict
from rag.records import Passage
from rag.text.figures import Figure, Measure
from rag.text.terms import terms

UNIT_SHARE = 0.5  # of the words that say what is counted
SENTENCE_SHARE = 0.25  # by weight, of the other words of the sentence: where nothing says what is counted
SUBJECT_SHARE = 0.5  # likewise, before another figure is called the nearest one


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A figure of a passage near the claim; ``share`` is how much of the claim's sentence is beside it."""

    passage: Passage
    figure: Figure
    sentence: tuple[int, int]
    share: float
    counts_alike: bool  # whether a word of what the claim counts follows this figure too


def check_figure(claim: Claim, library: Library, nearby: Nearby) -> ClaimCheck:
    """A figure beside what it counts, in the passages nearest to its sentence."""
    assert claim.figure is not None
    figure = claim.figure
    near = nearby.of(claim.sentence)
    unit = set(terms(figure.unit, nearby.language))
    beside = f"the words “{figure.unit}”" if unit else "words of its sentence"
    compared = f"with the figures of the {len(near)} passages nearest to its sentence, and {beside}"
    same, other, alone = _candidates(claim, figure, unit, near, nearby)

    def result(verdict: ClaimVerdict, detail: str, one: _Candidate, words_of: tuple[int, int]) -> ClaimCheck:
        start, end = (one.passage.start + offset for offset in words_of)
        found = library.standing(one.passage.document_id, start, end)
        return ClaimCheck(claim, verdict, compared, detail, found, (), (), 1)

    if same:
        best = max(same, key=lambda one: (one.share, _written_alike(claim, one)))
        alike = _written_alike(claim, best)
        verdict = ClaimVerdict.VERBATIM if alike else ClaimVerdict.TYPOGRAPHY
        shown = best.passage.text[best.figure.start : best.figure.end]
        stands = "stands in this sentence" if alike else f"stands in this sentence, written “{shown}”"
        rivals = [one for one in other if one.counts_alike]
        rival = max(rivals, key=lambda one: one.share, default=None)
        if unit and rival is not None and rival.share >= best.share:
            told = rival.passage.text[rival.figure.start : rival.figure.end]
            stands += f"; a sentence that shares as many of its words has “{told}”"
            return result(verdict, stands, best, best.sentence)
        return result(verdict, f"{stands}, with {beside}", best, best.sentence)
    if other:
        best = max(other, key=lambda one: (one.counts_alike, one.share))
        shown = best.passage.text[best.figure.start : best.figure.end]
        detail = f"not in these passages with {beside}; the nearest sentence has “{shown}”"
        return result(ClaimVerdict.DIFFERS, detail, best, best.sentence)
    if alone:
        best = max(alone, key=lambda one: one.share)
        detail = f"the figure stands in a passage near its sentence, but without {beside}"
        return result(ClaimVerdict.ELSEWHERE, detail, best, best.sentence)
    return ClaimCheck(
        claim, ClaimVerdict.NOWHERE, compared, "stands in none of these passages; others were not searched"
    )


def _candidates(
    claim: Claim, figure: Figure, unit: set[str], near: Sequence[Passage], nearby: Nearby
) -> tuple[list[_Candidate], list[_Candidate], list[_Candidate]]:
    """Passages' figures: the same with its words, another with its words, the same without them."""
    weights, wanted = nearby.weights(claim.sentence.replace(claim.words, " "))
    same: list[_Candidate] = []
    other: list[_Candidate] = []
    alone: list[_Candidate] = []
    for passage in near:
        in_passage = set(terms(passage.text, nearby.language))
        for there, sentence in nearby.figures(passage):
            if there.measure is not figure.measure or there.sign != figure.sign:
                continue
            is_same = figure.is_same(there)
            said = passage.text[slice(*sentence)]
            share = weights.coverage(wanted, said) if wanted else 0.0
            # a row of a table has what it counts in its head
            held = in_passage if "|" in said else set(terms(said, nearby.language))
            if unit:
                beside = len(unit & held) / len(unit) >= UNIT_SHARE
            else:
                beside = not wanted or weights.coverage(wanted, passage.text) >= SENTENCE_SHARE
            alike = bool(unit & set(terms(there.unit, nearby.language)))
            one = _Candidate(passage, there, sentence, share, alike)
            if is_same:
                (same if beside else alone).append(one)
            elif beside and share >= SUBJECT_SHARE and figure.measure is not Measure.DATE:
                other.append(one)
    return same, other, alone


def _written_alike(claim: Claim, one: _Candidate) -> bool:
    return claim.words in one.passage.text[one.figure.start : one.figure.end]
