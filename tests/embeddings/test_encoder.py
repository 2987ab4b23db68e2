"""The two runtimes of the built-in encoder, and its weights."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from embeddings.encoder import Encoder, open_encoder
from embeddings.weights import (
    BUILT_IN,
    PINNED,
    STOCK,
    WeightsChangedError,
    WeightsNotFoundError,
    check,
    shipped,
    stock_folder,
)

TEXTS = [
    "why was the trust decommissioned?",
    "The council’s 2022 decision brought children’s services back under its control.",
    "a",
    "",
    "Ünïcode, 漢字 and \u202e right-to-left",
    "The number of moves fell from 57 to 39. " * 60,  # longer than the encoder reads
]


@pytest.fixture(scope="module")
def quick() -> Encoder:
    return open_encoder()


@pytest.mark.parametrize("model", [BUILT_IN, STOCK])
def test_both_runtimes_give_the_same_vectors(model: str) -> None:
    quick, reference = open_encoder(model), open_encoder(model, runtime="sentence-transformers")
    cosines = (quick.encode(TEXTS) * reference.encode(TEXTS)).sum(axis=1)
    assert cosines.min() > 0.9999
    assert quick.fingerprint == reference.fingerprint
    assert quick.dim == reference.dim == 384


def test_what_was_trained_here_tells_an_answer_from_its_neighbours_better_than_the_stock_model() -> None:
    question = ["who holds the brief for childrens social care"]
    passages = [
        "Cllr Lani-Mae Ball is the cabinet member for education and the portfolio holder for young people.",
        "Children's social care is inspected every three years; the last inspection took a week.",
    ]
    leads = {}
    for model in (BUILT_IN, STOCK):
        encoder = open_encoder(model)
        right, wrong = encoder.encode(question, kind="query")[0] @ encoder.encode(passages).T
        leads[model] = right - wrong
    assert leads[BUILT_IN] > leads[STOCK]


def test_the_weights_written_for_other_programs_give_the_same_vectors(quick: Encoder, tmp_path: Path) -> None:
    shipped(BUILT_IN).write(tmp_path / "model")
    other = open_encoder(str(tmp_path / "model"))
    assert (quick.encode(TEXTS) * other.encode(TEXTS)).sum(axis=1).min() > 0.9999


def test_a_batch_of_one_equals_one_of_many(quick: Encoder) -> None:
    together = quick.encode(TEXTS)
    alone = np.vstack([quick.encode([text]) for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=2e-6)


def test_vectors_have_length_one_and_progress_counts_every_text(quick: Encoder) -> None:
    seen: list[int] = []
    made = quick.encode(TEXTS * 20, progress=seen.append)
    np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1, atol=1e-5)
    assert sum(seen) == len(TEXTS) * 20


def test_no_texts_give_no_vectors(quick: Encoder) -> None:
    assert quick.encode([]).shape == (0, 384)


def test_a_prefix_changes_the_vectors_and_the_fingerprint(quick: Encoder) -> None:
    prefixed = open_encoder(query_prefix="query: ")
    assert prefixed.fingerprint != quick.fingerprint
    same = prefixed.encode(["trust"], kind="query")
    np.testing.assert_allclose(same, quick.encode(["query: trust"]), atol=1e-6)


def test_asking_imports_no_torch() -> None:
    code = (
        "import sys; from embeddings.encoder import open_encoder; open_encoder().encode(['a']);"
        "print(any(m in sys.modules for m in ('torch', 'sentence_transformers', 'transformers')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_weights_that_were_changed_are_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"not the weights")
    with pytest.raises(WeightsChangedError, match="expected sha256 53aa5117"):
        check(tmp_path, PINNED)
    with pytest.raises(WeightsNotFoundError, match=r"model\.safetensors is missing"):
        check(tmp_path / "nowhere", PINNED)
    check(stock_folder(), PINNED)


def test_a_model_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(WeightsNotFoundError, match="no model could be loaded"):
        open_encoder(str(tmp_path))
