"""What reads the text of others, fed anything: it answers, or refuses in its own words.

A few examples of each in the default tests; ``make fuzz`` gives each target as many as its profile says.
"""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.checks.nearest import nearest, stands_whole
from rag.checks.verify import Verdict, check, read_answers
from rag.cli.ask import lines_of, read_question
from rag.errors import LoadError, RagError
from rag.loaders import LOADERS
from rag.loaders.draft import UnreadableError
from rag.loading import Here, answer, load_here
from rag.passages import split
from rag.records import Document, sha256_text
from rag.settings import PassageSettings, load_settings
from rag.text.boilerplate import reasons
from rag.text.dates import dates_in
from rag.text.layout import paragraphs
from rag.text.sentences import sentences

pytestmark = pytest.mark.filterwarnings("ignore")

# Pieces that texts are made of, and what readers of them stumble over.
PIECES = st.sampled_from(
    [
        "The trust was opened in June 2014. ",
        "Mr. ",
        "# heading\n",
        "- item\n",
        "| a | b |\n",
        "```\n",
        "\n\n",
        "\r\n",
        "\r",
        "\u2028",
        "1.2.3 ",
        "22 March 2017",
        "31/02/2016 ",
        "“",
        "”",
        "(",
        ")",
        "...",
        "\u00ad",
        "\u200b",
        "e\u0301",
        "\ufeff",
        "\ud800",
        "\0",
        "\x0c",
        "We use cookies. ",
        "<p>",
        "</p>",
        "<table><tr><td>",
        "&nbsp;",
        "word ",
        "x" * 500,
        "\t",
        "    ",
        "Dear Ms Crane\n",
        "Yours sincerely\n",
        "---\n",
        "=====\n",
        "[a](b)",
        "![",
        "\\",
    ]
)
TEXT = st.lists(PIECES | st.text(max_size=20), max_size=40).map("".join)
BYTES = TEXT.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=2000)


def refused(words: str) -> None:
    assert words.strip()


@given(TEXT)
def test_sentences_lie_in_order_and_lose_no_word(text: str) -> None:
    found = sentences(text)
    assert all(0 <= start < end <= len(text) for start, end in found)
    assert all(before[1] <= after[0] for before, after in pairwise(found))
    kept = "".join(text[start:end] for start, end in found)
    assert "".join(kept.split()) == "".join(text.split())


@given(TEXT)
def test_blocks_dates_and_notices_are_found_in_any_text(text: str) -> None:
    texts = [text[start:end] for start, end in paragraphs(text)]
    assert len(reasons(texts)) == len(texts)
    assert all(0 <= start < end <= len(text) for start, end, _ in dates_in(text))


@given(st.sampled_from(sorted(LOADERS)), BYTES)
def test_any_bytes_under_any_suffix_are_a_draft_or_refused_in_words(suffix: str, data: bytes) -> None:
    try:
        draft = LOADERS[suffix](data)
    except UnreadableError as error:
        refused(error.reason)
        return
    document = Document("d", "/d", "0" * 64, draft.media_type, draft.text, blocks=draft.blocks)
    for passage in split(document, PassageSettings(min_words=1)):
        assert document.text[passage.start : passage.end] == passage.text
    for block in draft.blocks:
        assert 0 <= block.start < block.end <= len(draft.text)


@given(st.sampled_from([".txt", ".md", ".html"]), BYTES)
def test_what_a_child_sends_is_what_it_loaded(suffix: str, data: bytes) -> None:
    import os
    import tempfile
    from dataclasses import asdict

    from rag.loading import _unpack

    chosen = PassageSettings(min_words=1)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, f"a{suffix}")  # noqa: PTH118
        Path(path).write_bytes(data)
        header, text = answer({"path": path, "inside": None, "settings": asdict(chosen)})
        sent = _unpack(json.loads(json.dumps(header)), text, path)
        try:
            loaded = load_here(path, chosen, None)
        except LoadError as error:
            loaded = error  # type: ignore[assignment]
    assert repr(sent) == repr(loaded)


@given(TEXT, TEXT)
def test_the_nearest_text_lies_in_the_text(text: str, quote: str) -> None:
    found = nearest(text, quote, len(text) // 2)
    if found is not None:
        assert 0 <= found.start < found.end <= len(text)
        stands_whole(text, found.start, found.end)


ANSWERS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("/dev/zero"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from("citations document sha256 quote quote_sha256 start end store status".split()),
            inner,
        )
    ),
    max_leaves=20,
)


@given(st.lists(ANSWERS.map(json.dumps) | st.text(max_size=50), max_size=5))
def test_any_answers_file_is_checked_or_refused_by_line(lines: list[str]) -> None:
    try:
        cited = read_answers([line.replace("\n", " ") for line in lines], "a")
    except RagError as error:
        refused(error.message)
        return
    for one in check(cited, max_bytes=1000, loader=Here()):
        assert one.verdict is not Verdict.SAME


@given(TEXT, st.integers(-5, 100), st.text(min_size=1, max_size=30))
def test_a_citation_is_the_same_only_where_its_quote_stands(text: str, start: int, quote: str) -> None:
    from rag.checks.verify import Cited, judge

    document = Document("d", "/d.txt", sha256_text(text), "text/plain", text)
    cited = Cited(
        1, 1, "?", "/d.txt", sha256_text(text), start, start + len(quote), quote, sha256_text(quote)
    )
    same = judge(cited, document).verdict is Verdict.SAME
    assert same == (start >= 0 and text[start : start + len(quote)] == quote)


@given(
    st.binary(max_size=300) | st.lists(ANSWERS.map(json.dumps).map(str.encode), max_size=4).map(b"\n".join)
)
def test_any_line_is_a_question_or_refused(data: bytes) -> None:
    import io

    read = list(lines_of(io.BytesIO(data), 16))
    assert b"".join(read) == data
    for line in read:
        try:
            question, _ = read_question(line.decode("utf-8", "replace"))
        except RagError as error:
            refused(error.message)
        else:
            question.encode()


SETTINGS = st.dictionaries(st.sampled_from(["store", "passages", "retrieval", "x"]), ANSWERS, max_size=3).map(
    lambda values: "\n".join(f"{key} = {json.dumps(value)}" for key, value in values.items())
)


@given(SETTINGS | TEXT)
def test_any_settings_file_is_read_or_refused_in_words(text: str) -> None:
    import tempfile

    with tempfile.NamedTemporaryFile(suffix=".toml") as file:
        file.write(text.encode("utf-8", "surrogatepass"))
        file.flush()
        try:
            load_settings(environ={"RAG_CONFIG": file.name, "HOME": "/"})
        except RagError as error:
            refused(error.message)
