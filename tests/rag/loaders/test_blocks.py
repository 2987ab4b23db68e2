"""Blocks: what each format marks is what the document says, with what leads to each."""

from __future__ import annotations

from pathlib import Path

import docx
from hypothesis import given
from hypothesis import strategies as st

from rag.loaders import LOADERS
from rag.loaders.draft import Draft
from rag.passages import split
from rag.passages.header import passage_context, passage_lead
from rag.records import Document
from rag.settings import PassageSettings

INTRO = "The harbour bridge opened yesterday, two years late, and about 900 people walked over it at once."


def kinds(draft: Draft) -> list[tuple[str, str]]:
    return [(block.kind.value, draft.text[block.start : block.end]) for block in draft.blocks]


def leads(draft: Draft) -> dict[str, str]:
    return {
        draft.text[block.start : block.end]: draft.text[slice(*block.lead)]
        for block in draft.blocks
        if block.lead is not None
    }


def markdown(text: str) -> Draft:
    return LOADERS[".md"](text.encode())


def page(body: str) -> Draft:
    html = f"<title>T</title><body><article><p>{INTRO}</p>{body}</article></body>"
    return LOADERS[".html"](html.encode())


def document(draft: Draft) -> Document:
    return Document("d", "/d", "0", draft.media_type, draft.text, draft.title, blocks=draft.blocks)


# -- Markdown


def test_markdown_says_what_each_block_is() -> None:
    text = (
        "# The *bridge* ##\n\nWe will:\n\n- come\n  and see\n\n  it\n  1. now\n- go\n\n> So he\n> said.\n\n"
        "| Year | Cost |\n|------|-----:|\n| 2021 | 6.5 |\n\n```sh\nls\n\npwd\n```\n\n* * *\n\n"
        "Pier\n: A walk\n: A bar\n\n<!-- note -->\n\n[1]: http://a.b\n\nUnder\n=====\n"
    )
    draft = markdown(text)
    assert kinds(draft) == [
        ("title", "# The *bridge* ##"),
        ("paragraph", "We will:"),
        ("list item", "- come\n  and see\n\n  it"),
        ("list item", "1. now"),
        ("list item", "- go"),
        ("quotation", "> So he\n> said."),
        ("table header", "| Year | Cost |"),
        ("table row", "| 2021 | 6.5 |"),
        ("code", "```sh\nls\n\npwd\n```"),
        ("term", "Pier"),
        ("definition", ": A walk"),
        ("definition", ": A bar"),
        ("paragraph", "<!-- note -->"),
        ("paragraph", "[1]: http://a.b"),
        ("heading", "Under\n====="),
    ]
    assert leads(draft) == {
        "- come\n  and see\n\n  it": "We will:",
        "1. now": "- come\n  and see\n\n  it",
        "- go": "We will:",
        "| 2021 | 6.5 |": "| Year | Cost |",
        ": A walk": "Pier",
        ": A bar": "Pier",
    }
    assert draft.title == "The bridge"
    notices = {draft.text[b.start : b.end] for b in draft.blocks if b.notice == "document metadata"}
    assert notices == {"<!-- note -->", "[1]: http://a.b"}


def test_markdown_syntax_reaches_no_heading() -> None:
    draft = markdown(
        "# `api`: the [guide](http://a.b) {#top}\n\n## Use **it** <a name='x'></a>¶\n\nWords go here."
    )
    assert draft.title == "api: the guide"
    assert [passage.heading for passage in split(document(draft), PassageSettings())][-1] == "Use it"


@given(st.text(st.sampled_from("ab*-#>|`: \n\r\t~=1.[]<!")))
def test_any_markdown_has_blocks_in_order_that_leave_no_word_out(text: str) -> None:
    draft = markdown("x" + text)
    left = list(draft.text)
    for block in draft.blocks:
        assert draft.text[block.start : block.end].strip() == draft.text[block.start : block.end]
        left[block.start : block.end] = [" "] * (block.end - block.start)
    document(draft)  # which refuses blocks out of order
    assert not any(map(str.isalnum, left))


# -- pages


def test_a_page_says_what_each_block_is() -> None:
    draft = page(
        "<h2>How<a class='headerlink' href='#how'>¶</a></h2><p>We will:</p>"
        "<ul><li>come <b>now</b><ul><li>by sea</li></ul></li><li>go</li></ul>"
        "<blockquote><p>So the keeper said to all of us.</p></blockquote><pre>ls\npwd</pre>"
        "<dl><dt>Pier</dt><dd>A walk over water.</dd></dl>"
        "<table><caption>What it cost</caption><tr><th>Year</th><th>Cost</th></tr>"
        "<tr><td>2021</td><td>6.5</td></tr></table>"
        "<figure><img src='a.png'><figcaption>The bridge at night.</figcaption></figure>"
        f"<p>{INTRO} And so on.</p>"
    )
    assert kinds(draft)[1:-1] == [
        ("heading", "How"),
        ("paragraph", "We will:"),
        ("list item", "- come now"),
        ("list item", "- by sea"),
        ("list item", "- go"),
        ("quotation", "So the keeper said to all of us."),
        ("code", "ls\npwd"),
        ("term", "Pier"),
        ("definition", "A walk over water."),
        ("caption", "What it cost"),
        ("table header", "Year | Cost"),
        ("table row", "2021 | 6.5"),
        ("caption", "The bridge at night."),
    ]
    assert leads(draft) == {
        "- come now": "We will:",
        "- by sea": "- come now",
        "- go": "We will:",
        "A walk over water.": "Pier",
        "Year | Cost": "What it cost",
        "2021 | 6.5": "Year | Cost",
    }


def test_one_tables_header_leads_to_no_row_of_another() -> None:
    rows = "<tr><td>2021</td><td>6.5</td></tr><tr><td>2022</td><td>7.5</td></tr>"
    draft = page(
        f"<table><tr><th>Year</th><th>Cost</th></tr>{rows}</table><table>{rows}</table><p>{INTRO} So</p>"
    )
    found = [(block.kind.value, block.lead is not None) for block in draft.blocks if "table" in block.kind]
    assert found == [("table header", False), *[("table row", True)] * 2, *[("table row", False)] * 2]


# -- Word


def test_a_heading_made_by_bold_type_is_one_and_an_empty_list_style_is_none(tmp_path: Path) -> None:
    made = docx.Document()
    made.add_paragraph().add_run("What moves").bold = True
    made.add_paragraph("All posts move on the same day, and so do the people in them.")
    made.add_paragraph("So the keeper said.", style="Intense Quote")
    made.add_paragraph("Bring your lamp", style="List Bullet 2")
    made.save(str(tmp_path / "a.docx"))
    draft = LOADERS[".docx"]((tmp_path / "a.docx").read_bytes())
    assert [(block.kind.value, block.level) for block in draft.blocks] == [
        ("title", 6),
        ("paragraph", 0),
        ("quotation", 0),
        ("list item", 2),
    ]


# -- plain text


def test_plain_text_underlined_as_in_restructuredtext_has_headings_without_the_line() -> None:
    text = "======\nBridge\n======\n\nHow it opened\n-------------\nIt opened in ``June``, two years late.\n"
    draft = LOADERS[".txt"](text.encode())
    assert draft.title == "Bridge"
    assert [kind for kind, _ in kinds(draft)] == ["title", "heading", "paragraph"]
    assert split(document(draft), PassageSettings())[-1].heading == "How it opened"


def test_a_list_right_under_its_lead_in_has_items() -> None:
    draft = LOADERS[".txt"](
        b"The board will look at:\n- the report of the\ndivers\n- the price\n\nIt then meets."
    )
    assert leads(draft) == {
        "- the report of the\ndivers": "The board will look at:",
        "- the price": "The board will look at:",
    }


# -- passages


def test_every_part_of_a_long_list_or_table_is_found_and_read_with_what_leads_to_it() -> None:
    items = "\n".join(f"- day {n}: a meeting of the board in the town hall" for n in range(60))
    rows = "\n".join(f"| {n} | {n * n} | so it was found on the day by all who came |" for n in range(60))
    draft = markdown(f"# Plan\n\nThe dates are:\n\n{items}\n\n| Day | Cost | Why |\n|---|---|---|\n{rows}\n")
    source = document(draft)
    passages = split(source, PassageSettings())
    assert len(passages) > 6
    for passage in passages[1:]:
        words = "The dates are:" if "- day" in passage.text else "Day | Cost | Why"
        assert words in passage_context(source, passage)
        lead = passage_lead(source, passage)
        assert (lead is None) == (words in passage.text)
    at = draft.text.index("- day 59")
    assert draft.text[slice(*(source.lead_at(at) or (0, 0)))] == "The dates are:"


def test_a_definition_stands_with_its_term() -> None:
    draft = markdown("Pier\n: A walk over water that is long enough to be found by itself, I am sure.\n")
    assert [passage.text for passage in split(document(draft), PassageSettings())] == [draft.text.strip()]
