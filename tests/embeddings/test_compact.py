"""Vectors in four bits a number: little is lost, and nothing that has to be exact."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from embeddings.compact import ROWS, pack, packed_width, scores, unpack
from embeddings.encoder import open_encoder

Vectors = NDArray[np.float32]

any_vectors = arrays(
    np.float32,
    st.tuples(st.integers(0, 5), st.integers(1, 9)),
    elements=st.floats(-1, 1, width=32, allow_subnormal=False).map(lambda x: 0 if abs(x) < 1e-6 else x),
)


def unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    of_length_one: Vectors = vectors / np.maximum(lengths, np.float32(1e-12))
    return of_length_one


@given(any_vectors)
def test_what_comes_back_has_the_shape_and_length_of_what_was_packed(vectors: Vectors) -> None:
    packed = pack(vectors)
    back = unpack(packed, vectors.shape[1])
    assert packed.shape == (len(vectors), packed_width(vectors.shape[1]))
    assert packed.dtype == np.uint8
    assert back.shape == vectors.shape
    np.testing.assert_allclose(np.linalg.norm(back, axis=1), vectors.any(axis=1), atol=1e-6)


@given(any_vectors)
def test_no_number_comes_back_further_off_than_half_a_step_of_the_coarsest_rounding_allows(
    vectors: Vectors,
) -> None:
    # With the largest number as 7, each is off by half a fourteenth of it at most: the sine of the angle is
    # then below sqrt(d) / 14 of the largest number over the length. The step chosen is at least as good.
    straight = unit(vectors)
    back = unpack(pack(vectors), vectors.shape[1])
    largest = np.abs(straight).max(axis=1, initial=0)
    sine_squared = vectors.shape[1] * (largest / 14) ** 2
    cosines = (straight * back).sum(axis=1)
    assert (cosines[vectors.any(axis=1)] ** 2 >= 1 - sine_squared[vectors.any(axis=1)] - 1e-5).all()


@given(any_vectors)
def test_opposites_stay_opposites_and_scale_does_not_matter(vectors: Vectors) -> None:
    dim = vectors.shape[1]
    np.testing.assert_array_equal(unpack(pack(-vectors), dim), -unpack(pack(vectors), dim))
    np.testing.assert_array_equal(pack(vectors * 4), pack(vectors))


@given(any_vectors)
def test_packing_again_what_came_back_changes_no_byte(vectors: Vectors) -> None:
    packed = pack(vectors)
    np.testing.assert_array_equal(pack(unpack(packed, vectors.shape[1])), packed)


@given(any_vectors, st.integers(1, 3))
def test_scores_are_the_inner_products_with_what_comes_back(vectors: Vectors, n_queries: int) -> None:
    queries = np.random.default_rng(7).normal(size=(n_queries, vectors.shape[1])).astype(np.float32)
    packed = pack(vectors)
    expected = [[float(q @ row) for row in unpack(packed, vectors.shape[1])] for q in queries]
    np.testing.assert_allclose(
        scores(queries, packed), np.reshape(expected, (n_queries, len(vectors))), atol=1e-5
    )


def test_a_vector_packed_among_thousands_is_packed_as_it_is_alone() -> None:
    vectors = unit(np.random.default_rng(3).normal(size=(ROWS + 3, 16)).astype(np.float32))
    packed = pack(vectors)
    for row in (0, ROWS - 1, ROWS, ROWS + 2):
        np.testing.assert_array_equal(packed[row], pack(vectors[row : row + 1])[0])


@pytest.mark.parametrize("dim", [384, 768])
def test_vectors_of_many_even_numbers_keep_their_direction(dim: int) -> None:
    vectors = unit(np.random.default_rng(5).normal(size=(200, dim)).astype(np.float32))
    cosines = (unpack(pack(vectors), dim) * vectors).sum(axis=1)
    assert cosines.mean() > 0.993
    assert cosines.min() > 0.985


def test_a_vector_of_few_numbers_comes_back_exactly() -> None:
    vectors = np.zeros((2, 384), np.float32)
    vectors[0, 5], vectors[1, [3, 200]] = -1, [3, 4]
    back = unpack(pack(vectors), 384)
    np.testing.assert_array_equal(back[0], vectors[0])
    assert back[1].nonzero()[0].tolist() == [3, 200]


def test_the_built_in_encoders_vectors_keep_their_direction_and_their_order() -> None:
    texts = [f"On day {n} the {what} was moved." for n in range(20) for what in ("bridge", "clock", "school")]
    vectors = open_encoder().encode(texts)
    packed = pack(vectors)
    assert packed.nbytes == len(texts) * 192
    assert (unpack(packed, 384) * vectors).sum(axis=1).min() > 0.99
    found = scores(vectors, packed).argmax(axis=1)
    assert found.tolist() == list(range(len(texts)))
