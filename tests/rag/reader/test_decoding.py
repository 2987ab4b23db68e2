"""Spans against brute force; windows hold every token."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rag.reader.base import Mark
from rag.reader.decoding import best_spans, marks_of, merge, trim, whole_words, windows

logits = st.lists(st.integers(-50, 50), min_size=1, max_size=12)


@given(start=logits, data=st.data(), longest=st.integers(1, 5))
def test_the_first_span_is_the_best_of_all(start: list[int], data: st.DataObject, longest: int) -> None:
    end = data.draw(st.lists(st.integers(-50, 50), min_size=len(start), max_size=len(start)))
    found = best_spans(np.array(start, np.float32), np.array(end, np.float32), 3, longest)
    every = [start[a] + end[b] for a in range(len(start)) for b in range(a, min(a + longest, len(start)))]
    assert found[0][2] == max(every)


@given(start=logits, data=st.data())
def test_spans_are_disjoint_and_fall_in_score(start: list[int], data: st.DataObject) -> None:
    end = data.draw(st.lists(st.integers(-50, 50), min_size=len(start), max_size=len(start)))
    found = best_spans(np.array(start, np.float32), np.array(end, np.float32), 4)
    assert [s for *_, s in found] == sorted((s for *_, s in found), reverse=True)
    tokens = [t for a, b, _ in found for t in range(a, b + 1)]
    assert len(tokens) == len(set(tokens))


@given(n=st.integers(0, 500), size=st.integers(65, 200))
def test_windows_hold_every_token_and_share_an_overlap(n: int, size: int) -> None:
    found = windows(n, size, 64)
    assert sorted({t for a, b in found for t in range(a, b)}) == list(range(n))
    assert all(b - a <= size for a, b in found)
    assert all(before[1] - after[0] == 64 for before, after in pairwise(found))


@given(st.text(alphabet="ab .,“”()", min_size=1, max_size=20), st.data())
def test_trimming_stays_inside_or_adds_one_closing_mark(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    a, b = trim(text, start, end)
    assert start <= a < b <= end + 1


def test_a_mark_ends_at_word_borders_without_the_comma() -> None:
    text = "led by Ros Jones, mayor"
    offsets = [(0, 3), (4, 6), (7, 10), (11, 13), (13, 17), (18, 23)]
    start, end = np.zeros(6, np.float32), np.zeros(6, np.float32)
    start[2], end[3] = 9, 9
    best = marks_of(text, offsets, start, end)[0]
    assert text[best.start : best.end] == "Ros Jones"


def test_a_cut_word_is_made_whole() -> None:
    assert whole_words("the council", 5, 7) == (4, 11)


def test_overlapping_marks_of_two_windows_are_one() -> None:
    assert merge([Mark(0, 5, 1.0), Mark(0, 5, 1.0)]) == (Mark(0, 5, 1.0),)
