"""Passages: exact slices, whole cover, paragraphs as their writers meant them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from support import REAL, needs_real

from rag.loaders import load
from rag.loaders.draft import Draft
from rag.loaders.markdown import load_markdown
from rag.passages import split
from rag.records import BlockKind, Document, Passage
from rag.settings import PassageSettings
from rag.text.blocks import with_leads
from rag.text.guess import guess_blocks, guess_paragraphs

FIXTURES = Path(__file__).parents[2] / "fixtures"
SETTINGS = PassageSettings()


def document(text: str, **fields: object) -> Document:
    """A plain text as its loader gives it, but for the title, which is given here or is none."""
    blocks = guess_blocks(text, guess_paragraphs(text), fields.get("title"))  # type: ignore[arg-type]
    plain = Document("d", "/d.txt", "0" * 64, "text/plain", text, blocks=with_leads(text, blocks))
    return replace(plain, **fields)  # type: ignore[arg-type]


def drafted(draft: Draft) -> Document:
    return Document("d", "/d", "0" * 64, draft.media_type, draft.text, draft.title, blocks=draft.blocks)


def texts(text: str, settings: PassageSettings = SETTINGS) -> list[str]:
    return [passage.text for passage in split(document(text), settings)]


def uncovered(source: Document, passages: list[Passage]) -> str:
    """The characters in no passage, headings aside; none may stand in two."""
    left = list(source.text)
    for passage in passages:
        for at in range(passage.start, passage.end):
            assert left[at] != "", f"character {at} stands in two passages"
            left[at] = ""
    for block in source.blocks:
        if block.kind is BlockKind.HEADING:
            left[block.start : block.end] = [""] * (block.end - block.start)
    return "".join(left)


WORDS = [
    "a",
    "The",
    "report",
    "said",
    "it",
    "2017",
    "£6.5m",
    "Mr",
    "No.",
    "end.",
    "so?",
    "“Yes.”",
    "and",
    "Dear Mr Lee",
]
LINES = [
    "- item",
    "# Title",
    "| a | b |",
    "Yours sincerely",
    "22 March 2017",
    "We use cookies",
    "From £5 / month",
    "---",
]
SENTENCES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=30).map(" ".join)
GAPS = st.sampled_from(["\n", "\n\n", "\r\n\r\n", " \n \n", "\n\n\n", "\x0c", "\u2028"])
TEXTS = st.lists(
    st.tuples(
        st.one_of(
            SENTENCES,
            st.sampled_from(LINES),
            st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
        ),
        GAPS,
    ),
    max_size=20,
).map(lambda parts: "".join(words + gap for words, gap in parts))


@given(TEXTS, st.integers(20, 60), st.booleans())
def test_every_passage_is_a_slice_and_nothing_but_headings_is_left_out(
    text: str, limit: int, keep: bool
) -> None:
    settings = PassageSettings(max_words=max(40, limit), min_words=5, keep_boilerplate=keep)
    source = document(text)
    passages = split(source, settings)
    assert all(source.text[passage.start : passage.end] == passage.text for passage in passages)
    assert [p.start for p in passages] == sorted(p.start for p in passages)
    assert all(p.text == p.text.strip() and len(p.text.split()) <= settings.max_words for p in passages)
    assert not any(map(str.isalnum, uncovered(source, passages)))


@given(TEXTS)
def test_markdown_loses_nothing_either(text: str) -> None:
    draft = load_markdown((text or "x").encode())
    source = drafted(draft)
    assert not any(map(str.isalnum, uncovered(source, split(source, SETTINGS))))


def test_a_paragraph_torn_by_a_page_break_is_one_passage() -> None:
    torn = "Young advisors have advised on the homes programme and\n\nco-hosted a summit for the staff."
    assert texts(torn) == [torn]
    torn = "Last summer the show of railway posters was curated by\n\nTobias Wren, the keeper of ceramics."
    assert texts(torn) == [torn]


def test_complete_paragraphs_stay_apart() -> None:
    one = "The first of two paragraphs is here and says that it is complete in itself."
    other = "the second begins in lower case, and that alone does not make it part of the first."
    assert texts(f"{one}\n\n{other}") == [one, other]


def test_two_quotations_on_lines_of_their_own_are_two_passages() -> None:
    first = (
        "“We welcome the report, which shows that we are heading in the right direction"
        + " at last" * 9
        + ".”"
    )
    second = "“During the first year our aims were to steady the service and to find better answers.”"
    assert texts(f"{first}\n{second}") == [first, second]


def test_hard_wrapped_lines_are_one_paragraph() -> None:
    wrapped = (
        "A paragraph that was wrapped by hand ends its lines.\nIt goes on here, and a stop that ends a line\n"
        "is no end of the paragraph."
    )
    assert texts(wrapped) == [wrapped]


def test_a_heading_goes_to_the_passages_below_it() -> None:
    text = (
        "Overview\n\nProgress is evident in the quality of services for children since the last inspection.\n"
    )
    (passage,) = split(document(text), SETTINGS)
    assert (passage.heading, passage.text.split()[0]) == ("Overview", "Progress")


def test_a_heading_that_states_something_can_be_cited() -> None:
    source = load_markdown(
        b"# Trust\n\n## Minutes of the board meeting held on 26 April 2016\n\n### Place\n\nThe hall."
    )
    passages = split(drafted(source), SETTINGS)
    assert any("held on 26 April 2016" in passage.text for passage in passages)


def test_short_paragraphs_under_two_headings_of_the_same_words_stay_apart() -> None:
    draft = load_markdown(
        b"# A\n\nIntro of a few words.\n\n## Part\n\nOne is short.\n\n## Part\n\nTwo is short.\n"
    )
    source = drafted(draft)
    found = [(passage.heading, passage.text) for passage in split(source, SETTINGS)][1:]
    assert found == [("Part", "One is short."), ("Part", "Two is short.")]


def test_a_list_stands_with_the_line_that_introduces_it() -> None:
    text = (
        "The visit focused on these areas:\n\n- planning for children\n- stability of homes\n\n- the school"
    )
    assert texts(text) == [text]


def test_list_items_that_are_whole_sentences_are_found_one_by_one() -> None:
    items = [
        f"- Item {n} is a whole sentence of more than twelve words, and so it can be found alone."
        for n in "abc"
    ]
    assert texts("\n".join(items)) == items


def test_a_long_list_is_cut_between_items() -> None:
    text = "Dates:\n\n" + "\n".join(f"- day {n}: a meeting of the board in the town hall" for n in range(60))
    parts = texts(text)
    assert len(parts) == 4
    assert all(part.startswith(("Dates:", "- day")) and len(part.split()) <= 220 for part in parts)


def test_a_title_stands_with_its_byline_date_and_first_paragraph() -> None:
    source = load(FIXTURES / "dirty_news.txt")
    lead = next(p for p in split(source, SETTINGS) if p.boilerplate is None)
    assert lead.text.startswith(
        "Harbour bridge to open two years late\n\nBy Ada Winter\n\n| 4 May 2021\n\nThe harbour"
    )
    assert lead.heading is None


def test_a_masthead_stands_with_the_title_under_it() -> None:
    text = "ECHO > NEWS\n\nLights go out\n28 Dec 2015\n\nThe lights of the harbour are out since Monday."
    (passage,) = split(document(text, title="Lights go out"), SETTINGS)
    assert passage.text == text


def test_an_address_a_date_and_a_greeting_are_one_passage() -> None:
    passages = split(load(FIXTURES / "letter_twice.txt"), SETTINGS)
    assert passages[0].text.startswith("3 March 2019")
    assert passages[0].text.endswith("Dear Ms Crane")


def test_a_letter_that_stands_twice_is_cut_the_same_way_twice() -> None:
    passages = split(load(FIXTURES / "letter_twice.txt"), SETTINGS)
    half = len(passages) // 2
    assert [p.text for p in passages[1:half]] == [p.text for p in passages[half + 1 :]]
    assert [p.heading for p in passages[:half]] == [p.heading for p in passages[half:]]
    assert passages[half - 1].text == "Yours sincerely\n\nJo Marsh\nInspector of Lights"


def test_a_golden_news_page_gives_these_passages() -> None:
    passages = split(load(FIXTURES / "dirty_news.txt"), SETTINGS)
    assert [(p.boilerplate, p.heading, p.text.split("\n")[0][:30]) for p in passages] == [
        ("browser notice", None, "Your browser is out of date"),
        ("cookie notice", None, "We use cookies to give you the"),
        (None, None, "Harbour bridge to open two yea"),
        (None, None, "“The steel was late and the ti"),
        (None, None, "The bridge has cost £6.5m so f"),
        (None, "What happens next", "The board will look at the fol"),
        ("subscription offer", None, "Evening Echo membership"),
        ("comment form", None, "• Comment"),
    ]


def test_kept_boilerplate_is_not_marked_and_cut_the_same() -> None:
    source = load(FIXTURES / "dirty_news.txt")
    marked, kept = split(source, SETTINGS), split(source, PassageSettings(keep_boilerplate=True))
    assert [(p.start, p.end) for p in marked] == [(p.start, p.end) for p in kept]
    assert any(p.boilerplate for p in marked)
    assert not any(p.boilerplate for p in kept)


def test_a_long_paragraph_is_cut_at_sentences_into_even_parts() -> None:
    sentence = "This sentence has ten words and ends with full stop."
    parts = texts(" ".join([sentence] * 50))
    assert sorted(len(part.split()) for part in parts) == [160, 170, 170]
    assert all(part.endswith("full stop.") for part in parts)


def test_a_sentence_of_ten_thousand_words_is_cut_between_words_and_kept_whole() -> None:
    text = " ".join(f"word{n}" for n in range(10_000))
    parts = texts(text)
    assert " ".join(parts) == text
    assert max(len(part.split()) for part in parts) <= 220
    assert len(parts) == 46


def test_text_without_spaces_is_cut_as_well() -> None:
    text = "評価は良好であると監査官は述べた" * 700
    parts = texts(text)
    assert "".join(parts) == text
    assert max(map(len, parts)) <= 30 * 220


def test_white_space_alone_gives_no_passage() -> None:
    assert texts(" \n\n\t \r\n") == []


def test_front_matter_is_marked() -> None:
    draft = load_markdown(
        b"---\ntitle: Bridge\n\ndate: 2021-05-04\n---\n\nThe bridge opens in June 2023, it is said."
    )
    passages = split(drafted(draft), SETTINGS)
    assert passages[0].boilerplate == "document metadata"
    assert passages[-1].boilerplate is None


@needs_real
def test_the_real_documents_exclude_exactly_their_notices() -> None:
    excluded = {
        path.name: [p.boilerplate for p in split(load(path), SETTINGS) if p.boilerplate]
        for path in sorted(REAL.iterdir())
    }
    assert excluded == {
        "2015-11-27-rated-inadequate-news.txt": ["subscription offer"],
        "2017-03-22-monitoring-visit-news.txt": ["comment form"],
        "council-ilacs-good.txt": [],
        "monitoring-visit-letter.txt": [],
        "ratings-jump-news.txt": [
            "browser notice",
            "cookie notice",
            "comment form",
            "comment form",
            "terms notice",
            "comment form",
        ],
    }


@needs_real
def test_the_real_documents_lose_no_character() -> None:
    for path in sorted(REAL.iterdir()):
        source = load(path)
        passages = split(source, SETTINGS)
        headings = {passage.heading for passage in passages}
        left = [line for line in re.split(r"\n+", uncovered(source, passages)) if line.strip()]
        assert all(line in headings for line in left)


@needs_real
def test_the_real_letter_is_whole_over_its_page_breaks() -> None:
    passages = [p.text for p in split(load(REAL / "monitoring-visit-letter.txt"), SETTINGS)]
    assert sum("programme and\n\nco-hosted and contributed" in text for text in passages) == 2
    assert sum("There is\n\nalso effective work" in text for text in passages) == 2
