"""A quotation stands where its citation says."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from rag.citations import cite, freshness, locate
from rag.records import Document, Freshness, Passage, Place, sha256_text


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
