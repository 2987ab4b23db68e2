"""Sessions over real stores: one with a tiny encoder, exact everywhere; one with the bundled model."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import driven
import pytest
import support

from rag.settings import Settings


@pytest.fixture(scope="session")
def letters(sample_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six of the sample documents, of every kind, in a folder of their own."""
    folder = tmp_path_factory.mktemp("session") / "letters"
    folder.mkdir()
    for name in driven.NAMES:
        shutil.copy2(sample_corpus / "doncaster" / name, folder / name)
    return folder


@pytest.fixture(scope="session")
def word_store(letters: Path) -> Path:
    """A store over ``letters`` with the tiny encoder."""
    store = letters.parent / "words" / "store"
    support.run([letters], store, settings=Settings(store=store))
    return store


@pytest.fixture(scope="session")
def model_store(letters: Path) -> Path:
    """A store over ``letters`` with the bundled model."""
    from rag.indexing import index

    store = letters.parent / "model" / "store"
    index([letters], store, Settings(store=store))
    return store


@pytest.fixture
def fresh(letters: Path, word_store: Path, tmp_path: Path) -> Iterator[Callable[..., driven.Driven]]:
    """Opens a session of its own over ``word_store``; its questions go to a folder of its own."""
    opened: list[driven.Driven] = []

    def open_one(**options: object) -> driven.Driven:
        one = driven.open_driven(word_store, letters, **options)  # type: ignore[arg-type]
        one.session.options.questions = tmp_path / "questions.jsonl"
        opened.append(one)
        return one

    yield open_one
    for one in opened:
        one.session.close()
