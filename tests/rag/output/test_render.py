"""Screens, to the character; ``tests/golden`` holds them.

After a change that is meant: RAG_REWRITE_GOLDEN=1 python -m pytest tests/rag/output, and read what
has changed.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import hand_made
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from rag.checks.doctor import Finding
from rag.checks.hygiene import Hygiene, KeptOut, Twins
from rag.checks.verify import Checked, Cited, Verdict
from rag.citations import location
from rag.errors import LoadError
from rag.indexing import IndexSummary
from rag.output import render, reports
from rag.output.lines import Look, fold, quoted, rows
from rag.records import Citation, Freshness, Location
from rag.session import view
from rag.store.lookup import Named, around
from rag.text.sinks import clean

GOLDEN = Path(__file__).parents[2] / "golden"
SOURCE = hand_made.DOCUMENTS.__getitem__
WIDE = Look(width=80, base=Path("/docs"))
NARROW = Look(width=40, base=Path("/docs"))
WIDTHS = pytest.mark.parametrize("look", [WIDE, NARROW], ids=["80", "40"])


def plain(lines: Sequence[Text]) -> str:
    return "\n".join(line.plain for line in lines) + "\n"


def assert_golden(lines: Sequence[Text], name: str) -> None:
    path, found = GOLDEN / f"{name}.txt", plain(lines)
    if os.environ.get("RAG_REWRITE_GOLDEN"):
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8")


@WIDTHS
@pytest.mark.parametrize("kind", ["answered", "weak", "abstained"])
def test_an_answer_is_drawn_to_the_character(kind: str, look: Look) -> None:
    given_answer = getattr(hand_made, kind)()
    assert_golden(render.answer(given_answer, SOURCE, look), f"{kind}_{look.width}")


@WIDTHS
def test_a_search_is_drawn_to_the_character(look: Look) -> None:
    assert_golden(render.hits(hand_made.HITS, SOURCE, look, explain=True), f"search_{look.width}")


@WIDTHS
def test_an_excerpt_is_drawn_to_the_character(look: Look) -> None:
    lines = around(hand_made.REVIEW, Named("review.pdf", 2), 1)
    assert_golden(render.excerpt(hand_made.REVIEW, lines, Freshness.EDITED, look), f"excerpt_{look.width}")


CITED = Cited(1, 1, "when?", "/docs/note.txt", "0" * 64, 10, 20, "decommission the trust", "0" * 64)
MOVED = Checked(CITED, Verdict.MOVED, "moved", Location("/docs/note.txt", 30, 52, line=4))
GONE = Checked(CITED, Verdict.GONE, "the file was edited and the words are not in it")


@WIDTHS
def test_citations_that_do_not_stand_are_drawn_to_the_character(look: Look) -> None:
    assert_golden(reports.checked(MOVED, look) + reports.checked(GONE, look), f"verify_{look.width}")


@WIDTHS
def test_an_indexing_run_and_its_hygiene_are_drawn_to_the_character(look: Look) -> None:
    done = IndexSummary(
        added=2,
        changed=1,
        removed=0,
        renamed=0,
        unchanged=1200,
        problems=[LoadError("/docs/torn.pdf", "it is cut short")],
        left=[],
        n_documents=1203,
        n_passages=25_000,
        n_excluded=1,
        duplicates=1,
        embedded=40,
        reused=24_960,
        generation=3,
        committed=True,
        seconds=4.25,
    )
    here = location(hand_made.NOTE, 79, 99)
    found = Hygiene(
        kept_out=(KeptOut(here, "We use cookies.", "cookie notice", "0123456789ab"),),
        brought_back=("ba9876543210",),
        twins=(Twins("It gave two reasons.", (here, location(hand_made.REVIEW, 9, 50))),),
        encodings=(("/docs/note.txt", "cp1252"),),
        undated=("/docs/review.pdf",),
        notes=(("/docs/note.txt", "the date is taken from the file name"),),
    )
    lines = reports.hygiene(found, look) + reports.summary(done, Path("/docs/store"), look)
    assert_golden(lines, f"index_{look.width}")


@WIDTHS
def test_findings_are_drawn_to_the_character(look: Look) -> None:
    found = [
        Finding("encoder", True, "all-MiniLM-L6-v2, 384 dimensions, weights checked"),
        Finding("files", False, "1 edited since indexing: /docs/note.txt", 'rag index "/docs"'),
    ]
    assert_golden(reports.findings(found, look), f"doctor_{look.width}")


def test_in_colour_the_marked_words_are_reversed_and_carry_no_signs() -> None:
    lines = render.answer(hand_made.answered(), SOURCE, Look(width=80, colour=True))
    evidence = lines[2]
    (span,) = [span for span in evidence.spans if "reverse" in str(span.style)]
    assert evidence.plain[span.start : span.end] == "voted to decommission the trust"
    assert "»" not in plain(lines)


def test_a_terminal_without_unicode_gets_stars() -> None:
    assert "**voted to decommission the trust**" in plain(
        render.answer(hand_made.answered(), SOURCE, Look(unicode=False))
    )


@pytest.mark.parametrize(
    ("fresh", "words"),
    [
        (Freshness.UNCHANGED, "file unchanged"),
        (Freshness.EDITED, "file edited since indexing"),
        (Freshness.MISSING, "file no longer there"),
    ],
)
def test_every_citation_says_how_fresh_its_file_is(fresh: Freshness, words: str) -> None:
    assert words in plain(render.answer(hand_made.answered(fresh), SOURCE, Look()))


def test_what_a_quotation_counts_from_its_document_s_date_is_said_beside_it() -> None:
    answer = hand_made.answered()
    (citation, *_), quote = answer.citations, "It rose last year, as it had in the last year of the war."
    made = hand_made.quoting(citation, quote)

    def shown(*cited: Citation) -> str:
        return plain(render.answer(replace(answer, citations=cited, disagreements=()), SOURCE, Look()))

    assert "22 March 2017 · “last year” from then: 2016\n" in shown(made)
    assert "from then" not in shown(replace(made, date=None))


def test_without_a_width_no_line_is_folded() -> None:
    assert any(len(line.plain) > 60 for line in render.answer(hand_made.answered(), SOURCE, Look()))


@given(st.text() | st.text(st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp"])))
def test_clean_leaves_nothing_that_a_terminal_acts_on(text: str) -> None:
    assert is_safe(clean(text))


def is_safe(text: str) -> bool:
    """No control, no half surrogate, no separator of lines, no direction override, nothing without width."""
    bad = {"Cc", "Cs", "Zl", "Zp"}
    invisible = set("\xad\u200b\u200c\u200d\u2060\ufeff")
    overrides = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}
    return not any(
        unicodedata.category(c) in bad or unicodedata.bidirectional(c) in overrides or c in invisible
        for c in text
    )


HOSTILE = "safe \x1b[2J\x1b]0;owned\x07 \u202egnp.exe\u202c \u200bzero\x9b31m\r over\x00\x08 \ud800 end"


@WIDTHS
def test_a_hostile_document_cannot_drive_the_terminal(look: Look) -> None:
    found = hand_made.answered()
    first = replace(
        found.citations[0],
        quote=HOSTILE,
        start=0,
        end=len(HOSTILE),
        marks=((0, 9), (9, 20)),
        title=HOSTILE,
        heading=HOSTILE,
        document="/docs/" + HOSTILE.replace("/", ""),
    )
    hostile = replace(
        found,
        citations=(first,),
        disagreements=(),
        notices=(HOSTILE,),
    )
    document = replace(hand_made.NOTE, text=HOSTILE + "\n" + HOSTILE, title=HOSTILE)
    lines = render.answer(hostile, SOURCE, look)
    lines += render.excerpt(document, around(document, Named("x"), 3), Freshness.EDITED, look)
    lines += reports.checked(
        Checked(replace(CITED, quote=HOSTILE, document=HOSTILE), Verdict.GONE, HOSTILE), look
    )
    *finding, remedy = reports.findings([Finding("files", False, HOSTILE, HOSTILE)], look)
    lines += finding
    lines += rows([("name", HOSTILE)], look)
    assert all(is_safe(line.plain) for line in [*lines, remedy])  # a remedy is one line, to be pasted whole
    assert all(line.cell_len <= look.width for line in lines if look.width)


@given(st.text(max_size=300), st.integers(20, 120))
def test_no_line_is_wider_than_the_terminal_and_no_word_is_lost(text: str, width: int) -> None:
    lines = fold(Text(clean(text)), Look(width=width), "    ", "- ")
    assert all(line.cell_len <= width for line in lines)
    joined = "".join(line.plain for line in lines)[2:]
    assert "".join(joined.split()) == "".join(clean(text).split())


@given(st.text(max_size=80), st.lists(st.tuples(st.integers(0, 80), st.integers(0, 80)), max_size=4))
def test_marks_add_signs_and_change_no_words(quote: str, marks: list[tuple[int, int]]) -> None:
    inside = [(min(a, b), max(a, b)) for a, b in marks if max(a, b) <= len(quote)]
    drawn = quoted(quote.replace("»", "").replace("«", ""), inside, Look()).plain
    bare = drawn.replace("»", "").replace("«", "")
    expected = clean(quote.replace("»", "").replace("«", ""))
    assert "".join(bare.split()) == "".join(expected.split())


@pytest.mark.parametrize("position", [0, 1])
def test_a_session_shows_each_side_of_a_disagreement_by_itself(position: int) -> None:
    given = hand_made.answered()
    assert given.disagreements == ((0, 1),)
    _, below = view.evidence(given, position, SOURCE, WIDE)
    shown = " ".join(plain(below).split())
    words = ["voted to decommission the trust", "October 2014"]
    assert f"»{words[position]}«" in shown
    assert words[1 - position] not in shown
