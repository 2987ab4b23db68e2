"""Weights as files keep them: half the bytes of float16, and very nearly the same numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from embeddings.bert import GROUP, as_int8, load_weights


@given(st.integers(5, 9), st.integers(1, 3), st.floats(0.02, 50), st.integers(0, 99))
def test_a_number_comes_back_within_half_a_step_of_its_group(
    rows: int, groups: int, size: float, seed: int
) -> None:
    matrix = (np.random.default_rng(seed).normal(0, size, (rows, groups * GROUP))).astype(np.float32)
    stored = as_int8({"w": matrix})
    assert stored["w"].dtype == np.int8
    scale = stored["w.scale"].astype(np.float32)
    back = stored["w"].reshape(rows, groups, GROUP) * scale[..., None]
    step = np.abs(matrix).reshape(rows, groups, GROUP).max(axis=2) / 127
    # the scale itself is rounded to float16: a thousandth of a step for each step it is multiplied by
    assert (np.abs(back - matrix.reshape(back.shape)) <= (0.5 + 127 / 1024) * step[..., None] + 1e-6).all()


def test_a_file_of_them_is_read_as_plain_tensors(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    tensors = {
        "layer.weight": rng.normal(size=(8, 128)).astype(np.float32),
        "nought": np.zeros((8, 64), np.float32),
        "head.weight": rng.normal(size=(2, 128)).astype(np.float32),
        "layer.bias": rng.normal(size=8).astype(np.float32),
    }
    save_file(as_int8(tensors), tmp_path / "model.safetensors")
    back = load_weights(tmp_path / "model.safetensors")
    assert set(back) == set(tensors)
    for name, tensor in tensors.items():
        assert back[name].dtype == np.float16
        assert np.abs(back[name] - tensor).max() < 0.02
    assert not back["nought"].any()
    # a head's few numbers are kept as they were, to float16
    assert back["head.weight"] == pytest.approx(tensors["head.weight"], rel=1e-3)
