"""Checked prose: what stands in real documents, how, where, and what was compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import jsonschema
import pytest
import support
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.checks import prose
from rag.checks.prose import ClaimCheck, ClaimVerdict, check_prose, word_diff
from rag.errors import UsageError
from rag.output.json_lines import schema
from rag.output.lines import Look
from rag.output.prose import finding, footnoted, summary
from rag.records import sha256_text
from rag.retrieval.retriever import Retriever
from rag.store import Store

FILES = {
    "minutes.md": "# Minutes\n\nTom Hebden reported 24 vacant social worker posts at 31 March 2016. "
    "The board noted the figure.\n\nThe council’s cabinet voted — after some debate — to close the trust.\n",
    "review.txt": "The trust spent £6.5m on agency staff in 2017-18. The share of agency staff was "
    "12 per cent.\n\nIn the library, 31 chairs were broken.\n\nThe old bridge was closed for repairs; "
    "then the new one was opened by Ann Lee.\n",
}
Check = Callable[[str], list[ClaimCheck]]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("checked")
    support.run([support.write_corpus(folder / "docs", FILES)], folder / "store")
    with Store.open(folder / "store") as opened:
        yield opened


@pytest.fixture(scope="module")
def check(store: Store) -> Check:
    retriever = Retriever(support.WordEncoder(), store.vectors, store.lexical, store, store.passages)
    return lambda text: check_prose(text, store, lambda query: retriever.retrieve(query, 3))


def one(checks: list[ClaimCheck]) -> ClaimCheck:
    (only,) = checks
    return only


@pytest.mark.parametrize(
    ("quotation", "verdict"),
    [
        ("to close the trust", "verbatim"),
        ("to close the trust.", "verbatim"),
        ("to close the trust,", "typography"),
        ("The council's cabinet voted", "typography"),
        ("cabinet voted - after some debate - to close", "typography"),
        ("cabinet voted\nafter", "differs"),
        ("To close the trust", "differs"),
        ("The council […] voted to close the trust", "nowhere"),
        ("cabinet voted … to close the trust", "elided"),
        ("cabinet [of five] voted — after some [long] debate", "elided"),
        ("close the trust … cabinet voted", "differs"),
        ("The council’s cabinet agreed — after some debate — to close the trust", "differs"),
        ("Nobody had ever said anything like that before", "nowhere"),
        ("the trust", "verbatim"),
        ("purple elephants", "nowhere"),
    ],
)
def test_a_quotation_stands_or_not(check: Check, quotation: str, verdict: str) -> None:
    assert one(check(f"it said “{quotation}” there")).verdict == verdict


def test_what_is_found_is_the_document_s_own_words_with_their_place_and_sums(
    check: Check, store: Store
) -> None:
    found = one(check("it said “The council's cabinet voted” there")).found
    assert found is not None
    (document,) = (d for d in store.documents() if d.path == found.where.document)
    assert document.text[found.where.start : found.where.end] == found.quote == "The council’s cabinet voted"
    assert (found.where.line, found.sha256) == (5, document.sha256)


def test_a_changed_quotation_is_shown_with_its_changed_words(check: Check) -> None:
    checked = one(check("it said “cabinet voted — after no debate — to close the trust” there"))
    assert [(c.text, c.document) for c in checked.diff if not c.same] == [("no", "some")]
    assert not checked.stands


def test_a_figure_is_found_with_what_it_counts(check: Check) -> None:
    assert one(check("there were 24 vacant posts")).verdict is ClaimVerdict.VERBATIM
    assert one(check("there were twenty-four vacant posts")).verdict is ClaimVerdict.TYPOGRAPHY


def test_a_figure_that_counts_something_else_does_not_stand(check: Check) -> None:
    checked = one(check("the board heard of 31 vacant social worker posts"))
    assert checked.verdict is ClaimVerdict.DIFFERS
    assert "“24”" in checked.detail
    lone = one(check("there were 24 broken windows in the posts"))
    assert lone.verdict is ClaimVerdict.ELSEWHERE
    assert not lone.stands


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("it spent £6.5m on agency staff", "verbatim"),
        ("it spent £6.5 million on agency staff", "typography"),
        ("it spent £7m on agency staff", "differs"),
        ("the share of agency staff was 12%", "typography"),
        ("posts were vacant in March 2016", "verbatim"),
        ("posts were vacant in March 2019", "nowhere"),
        ("it spent money on agency staff in 2017-18", "verbatim"),
    ],
)
def test_money_shares_and_dates(check: Check, text: str, verdict: str) -> None:
    assert one(check(text)).verdict == verdict


def test_names(check: Check) -> None:
    assert one(check("the bridge was opened by Ann Lee")).verdict is ClaimVerdict.VERBATIM
    assert one(check("the bridge was opened by Ann Leigh")).verdict is ClaimVerdict.DIFFERS
    assert one(check("the bridge was opened by Queen Victoria")).verdict is ClaimVerdict.NOWHERE


def test_a_word_that_opens_a_sentence_is_a_name_only_where_it_is_one_elsewhere(check: Check) -> None:
    assert check("Critics were angry.") == []
    assert check("Debate was had.") == []
    assert one(check("Hebden was heard.")).verdict in (ClaimVerdict.VERBATIM, ClaimVerdict.ELSEWHERE)


def test_nothing_is_said_of_nothing(check: Check) -> None:
    assert check("") == check("only plain words here") == []
    assert summary([]).startswith("nothing in this text")


def test_a_quotation_of_words_that_a_document_sets_bold_stands(tmp_path: Path) -> None:
    docs = support.write_corpus(tmp_path / "docs", {"a.md": "It was **decided** to\n> close the mill.\n"})
    support.run([docs], tmp_path / "store")
    with Store.open(tmp_path / "store") as opened:
        checked = one(check_prose("it said “decided to close the mill”", opened, lambda query: []))
    assert checked.verdict is ClaimVerdict.TYPOGRAPHY
    assert "the document's markup" in checked.detail


def test_a_name_stands_before_a_possessive(check: Check) -> None:
    (name, _) = check("Nothing more of Tom Hebden's “24 vacant social worker posts” was heard")
    assert name.verdict is ClaimVerdict.VERBATIM


DRAFT = (
    "Tom Hebden told of 24 vacant posts, *not* 31.\n\n> The old bridge was closed for repairs\n\n"
    "It said “to close the *trust*” and “to close the trust”, and £9m.\n"
)


def test_every_finding_holds_to_its_schema_and_can_be_drawn(check: Check) -> None:
    for checked in check(DRAFT):
        line = checked.to_json()
        jsonschema.validate(line, schema("check"))
        if line["found"]:
            assert line["found"]["quote_sha256"] == sha256_text(line["found"]["quote"])
        for look in (Look(), Look(width=30), Look(width=80, colour=True), Look(unicode=False)):
            assert finding(checked, look)


def test_a_copy_with_footnotes_is_the_text_and_a_note_for_each_finding(check: Check) -> None:
    import re

    copy = footnoted(DRAFT, check(DRAFT))
    body, _, notes = copy.partition("\n\n[^rag-1]: ")
    assert re.sub(r"\[\^rag-\d+\]", "", body) == DRAFT.rstrip()
    marks = set(re.findall(r"\[\^rag-(\d+)\]", body))
    assert marks == {"1"} | set(re.findall(r"^\[\^rag-(\d+)\]: ", notes, re.MULTILINE))


def test_the_same_finding_twice_has_one_footnote(check: Check) -> None:
    copy = footnoted(text := "It said “to close the trust” and “to close the trust”.", check(text))
    assert copy.count("[^rag-1]") == 3
    assert "[^rag-2]" not in copy


def test_a_text_too_long_is_refused(check: Check) -> None:
    with pytest.raises(UsageError, match="checked at once"):
        check("word " * (prose.MAX_CHARS // 5 + 1))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet='"“”>[]….*\n\0\x1b\ud800 aA1£%trusthecouncil', max_size=60))
def test_any_text_is_checked(check: Check, text: str) -> None:
    for checked in check(text):
        jsonschema.validate(checked.to_json(), schema("check"))


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_diff_leads_from_one_text_to_the_other(here: str, there: str) -> None:
    squeezed = "".join(change.text for change in word_diff(here, there))
    assert "".join(squeezed.split()) == "".join(here.split())


def test_a_file_edited_since_is_said_to_be(tmp_path: Path) -> None:
    docs = support.write_corpus(tmp_path / "docs", FILES)
    support.run([docs], tmp_path / "store")
    (docs / "minutes.md").write_text("other words")
    with Store.open(tmp_path / "store") as opened:
        checked = one(check_prose("it said “to close the trust” there", opened, lambda query: []))
    assert checked.to_json()["found"]["freshness"] == "edited"
