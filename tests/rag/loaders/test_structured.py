"""reStructuredText and AsciiDoc: the text as it stands, and what its marks mean."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.loaders.asciidoc import load_adoc
from rag.loaders.draft import Draft
from rag.loaders.restructured import load_rst
from rag.text.markup import without_syntax


def blocks(draft: Draft) -> list[tuple[str, str]]:
    return [(b.kind.value, draft.text[b.start : b.end]) for b in draft.blocks if b.notice is None]


def lead_of(draft: Draft, words: str) -> str | None:
    block = next(b for b in draft.blocks if draft.text[b.start : b.end] == words)
    return draft.text[slice(*block.lead)] if block.lead else None


def test_headings_have_the_level_of_their_adornment() -> None:
    draft = load_rst(
        b"=====\nTitle\n=====\n\nOne\n---\n\nText.\n\nDeep\n~~~~\n\nText.\n\nTwo\n---\n\nText.\n"
    )
    assert [b.level for b in draft.blocks if b.kind.value in {"title", "heading"}] == [1, 2, 3, 2]
    assert draft.title == "Title"


def test_directives_keep_their_words_and_lose_their_marks() -> None:
    draft = load_rst(
        b".. note:: Take care\n   of it.\n\n.. warning::\n   :class: x\n\n   Danger.\n\n.. image:: x.png\n\n"
        b".. a comment\n   of two lines\n\n.. _target:\n\n.. [1] A footnote.\n\n.. toctree::\n\n   a\n   b\n"
    )
    assert blocks(draft) == [
        ("paragraph", "Take care\n   of it."),
        ("paragraph", "Danger."),
        ("paragraph", ".. [1] A footnote."),
    ]


def test_no_file_is_included_and_nothing_is_run() -> None:
    draft = load_rst(b"Text.\n\n.. include:: /etc/passwd\n\n.. raw:: html\n   :file: /etc/passwd\n")
    assert draft.text == "Text.\n\n.. include:: /etc/passwd\n\n.. raw:: html\n   :file: /etc/passwd\n"
    assert blocks(draft) == [("paragraph", "Text.")]
    assert blocks(load_adoc(b"Text.\n\ninclude::/etc/passwd[]\n")) == [("paragraph", "Text.")]


def test_literal_blocks_are_code_and_what_is_indented_is_quoted() -> None:
    draft = load_rst(
        b"Run::\n\n  a\n\n   b\n\nText.\n\n   Quoted.\n\n.. code-block:: c\n\n   x;\n\n>>> 1\n1\n"
    )
    assert blocks(draft) == [
        ("paragraph", "Run::"),
        ("code", "a\n\n   b"),
        ("paragraph", "Text."),
        ("quotation", "Quoted."),
        ("code", "x;"),
        ("code", ">>> 1\n1"),
    ]


def test_lists_and_terms_of_structured_text() -> None:
    draft = load_rst(b"We will:\n\n- come\n  soon\n\n  - by train\n- see\n\ntrust\n  A body.\n")
    assert blocks(draft) == [
        ("paragraph", "We will:"),
        ("list item", "- come\n  soon"),
        ("list item", "- by train"),
        ("list item", "- see"),
        ("term", "trust"),
        ("definition", "A body."),
    ]
    assert lead_of(draft, "- come\n  soon") == "We will:"
    assert lead_of(draft, "- by train") == "- come\n  soon"


def took(work: Callable[[], object]) -> float:
    """Seconds of this process's own time that some work takes."""
    began = time.process_time()
    work()
    return time.process_time() - began


@pytest.mark.parametrize(
    ("table", "header", "row"),
    [
        ("====  ===\nYear  Who\n====  ===\n2012  Lee\n2013  May\n====  ===\n", "Year  Who", "2013  May"),
        (
            "+----+---+\n|Year|Who|\n+====+===+\n|2012|Lee|\n+----+---+\n"
            "|2013|May|\n|    |Day|\n+----+---+\n",
            "|Year|Who|",
            "|2013|May|\n|    |Day|",
        ),
    ],
)
def test_rows_of_both_kinds_of_table_are_led_by_their_header(table: str, header: str, row: str) -> None:
    assert lead_of(load_rst(table.encode()), row) == header


def test_fields_at_the_head_give_the_date() -> None:
    draft = load_rst(
        b"Title\n=====\n\n:Author: Lee\n:Date: 22 March 2017\n\nText of it.\n\n:Date: 1 May 2018\n"
    )
    assert draft.date == "2017-03-22"


def test_asciidoc_blocks_are_those_its_marks_say() -> None:
    draft = load_adoc(
        b"= The trust\nAnn Lee\nv1, 22 March 2017\n:toc:\n\nText *here*.\n\n"
        b"* come\n** by train\n+\n----\ncode\n----\n\n"
        b"____\nHe left.\n____\n\n////\nsecret\n////\n\ntrust:: A body.\n\n.Posts\nNOTE: Careful.\n"
    )
    assert blocks(draft) == [
        ("title", "= The trust"),
        ("lines", "Ann Lee\nv1, 22 March 2017"),
        ("paragraph", "Text *here*."),
        ("list item", "* come"),
        ("list item", "** by train"),
        ("code", "code"),
        ("quotation", "He left."),
        ("term", "trust::"),
        ("definition", "A body."),
        ("caption", ".Posts"),
        ("paragraph", "NOTE: Careful."),
    ]
    assert (draft.title, draft.date) == ("The trust", "2017-03-22")
    assert (
        without_syntax("See *this* in <<a,the _minutes_>>", "text/asciidoc")[0] == "See this in the minutes"
    )


def test_rows_of_an_asciidoc_table_are_led_by_their_header_over_blank_lines() -> None:
    draft = load_adoc(b"|===\n|Year |Who\n\n|2012\n|Lee\n\n|2013\n|May\n|===\n\n|===\n|a |b\n|c |d\n|===\n")
    assert lead_of(draft, "|2013\n|May") == "|Year |Who"
    assert lead_of(draft, "|c |d") is None


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.sampled_from([*"abc-=*.|+_:~ \n", "\n\n", ".. ", "::", "----", "|===", "   ", "- "]), max_size=60
    )
)
@pytest.mark.parametrize("load", [load_rst, load_adoc])
def test_any_lines_are_read_with_every_word_in_a_block(
    load: Callable[[bytes], Draft], parts: list[str]
) -> None:
    draft = load(("word " + "".join(parts)).encode())
    at, rest = 0, ""
    for block in draft.blocks:
        assert at <= block.start < block.end
        rest, at = rest + draft.text[at : block.start], block.end
    assert not any(map(str.isalnum, rest + draft.text[at:]))


@pytest.mark.parametrize("load", [load_rst, load_adoc])
@pytest.mark.parametrize(
    "piece",
    [
        "- a\n",
        "- a\n\n",
        "== ==\nx\n\n",
        "a::\n\n  b\n",
        ".. a::\n",
        "|===\n",
        "----\n",
        "a\n b\n",
        "a\n---\n",
        ":a: b\n",
        "+--+\n|a|\n",
        "[a]\n",
        "____\n",
        "x",
    ],
)
def test_one_thing_without_end_takes_linear_time(piece: str, load: Callable[[bytes], Draft]) -> None:
    seconds = []
    for n in (2_000, 8_000):
        data = ("word\n\n" + piece * n).encode()
        seconds.append(min(took(partial(load, data)) for _ in range(3)))
    assert seconds[1] < 0.2 or seconds[1] < 2.6**2 * seconds[0], seconds
