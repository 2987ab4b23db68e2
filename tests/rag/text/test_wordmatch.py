"""Word sequences: found where a naive search finds them, whatever their typography; time grows in a line."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rag.text.typography import differences, folded
from rag.text.wordmatch import WordMatcher, words

TEXTS = st.lists(st.sampled_from("a b c".split()), max_size=30)
SEQUENCES = st.lists(st.lists(st.sampled_from("a b c".split()), min_size=1, max_size=4), max_size=6)


@given(TEXTS, SEQUENCES)
def test_every_place_of_every_sequence_is_found_once(text: list[str], sequences: list[list[str]]) -> None:
    expected = sorted(
        (number, at, at + len(keys))
        for number, keys in enumerate(sequences)
        for at in range(len(text) - len(keys) + 1)
        if text[at : at + len(keys)] == keys
    )
    assert sorted(WordMatcher(sequences).find(words(" ".join(text)))) == expected


def test_words_are_equal_whatever_their_typography() -> None:
    here = [word.key for word in words("The trust’s ﬁne co\u00adoperation — cafe\u0301")]
    there = [word.key for word in words("the TRUST'S fine cooperation - café")]
    assert here == there


@given(st.text(max_size=60))
def test_a_word_stands_where_it_says(text: str) -> None:
    found = words(text)
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(one.end <= other.start for one, other in pairwise(found))


@given(st.text(max_size=60))
def test_a_text_has_the_words_of_itself(text: str) -> None:
    assert differences(text, text) == []
    assert folded(folded(text)) == folded(text)


def test_what_parts_two_texts_is_named() -> None:
    assert differences("a  b", "a b") == ["white space"]
    assert differences("a—b", "a – b") == ["dashes"]
    assert differences("“a”", "'a'") == ["quotation marks"]
    assert differences("ﬁne…", "fine...") == ["letter forms"]
    assert differences("so it ended,", "so it ended") == ["punctuation at the end"]
    assert differences("So it ended", "so it ended") is None
    assert differences("it did not, end", "it did not end") is None
