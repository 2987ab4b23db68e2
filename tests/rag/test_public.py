"""What ``from rag import ...`` offers: a list that changes only on purpose."""

from __future__ import annotations

from pathlib import Path

import pytest

import rag


def test_the_public_names_are_these() -> None:
    assert set(rag.__all__) == {
        *("Assistant", "Settings", "index", "load_settings", "IndexSummary", "RagError"),
        *("Answer", "Status", "Citation", "Freshness", "Span", "Hit", "Passage", "Document"),
    }
    assert all(getattr(rag, name).__name__ == name for name in rag.__all__)


def test_another_name_is_refused_as_python_refuses_it() -> None:
    with pytest.raises(AttributeError, match="no attribute 'answer_always'"):
        rag.answer_always  # noqa: B018


def test_the_public_names_are_enough_to_index_and_ask(tmp_path: Path) -> None:
    file = tmp_path / "minutes.txt"
    file.write_text("The bridge was closed on 3 May 2011 because of cracks in the northern pier.\n")
    settings = rag.Settings(store=tmp_path / "store")
    assert rag.index([file], settings.store, settings).added == 1
    with rag.Assistant.open(settings=settings) as assistant:
        answer = assistant.ask("when was the bridge closed?")
    assert answer.status is rag.Status.ANSWERED
    assert "3 May 2011" in answer.citations[0].quote
