"""What tests everywhere share; standing here also lets them import ``support``."""

from __future__ import annotations

from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parents[1]

# A busy machine, or a library's first import, is no failure of the code.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.register_profile("fuzz", deadline=None, max_examples=1_000_000)
hypothesis.settings.load_profile("patient")


@pytest.fixture(scope="session")
def sample_corpus() -> Path:
    """The sample documents as they ship."""
    return ROOT / "eval" / "data" / "corpus"


@pytest.fixture(scope="session")
def sample_store(sample_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store over the sample documents, built once with the real encoder. Tests must not change it."""
    from rag.indexing import index
    from rag.settings import Settings

    store = tmp_path_factory.mktemp("sample") / "store"
    index([sample_corpus], store, Settings(store=store))
    return store
