"""Exported answers: whole, the same each time, and nothing of a document's acts in them."""

from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from docx import Document as WordDocument
from hand_made import abstained, answered
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from rag.errors import UsageError
from rag.output import references
from rag.output.export import WRITERS, Account, account, markdown, read_accounts, web_page, word_document
from rag.output.json_lines import to_json
from rag.records import Answer, Citation, Freshness, Lead, Status, sha256_text

ANSWERED, ABSTAINED = answered(), abstained()
AS_JSON = to_json(ANSWERED, str)
ACCOUNTS = [account(ANSWERED), account(ABSTAINED)]
ANSWERED_WITHOUT = json.dumps(AS_JSON | {"citations": []})
HOSTILE = (
    "</p><script>alert(1)</script> *b* _i_ [a](http://x.y) `c` # h | \\ & &lt; {x} $y$ %z ~t~ "
    "\x1b[2J \u202eab\x00"
)


def line(answer: Answer, /, **changes: Any) -> str:
    return json.dumps(to_json(answer, str) | changes)


def cited(quote: str, *, path: str = "/docs/a.txt", **changes: Any) -> Citation:
    made = Citation(
        document=path,
        sha256="a" * 64,
        start=5,
        end=5 + len(quote),
        quote=quote,
        quote_sha256=sha256_text(quote),
        line=3,
        page=None,
        heading=None,
        title="A title",
        date="2022-03-01",
        freshness=Freshness.UNCHANGED,
        score=1.0,
    )
    return replace(made, **changes)


def told(*citations: Citation, question: str = "why?") -> Account:
    return Account(question, Status.ANSWERED, 0.9, None, citations)


# One account, from records or from JSON


@pytest.mark.parametrize("form", WRITERS)
def test_answers_read_from_json_are_written_as_the_answers_are(form: str) -> None:
    accounts, errors = read_accounts([line(ANSWERED), "", line(ABSTAINED)], "a.jsonl")
    assert errors == []
    rounded = [replace(one, confidence=round(one.confidence, 4)) for one in ACCOUNTS]
    assert WRITERS[form](accounts) == WRITERS[form](rounded)


def test_a_line_that_holds_an_error_is_named_and_left_out() -> None:
    error = json.dumps({"line": 1, "question": None, "status": "error", "error": "x", "hint": ""})
    accounts, errors = read_accounts([error, line(ANSWERED)], "a")
    assert (len(accounts), errors) == (1, [1])


CHANGED: list[tuple[dict[str, Any], str]] = [
    ({"quote": "Other words, which nobody wrote."}, "does not match its own checksum"),
    ({"document": "note.txt"}, "no whole path"),
    ({"start": "5"}, "a whole number under 'start'"),
    ({"start": True}, "a whole number under 'start'"),
    ({"start": -1}, "a range must be"),
    ({"end": 10**9}, "its range"),
    ({"marks": [[0, 10**9]]}, "a range must be"),
    ({"marks": [[0]]}, "pairs of whole numbers"),
    ({"date": "2022-13-01"}, "not a date"),
    ({"freshness": "fresh"}, "fresh"),
    ({"title": 7}, "text under 'title'"),
    ({"score": "high"}, "could not convert"),
]


@pytest.mark.parametrize(("changes", "said"), CHANGED)
def test_a_citation_that_was_changed_is_refused_by_name(changes: dict[str, Any], said: str) -> None:
    answer = to_json(ANSWERED, str)
    answer["citations"][0] |= changes
    with pytest.raises(UsageError) as caught:
        read_accounts(["", json.dumps(answer)], "a.jsonl")
    assert "a.jsonl:2: citation 1: " in caught.value.message
    assert said in caught.value.message


@pytest.mark.parametrize(
    "given",
    [
        "{",
        "[]",
        "7",
        "null",
        '"x"',
        "[" * 100_000,
        ANSWERED_WITHOUT,
        '{"question": 1}',
        '{"status": []}',
        "\ud800",
    ],
)
def test_a_line_that_is_no_answer_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match="a:1"):
        read_accounts([given], "a")


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5), st.lists)


@given(
    st.sampled_from([*to_json(ANSWERED, str)]),
    st.sampled_from([*to_json(ANSWERED, str)["citations"][0]]),
    JSON,
)
def test_any_value_in_any_place_is_used_or_refused(outer: str, inner: str, value: object) -> None:
    for changed in ({outer: value}, {"citations": [AS_JSON["citations"][0] | {inner: value}]}):
        try:
            accounts, _ = read_accounts([line(ANSWERED, **changed)], "a")
        except UsageError:
            continue
        for form in ("md", "csl", "html", "bibtex"):
            assert WRITERS[form](accounts)


# Markdown


class Read(HTMLParser):
    """The text of HTML, its tags, and what is set bold or marked."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.bold = "", ""
        self.tags: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "br", "hr", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data
        if {"strong", "mark"} & set(self.open):
            self.bold += data


def rendered(text: str) -> Read:
    return Read(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text))


TEXTS = st.text(alphabet="*_`[]()<>#|\\&~!-+=.1 aA;:/\n\t\"'é", min_size=1, max_size=40).filter(str.strip)


@given(TEXTS)
def test_markdown_shows_a_quotation_as_it_stands(quote: str) -> None:
    shown = rendered(references.markdown(cited(quote)))
    assert shown.text.split("—")[0].split() == quote.split()
    assert set(shown.tags) == {"blockquote", "p"}


@given(TEXTS)
def test_markdown_shows_a_question_as_it_was_asked(question: str) -> None:
    shown = rendered(markdown([told(cited("It closed."), question=question)]))
    assert "".join(question.split()) in "".join(shown.text.split())
    assert set(shown.tags) <= {"h1", "h2", "blockquote", "p", "em", "code"}


def test_markdown_sets_the_marked_words_bold_and_proves_each_quotation_once() -> None:
    once = cited("It closed in May.", marks=((3, 9),))
    text = markdown([told(once), told(once, cited("Other."), question="who?")])
    assert text.count("> It **closed** in May.[^1]\n") == 2
    proofs = re.findall(r"^\[\^(\d)\]: (.*)$", text, re.MULTILINE)
    assert [number for number, _ in proofs] == ["1", "2"]
    assert proofs[0][1] == f"`/docs/a.txt`, characters 5 to 22, SHA-256 of the file {'a' * 64}"


def test_what_a_quotation_cannot_be_read_without_stands_before_it() -> None:
    led = told(cited("- the library", lead=Lead(0, 12, "It may close")))
    assert "\n> It may close\n>\n> \\- the library[^1]\n" in markdown([led])
    assert Read(web_page([led])).text.index("It may close") < Read(web_page([led])).text.index("the library")
    quoted = [
        p.text for p in WordDocument(io.BytesIO(word_document([led]))).paragraphs if p.style.name == "Quote"
    ]
    assert quoted == ["It may close", "- the library [1]"]


# HTML


def test_a_page_escapes_what_a_document_says() -> None:
    page = Read(web_page([told(cited(HOSTILE, title=HOSTILE, path=f"/{HOSTILE}"), question=HOSTILE)]))
    assert "script" not in page.tags
    assert page.open == []
    assert "</p><script>alert(1)</script> *b*" in page.text
    assert "\x1b" not in page.text


def test_a_page_marks_the_answering_words() -> None:
    assert Read(web_page([told(cited("It closed in May.", marks=((3, 9),)))])).bold == "closed"


# Word


def test_a_word_document_holds_the_quotations_with_their_words_bold() -> None:
    made = WordDocument(io.BytesIO(word_document([told(cited("It closed in May.", marks=((3, 9),)))])))
    (quoted,) = [paragraph for paragraph in made.paragraphs if paragraph.style.name == "Quote"]
    assert quoted.text == "It closed in May. [1]"
    assert [run.text for run in quoted.runs if run.bold] == ["closed"]
    assert made.paragraphs[-1].text.startswith("[1] /docs/a.txt, characters 5 to 22")


def test_a_word_document_takes_any_text() -> None:
    hostile = "".join(map(chr, [*range(0x300), 0x202E, 0xFFFE, 0xFFFF, 0x1F600]))
    made = WordDocument(io.BytesIO(word_document([told(cited(hostile, title=hostile), question=hostile)])))
    assert "<script>" not in made.paragraphs[0].text
    assert any("é" in paragraph.text for paragraph in made.paragraphs)


def test_a_word_document_says_nothing_of_when_it_was_made() -> None:
    data = word_document(ACCOUNTS)
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        assert {entry.date_time for entry in opened.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert not re.search(rb"20[2-9]\d-\d\d-\d\dT", opened.read("docProps/core.xml"))


# References


def test_a_file_cited_twice_is_one_source_and_two_files_of_one_name_are_two() -> None:
    several = [
        cited("One."),
        cited("Other.", start=90, end=96),
        cited("One."),
        cited("Else.", path="/more/a.txt"),
    ]
    items = json.loads(references.csl(several))
    assert [item["id"] for item in items] == ["a-2022", "a-2022-2"]
    assert items[0]["note"] == "“One.” (line 3); “Other.” (line 3)"
    assert items[1]["locator"] == "3"
    assert re.findall(r"^@misc{(.*),$", references.bibtex(several), re.MULTILINE) == ["a-2022", "a-2022-2"]


def test_pages_of_a_source_are_listed_in_order() -> None:
    paged = [cited("One.", page=9), cited("Two.", page=2, start=1, end=5)]
    assert json.loads(references.csl(paged))[0]["page"] == "2, 9"
    assert "  pages = {2, 9},\n" in references.bibtex(paged)


@given(st.text(max_size=60), st.text(min_size=1, max_size=60).filter(str.strip))
def test_bibtex_stays_one_entry_whatever_a_title_holds(title: str, quote: str) -> None:
    entry = references.bibtex([cited(quote, title=title)])
    bare = re.sub(r"\\[{}]|\\text\w+\{\}", "", entry)
    depth = lowest = 0
    for character in bare.rstrip("\n")[:-1]:
        depth += (character == "{") - (character == "}")
        lowest = min(lowest, depth) if depth else lowest
    assert (depth, lowest) == (1, 0)
    assert len(re.findall(r"^@", entry, re.MULTILINE)) == 1


def test_no_citation_gives_an_empty_list() -> None:
    assert WRITERS["csl"]([account(ABSTAINED)]) == b"[\n\n]\n"
    assert WRITERS["bibtex"]([]) == b""


@pytest.mark.parametrize("form", [form for form in WRITERS if form != "docx"])
def test_no_control_reaches_a_file(form: str) -> None:
    made = WRITERS[form]([told(cited(HOSTILE, title=HOSTILE, path=f"/{HOSTILE}"), question=HOSTILE)]).decode()
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", made)
