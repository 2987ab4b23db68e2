"""Vectors of spans out of their text's own pass: in every runtime, and for encoders that know whole texts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from support import WordEncoder

from embeddings.encoder import BULK_TEXTS, LEAST_COSINE, Encoder, open_encoder
from embeddings.spans import Span, SpanEncoder, encode_spans
from embeddings.weights import BUILT_IN, STOCK, shipped

HEADER = "Minutes | 26 April 2016 . "
FIRST = "The council’s children’s services were handed to a trust."
SECOND = "It was given five years."
TEXT = HEADER + FIRST + " " + SECOND
AT = {part: (TEXT.index(part), TEXT.index(part) + len(part)) for part in (HEADER, FIRST, SECOND)}
LONG = "The number of moves fell from 57 to 39. " * 60 + "Nobody was hurt in the fire at the mill."


@pytest.fixture(scope="module")
def quick() -> Encoder:
    return open_encoder()


@pytest.fixture(scope="module")
def torch() -> Encoder:
    return open_encoder(runtime="sentence-transformers")


def one(encoder: Encoder, text: str, *spans: Span) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    vectors, of_spans = encode_spans(encoder, [text], [spans])
    return vectors[0], of_spans


@pytest.mark.parametrize("runtime", ["quick", "torch"])
def test_a_span_over_the_whole_text_has_the_texts_own_vector(
    runtime: str, request: pytest.FixtureRequest
) -> None:
    encoder = request.getfixturevalue(runtime)
    vector, of_spans = one(encoder, TEXT, (0, len(TEXT)))
    np.testing.assert_array_equal(of_spans, [vector])
    np.testing.assert_allclose(vector, encoder.encode([TEXT])[0], atol=2e-6)


@pytest.mark.parametrize("runtime", ["openvino", "sentence-transformers"])
def test_a_span_is_the_mean_of_its_tokens_states(runtime: str) -> None:
    from sentence_transformers import SentenceTransformer

    text = "the trust spent more"  # four tokens, one a word
    model = SentenceTransformer(str(shipped(STOCK).folder), device="cpu")
    states = model.encode([text], output_value="token_embeddings", convert_to_numpy=False)[0].numpy()
    assert len(states) == 6  # a mark before, a mark behind
    mean = states[2:4].mean(axis=0)
    _, of_spans = one(open_encoder(STOCK, runtime=runtime), text, (4, 15))  # "trust spent"
    np.testing.assert_allclose(of_spans[0], mean / np.linalg.norm(mean), atol=1e-5)


def test_both_runtimes_give_the_same_vectors(quick: Encoder, torch: Encoder) -> None:
    spans: Sequence[Sequence[Span]] = [list(AT.values()), [(0, 39), (40, len(LONG))], []]
    for ours, theirs in zip(
        encode_spans(quick, [TEXT, LONG, ""], spans),
        encode_spans(torch, [TEXT, LONG, ""], spans),
        strict=True,
    ):
        assert ours.shape == theirs.shape
        assert (ours * theirs).sum(axis=1).min() > 0.9999


def test_a_sentence_is_found_by_what_it_refers_to(quick: Encoder) -> None:
    (question,) = quick.encode(["for how long did the trust get the children's services"], kind="query")
    _, (in_text, of_others) = one(quick, TEXT, AT[SECOND], AT[HEADER])
    (alone,) = quick.encode([SECOND])
    assert question @ in_text > question @ alone + 0.1
    assert question @ in_text > question @ of_others


def test_the_company_of_a_batch_changes_nothing(quick: Encoder) -> None:
    texts = [TEXT, SECOND, LONG, FIRST, ""] * 9
    spans = [[AT[FIRST], AT[SECOND]], [(3, 6)], [(0, 39)], [], []] * 9
    vectors, of_spans = encode_spans(quick, texts, spans)
    assert (vectors.shape, of_spans.shape) == ((45, 384), (36, 384))
    np.testing.assert_allclose(vectors, quick.encode(texts), atol=2e-6)
    alone = [one(quick, text, *some)[1] for text, some in zip(texts[:5], spans[:5], strict=True)]
    np.testing.assert_allclose(of_spans, np.tile(np.vstack(alone), (9, 1)), atol=2e-6)
    np.testing.assert_allclose(np.linalg.norm(of_spans, axis=1), 1, atol=1e-5)


def test_a_span_without_a_token_has_its_texts_vector(quick: Encoder, torch: Encoder) -> None:
    space = (AT[FIRST][1], AT[SECOND][0])
    for encoder in (quick, torch):
        vector, of_spans = one(encoder, TEXT, (5, 5), space, (len(TEXT), len(TEXT)))
        np.testing.assert_array_equal(of_spans, [vector] * 3)
        vector, of_spans = one(encoder, "", (0, 0))
        np.testing.assert_array_equal(of_spans, [vector])


def test_a_span_that_ends_beyond_what_is_read_is_encoded_by_itself(quick: Encoder, torch: Encoder) -> None:
    start = LONG.index("Nobody")
    middle = (900, 1300)  # about 11 word pieces a sentence: the encoder stops inside it
    for encoder in (quick, torch):
        _, of_spans = one(encoder, LONG, (0, 39), (start, len(LONG)), middle)
        expected = encoder.encode([LONG[start:], LONG[slice(*middle)]])
        np.testing.assert_allclose(of_spans[1:], expected, atol=2e-6)
        assert of_spans[0] @ encoder.encode([LONG[:39]])[0] < 0.99  # one pass: it has seen what follows


def test_no_texts_and_no_spans_give_no_vectors(quick: Encoder, torch: Encoder) -> None:
    for encoder in (quick, torch, WordEncoder()):
        for texts in ([], [TEXT]):
            vectors, of_spans = encode_spans(encoder, texts, [[] for _ in texts])
            assert vectors.shape == (len(texts), encoder.dim)
            assert of_spans.shape == (0, encoder.dim)


def test_progress_counts_every_text_once(quick: Encoder) -> None:
    for encoder in (quick, WordEncoder()):
        seen: list[int] = []
        encode_spans(encoder, [TEXT, LONG] * 20, [[(0, 9), (2000, 2400)]] * 40, progress=seen.append)
        assert sum(seen) == 40


def test_a_prefix_is_no_part_of_any_span() -> None:
    prefixed = open_encoder(passage_prefix="passage: ")
    vector, of_spans = one(prefixed, SECOND, (0, len(SECOND)), (3, 6))
    np.testing.assert_array_equal(of_spans[0], vector)
    _, inside = one(open_encoder(), f"passage: {SECOND}", (12, 15))
    np.testing.assert_allclose(of_spans[1], inside[0], atol=2e-6)


def test_an_encoder_of_whole_texts_encodes_each_span_by_itself() -> None:
    words = WordEncoder()
    assert not isinstance(words, SpanEncoder)
    vectors, of_spans = encode_spans(words, [TEXT, SECOND], [[AT[SECOND]], [(0, 0)]])
    np.testing.assert_array_equal(vectors, words.encode([TEXT, SECOND]))
    np.testing.assert_array_equal(of_spans, words.encode([SECOND, SECOND]))


def test_a_model_that_takes_no_means_encodes_each_span_by_itself(tmp_path: Path) -> None:
    shipped(BUILT_IN).write(tmp_path / "model")
    (tmp_path / "model" / "1_Pooling" / "config.json").write_text(
        json.dumps({"word_embedding_dimension": 384, "pooling_mode_cls_token": True}), "utf-8"
    )
    encoder = open_encoder(str(tmp_path / "model"))
    vector, of_spans = one(encoder, TEXT, AT[SECOND])
    np.testing.assert_allclose(of_spans, encoder.encode([SECOND]), atol=2e-6)
    np.testing.assert_allclose(vector, encoder.encode([TEXT])[0], atol=2e-6)


def test_many_texts_get_the_vectors_that_few_do(quick: Encoder) -> None:
    texts = [f"{HEADER}In {1900 + i} the council’s {i} staff met. {SECOND}" for i in range(BULK_TEXTS)]
    spans = [[(len(HEADER), len(text) - len(SECOND))] for text in texts]
    vectors, of_spans = encode_spans(quick, texts, spans)
    few, of_few = encode_spans(quick, texts[:8], spans[:8])
    assert (vectors[:8] * few).sum(axis=1).min() > LEAST_COSINE
    assert (of_spans[:8] * of_few).sum(axis=1).min() > LEAST_COSINE


def test_a_fast_way_that_is_not_near_enough_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = open_encoder()
    monkeypatch.setattr("embeddings.encoder.LEAST_COSINE", 1.1)
    texts = [f"{FIRST} {i}" for i in range(BULK_TEXTS)]
    vectors, _ = encode_spans(encoder, texts, [[] for _ in texts])
    np.testing.assert_allclose(vectors, encoder.encode(texts), atol=2e-6)
