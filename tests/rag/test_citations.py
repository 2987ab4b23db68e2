"""A quotation stands where its citation says."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from rag.citations import cite, freshness, locate
from rag.records import Block, BlockKind, Document, Freshness, Passage, Place, sha256_text


def document(text: str, places: tuple[Place, ...] = ()) -> Document:
    return Document("d", "/d.txt", "0" * 64, "text/plain", text, places=places)


@given(text=st.text(min_size=3, max_size=60), data=st.data())
def test_a_quote_is_found_where_its_citation_points(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 2))
    end = data.draw(st.integers(start + 1, len(text)))
    a = data.draw(st.integers(0, end - start - 1))
    b = data.draw(st.integers(a + 1, end - start))
    passage = Passage("d", start, end, text[start:end])
    made = cite(document(text), passage, (a, b), [(a, b)], score=1.0, fresh=Freshness.UNCHANGED)
    assert text[made.start : made.end] == made.quote
    assert made.quote_sha256 == sha256_text(made.quote)
    assert made.line == text.count("\n", 0, made.start) + 1
    assert made.marks == ((0, b - a),)


def test_marks_are_cut_to_the_quotation() -> None:
    passage = Passage("d", 0, 10, "0123456789")
    made = cite(
        document("0123456789"),
        passage,
        (2, 6),
        [(0, 3), (5, 9), (7, 8)],
        score=0.0,
        fresh=Freshness.UNCHANGED,
    )
    assert [made.quote[a:b] for a, b in made.marks] == ["2", "5"]


def test_a_page_is_that_of_the_last_place_before() -> None:
    paged = document("first second", (Place(0, page=1), Place(6, page=2)))
    assert [locate(paged, offset) for offset in (0, 5, 6, 11)] == [(1, None), (1, None), (2, None), (2, None)]


def test_a_file_is_unchanged_edited_or_missing(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("abc")
    sha256 = sha256_text("abc")
    assert freshness(str(file), sha256) is Freshness.UNCHANGED
    file.write_text("abd")
    assert freshness(str(file), sha256) is Freshness.EDITED
    file.unlink()
    assert freshness(str(file), sha256) is Freshness.MISSING


def test_a_quoted_definition_carries_its_term_and_the_quotation_stays_as_it_is() -> None:
    text = "Pier\n: A **walk** over water."
    blocks = Block(BlockKind.TERM, 0, 4), Block(BlockKind.DEFINITION, 5, len(text), lead=(0, 4))
    source = Document("d", "/d.md", "0", "text/markdown", text, blocks=blocks)
    passage = Passage("d", 0, len(text), text)
    citation = cite(source, passage, (5, len(text)), [], score=1.0, fresh=Freshness.UNCHANGED)
    assert citation.lead is not None
    assert source.text[citation.lead.start : citation.lead.end] == citation.lead.text == "Pier"
    assert citation.quote == ": A **walk** over water."
    assert cite(source, passage, (0, 4), [], score=1.0, fresh=Freshness.UNCHANGED).lead is None
