"""Text made of real sentences, and the vectors that stand in for an encoder's."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from support import WordEncoder

from eval.bench.mixtures import (
    NOISE,
    Material,
    MixtureEncoder,
    file_text,
    lookups,
    material,
    paragraphs,
    template,
    write_files,
)
from rag.loaders import find_files
from rag.loading import load_here
from rag.settings import PassageSettings

CORPUS = Path(__file__).parents[3] / "eval" / "data" / "corpus"
SETTINGS = PassageSettings()


@pytest.fixture(scope="module")
def source() -> Material:
    files, _ = find_files([CORPUS])
    return material([load_here(str(path), SETTINGS, None) for path in files])


@pytest.fixture(scope="module")
def encoder(source: Material) -> MixtureEncoder:
    return MixtureEncoder.of(source, WordEncoder())


def test_the_sentences_are_the_corpus_s_and_names_are_among_them(source: Material) -> None:
    assert source.n_sentences > 300
    assert {"Hebden", "Doncaster"} <= source.names
    assert not {"The", "March", "Monday", "I"} & source.names


def test_a_file_follows_from_its_number_and_the_seed(source: Material) -> None:
    assert file_text(source, 7, 50, 1) == file_text(source, 7, 50, 1)
    assert file_text(source, 7, 50, 1) != file_text(source, 8, 50, 1)
    assert file_text(source, 7, 50, 1) != file_text(source, 7, 50, 2)


def test_no_paragraph_stands_twice_and_each_is_of_a_common_length(source: Material) -> None:
    made = [text for number in range(20) for text in paragraphs(source, number, 50, 1)]
    assert len(set(made)) == len(made) == 1000
    assert all(40 <= len(text.split()) < 160 + 60 for text in made)


def test_every_paragraph_is_a_passage_and_no_file_holds_more_than_fifty(
    source: Material, tmp_path: Path
) -> None:
    files = write_files(source, tmp_path, 3, 120, 1)
    assert [path.name for path in files] == ["000003.md", "000004.md", "000005.md"]
    counts = []
    for path in files:
        passages = load_here(str(path), SETTINGS, None).passages
        counts.append(sum(not passage.boilerplate for passage in passages))
    assert counts == [50, 50, 20]


def test_names_and_figures_are_others_and_the_rest_is_as_it_was(source: Material) -> None:
    known = {template(sentence) for document in source.documents for sentence in document}
    text = " ".join(paragraphs(source, 1, 50, 1))
    parts = re.split(r"(?<=[.!?]) (?=[A-Z])", text)
    assert {template(part) for part in parts} <= known
    assert not re.search(r"\b(?:Hebden|Doncaster)\b", text)


def test_a_lookup_asks_for_two_words_of_one_passage(source: Material) -> None:
    (question,) = lookups(source, range(3), 1, 1)
    asked = re.fullmatch(r"what is said about (.+) and (.+)\?", question)
    assert asked
    made = [text for number in range(3) for text in paragraphs(source, number, 50, 1)]
    assert any(asked[1] in text and asked[2] in text for text in made)
    assert list(lookups(source, range(0), 5, 1)) == []


def test_mixed_vectors_are_near_those_of_their_sentences(source: Material, encoder: MixtureEncoder) -> None:
    sentences = [document[0] for document in source.documents]
    theirs = WordEncoder().encode(sentences)
    mixed = encoder.encode(sentences)
    np.testing.assert_allclose(np.linalg.norm(mixed, axis=1), 1, atol=1e-5)
    cosines = (theirs * mixed).sum(axis=1)
    assert cosines.mean() == pytest.approx(1 / np.sqrt(1 + NOISE**2), abs=0.02)
    together = encoder.encode([f"Minutes | March 2016 . {sentences[0]} {sentences[1]}"])[0]
    assert min(theirs[0] @ together, theirs[1] @ together) > max(theirs[5:] @ together)


def test_equal_texts_have_equal_vectors_and_changed_ones_do_not(
    source: Material, encoder: MixtureEncoder
) -> None:
    text = next(one for document in source.documents for one in document if "2016" in one)
    a, b, c = encoder.encode([text, text, text.replace("2016", "2009")])
    assert (a == b).all()
    assert 0.5 < a @ c < 0.99


def test_a_mixture_comes_back_from_its_file(
    source: Material, encoder: MixtureEncoder, tmp_path: Path
) -> None:
    encoder.save(tmp_path / "mixture.npz")
    opened = MixtureEncoder.open(tmp_path / "mixture.npz")
    texts = [source.documents[0][0], "words never heard of"]
    np.testing.assert_array_equal(opened.encode(texts), encoder.encode(texts))
    assert (opened.name, opened.fingerprint, opened.dim) == (encoder.name, encoder.fingerprint, encoder.dim)
