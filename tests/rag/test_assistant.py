"""The assistant over the sample documents, with the real encoder and the real reader."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import REAL, needs_real

from rag import Assistant
from rag.errors import EncoderMismatchError, StoreMissingError, UsageError
from rag.indexing import index
from rag.records import Answer, Freshness, Status
from rag.settings import EncoderSettings, ReaderSettings, Settings

FLAGSHIP = "why was the trust decommissioned?"


@pytest.fixture(scope="module")
def assistant(sample_store: Path) -> Iterator[Assistant]:
    with Assistant.open(sample_store) as opened:
        yield opened


def words(answer: Answer) -> str:
    return " ".join(citation.quote for citation in answer.citations)


def test_the_flagship_question_shows_the_decision_and_claims_no_reason(assistant: Assistant) -> None:
    answer = assistant.ask(FLAGSHIP)
    assert answer.status is Status.WEAK
    assert answer.reason is not None
    assert "reason" in answer.reason
    assert "2022" in words(answer)


@needs_real
def test_the_flagship_question_of_the_real_documents(tmp_path: Path) -> None:
    """Five reports, one of which names the decision once; none states a reason."""
    index([REAL], tmp_path, Settings(store=tmp_path))
    with Assistant.open(tmp_path) as opened:
        answer = opened.ask(FLAGSHIP)
    assert answer.status is Status.WEAK
    assert "2022 decision to decommission" in answer.citations[0].quote
    assert "Ros Jones" in answer.citations[1].quote
    assert not any("legacy" in citation.quote for citation in answer.citations)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("who is the chief executive of the trust?", "Moffat"),
        ("how many social worker posts were vacant at the end of March 2016?", "24"),
    ],
)
def test_a_plain_question_is_answered_in_the_documents_words(
    assistant: Assistant, question: str, said: str
) -> None:
    answer = assistant.ask(question)
    assert answer.status is Status.ANSWERED
    assert said in answer.citations[0].quote


def test_every_citation_stands_in_its_document(assistant: Assistant) -> None:
    for question in (FLAGSHIP, "how many vacancies were there?", "what did the mayor say?"):
        answer = assistant.ask(question)
        for citation in answer.citations:
            document = next(d for d in assistant.store.documents() if d.path == citation.document)
            assert document.text[citation.start : citation.end] == citation.quote
            assert hashlib.sha256(Path(citation.document).read_bytes()).hexdigest() == citation.sha256
            assert citation.freshness is Freshness.UNCHANGED
            assert all(citation.quote[a:b] for a, b in citation.marks)


def test_what_the_documents_do_not_speak_of_gets_no_answer(assistant: Assistant) -> None:
    answer = assistant.ask("what is the best recipe for sourdough pizza?")
    assert answer.status is Status.ABSTAINED
    assert (answer.answer, answer.citations, answer.spans) == ("", (), ())
    assert len(answer.hits) == 5


def test_a_filter_on_dates_and_paths_leaves_only_what_it_allows(assistant: Assistant) -> None:
    dates = {d.id: d.date for d in assistant.store.documents()}
    after = assistant.ask("what was the rating?", after="2016-01-01", before="2018-12-31", k=10)
    found = [dates[hit.passage.document_id] for hit in after.hits]
    assert found
    assert all(date is not None and "2016-01-01" <= date <= "2018-12-31" for date in found)
    paths = {d.id: d.path for d in assistant.store.documents()}
    inside = assistant.ask("what was the rating?", inside="*.pdf", k=10)
    assert {Path(paths[h.passage.document_id]).suffix for h in inside.hits} == {".pdf"}


def test_hits_past_those_read_to_the_end_follow_them_and_are_never_cited(assistant: Assistant) -> None:
    answer = assistant.ask("who is the chief executive of the trust?", k=12)
    assert answer.status is Status.ANSWERED  # a weak answer reads one more, for what else is said
    assert len(answer.hits) == 12
    scores = [hit.score for hit in answer.hits]
    assert scores == sorted(scores, reverse=True)
    n_finished = ReaderSettings().n_finished
    assert 0 < n_finished < 12
    read = {(h.passage.document_id, h.passage.start) for h in answer.hits[:n_finished]}
    assert {(span.passage.document_id, span.passage.start) for span in answer.spans} <= read


def test_as_of_leaves_out_what_was_written_later_unless_it_looks_back(assistant: Assistant) -> None:
    dates = {d.id: d.date for d in assistant.store.documents()}
    for answer in (
        assistant.ask("as of 2016, how was the trust rated?", k=10),
        assistant.ask("how was the trust rated?", as_of="2016", k=10),
    ):
        for hit in answer.hits:
            date = dates[hit.passage.document_id]
            assert date is None or date <= "2016-12-31" or "2016" in hit.passage.text


def test_as_of_a_time_before_all_documents_says_so(assistant: Assistant) -> None:
    answer = assistant.ask("how was the trust rated?", as_of="1950", inside="*mayor-defends*")
    assert any("No document is dated 31 December 1950 or earlier" in notice for notice in answer.notices)


@pytest.mark.parametrize(
    "question",
    [
        "почему закрыли трест?",
        "なぜ信託は廃止されたのか",
        "لماذا",
        "?",
        "a" * 900,
        "\u202etsurt eht\x1b[31m",
        "🙂" * 40,
    ],
    ids=["cyrillic", "japanese", "arabic", "mark", "one-word", "escapes", "emoji"],
)
def test_any_question_gets_some_answer(assistant: Assistant, question: str) -> None:
    assert isinstance(assistant.ask(question), Answer)


@pytest.mark.parametrize("question", ["", "   ", "x" * 10_000], ids=["empty", "blank", "endless"])
def test_no_question_and_an_endless_one_are_refused(assistant: Assistant, question: str) -> None:
    with pytest.raises(UsageError):
        assistant.ask(question)


def test_a_date_that_is_none_is_refused(assistant: Assistant) -> None:
    with pytest.raises(UsageError, match="not a date"):
        assistant.ask(FLAGSHIP, as_of="yesterday")


def test_no_store_is_an_error_with_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(StoreMissingError) as caught:
        Assistant.open(tmp_path / "none")
    assert "rag index" in caught.value.hint


def test_a_store_of_another_encoder_is_refused(sample_store: Path) -> None:
    other = Settings(store=sample_store, encoder=EncoderSettings(query_prefix="query: "))
    with pytest.raises(EncoderMismatchError) as caught:
        Assistant.open(sample_store, settings=other)
    assert "--rebuild" in caught.value.hint


def test_an_edited_and_a_missing_file_are_said_to_be_so(tmp_path: Path) -> None:
    folder, store = tmp_path / "documents", tmp_path / "store"
    folder.mkdir()
    file = folder / "minutes.txt"
    file.write_text("The bridge was closed on 3 May 2011 because of cracks in the northern pier.\n")
    index([folder], store, Settings(store=store))
    with Assistant.open(store) as opened:
        question = "when was the bridge closed?"
        assert opened.ask(question).citations[0].freshness is Freshness.UNCHANGED
        file.write_text("The bridge was closed on 4 May 2011 because of cracks in the northern pier.\n")
        edited = opened.ask(question)
        assert edited.citations[0].freshness is Freshness.EDITED
        assert any("minutes.txt has been edited" in notice for notice in edited.notices)
        file.unlink()
        assert opened.ask(question).citations[0].freshness is Freshness.MISSING
    shutil.rmtree(store)


def test_equal_words_in_two_places_answer_once(tmp_path: Path) -> None:
    folder, store = tmp_path / "documents", tmp_path / "store"
    folder.mkdir()
    said = "The weir at Ansley was rebuilt in 1931 after the great flood carried off the old one."
    (folder / "a.txt").write_text(f"{said}\n\nThe mill was sold in 1950 to a farmer from the next valley.\n")
    (folder / "b.txt").write_text(
        f"A walk along the river to the next village takes an hour in good weather.\n\n{said}\n"
    )
    index([folder], store, Settings(store=store))
    with Assistant.open(store) as opened:
        first = opened.ask("when was the weir rebuilt?").citations[0]
    assert [Path(place.document).name for place in first.also_in] == ["b.txt"]
    place = first.also_in[0]
    assert (folder / "b.txt").read_text()[place.start : place.end] == first.quote


def test_a_closed_assistant_is_let_go_at_once(sample_store: Path) -> None:
    import gc
    import weakref

    gc.disable()  # whoever opens each new generation would hold the models of many
    try:
        assistant = Assistant.open(sample_store)
        known = weakref.ref(assistant)
        assistant.ask("why was the trust decommissioned?")
        assistant.close()
        del assistant
        assert known() is None
    finally:
        gc.enable()
