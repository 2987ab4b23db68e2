"""What of a text is its format's syntax, and where marks stand once it is not shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.markup import plain_words, syntax, without_syntax

TEXTS = st.text(st.sampled_from("ab *_`[]()#<>:|-=\n\\~¶"), max_size=60)
TYPES = st.sampled_from(["text/markdown", "text/plain", "text/html"])


@pytest.mark.parametrize(
    ("written", "media_type", "shown"),
    [
        ("It **was** _so_, ~~not~~ `x*y*z`.", "text/markdown", "It was so, ~~not~~ x*y*z."),
        ("See [the guide](http://a.b/c) and ![it](d.png)[^1].", "text/markdown", "See the guide and it."),
        ("snake_case_name is 5 * 3 * 2", "text/markdown", "snake_case_name is 5 * 3 * 2"),
        ("> He said\n> so", "text/markdown", "He said so"),
        ("How it opened\n-------------", "text/plain", "How it opened"),
        ("Use :func:`open`, ``x``, `the guide <http://a.b>`_.", "text/plain", "Use open, x, the guide."),
        ("2*3*4 is 24, *args are not", "text/plain", "2*3*4 is 24, *args are not"),
        ("**Bold** in a page is what it says", "text/html", "**Bold** in a page is what it says"),
    ],
)
def test_syntax_of_the_format_alone_is_not_shown(written: str, media_type: str, shown: str) -> None:
    assert plain_words(written, media_type) == shown


@given(TEXTS, TYPES, st.data())
def test_a_mark_holds_the_same_characters_after_syntax_is_taken_out(
    text: str, media_type: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    marked = [(start, end)] if start < end else []
    shown, marks = without_syntax(text, media_type, marked)
    hidden = {at for first, last in syntax(text, media_type) for at in range(first, last)}
    assert shown == "".join(char for at, char in enumerate(text) if at not in hidden)
    words = "".join(text[at] for at in range(start, end) if at not in hidden)
    assert [shown[first:last] for first, last in marks] == ([words] if words else [])
