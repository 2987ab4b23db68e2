"""A BERT trunk as an OpenVINO graph, straight from safetensors: no torch, no export step.

The encoder (MiniLM) and the reader (gte-small) are both BERT (Devlin et al. 2019) with 384 hidden units, so
one builder serves both; each adds what it needs on top.

Shapes: b rows of a batch, t tokens, h hidden units.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Weights = Mapping[str, NDArray[Any]]

SCALE = ".scale"  # behind the name of an int8 tensor: the tensor of its scales, (rows, groups)
HEAD_ROWS = 4  # a matrix of no more is a head: a few numbers that decide much, kept in float16
GROUP = 64  # neighbours in a row that share a scale; one scale a row changed readings twice as much


@dataclass(frozen=True, slots=True)
class BertShape:
    """The sizes a BERT checkpoint was trained with, named as in its ``config.json``."""

    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    layer_norm_eps: float = 1e-12
    max_position_embeddings: int = 512

    @classmethod
    def load(cls, folder: Path) -> BertShape:
        """The shape written in ``folder/config.json``."""
        config = json.loads((folder / "config.json").read_text("utf-8"))
        return cls(**{name: config[name] for name in cls.__slots__ if name in config})


def load_weights(path: Path) -> dict[str, NDArray[Any]]:
    """Every tensor of a safetensors file, by name. The format holds numbers only: loading runs no code.

    An int8 tensor comes back as the float16 numbers it stands for, see `as_int8`.
    """
    from safetensors.numpy import load_file

    stored: dict[str, NDArray[Any]] = load_file(path)
    weights = {name: tensor for name, tensor in stored.items() if not name.endswith(SCALE)}
    for name, tensor in weights.items():
        if tensor.dtype == np.int8:
            scale = stored[name + SCALE].astype(np.float32)  # (rows, groups)
            groups = tensor.reshape(*scale.shape, -1)
            weights[name] = (groups * scale[..., None]).reshape(tensor.shape).astype(np.float16)
    return weights


def as_int8(weights: Weights) -> dict[str, NDArray[Any]]:
    """The tensors as files keep them: matrices int8, each run of GROUP numbers with its scale; else float16.

    >>> stored = as_int8({"w": np.full((8, 128), -0.5), "b": np.ones(8)})
    >>> {name: (tensor.dtype.name, tensor.shape) for name, tensor in stored.items()}
    {'w': ('int8', (8, 128)), 'w.scale': ('float16', (8, 2)), 'b': ('float16', (8,))}
    """
    stored: dict[str, NDArray[Any]] = {}
    for name, tensor in weights.items():
        rows, columns = tensor.shape if tensor.ndim == 2 else (0, 0)
        if rows > HEAD_ROWS and columns % GROUP == 0:
            groups = tensor.astype(np.float32).reshape(rows, -1, GROUP)
            scale = np.maximum(np.abs(groups).max(axis=2) / 127, 1e-6).astype(np.float16)
            whole = np.rint(groups / scale[..., None].astype(np.float32))
            stored[name] = np.clip(whole, -127, 127).astype(np.int8).reshape(rows, columns)
            stored[name + SCALE] = scale
        else:
            stored[name] = tensor.astype(np.float16)
    return stored


@lru_cache(maxsize=8)
def _sha256(path: Path, size: int, mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes; remembered while the file's size and time stay the same."""
    stat = path.stat()
    return _sha256(path, stat.st_size, stat.st_mtime_ns)


def load_openvino() -> Any:
    """The OpenVINO module, imported without its telemetry.

    Left alone, the import tells a server of its maker's that it happened. Where that package is missing it
    falls back to a stub of its own: so it is hidden, for the time of the import alone.
    """
    hidden = "openvino_telemetry" not in sys.modules
    if hidden:
        sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    try:
        import openvino
        import openvino.opset13
    finally:
        if hidden:
            del sys.modules["openvino_telemetry"]
    return openvino


class GraphBuilder:
    """Builds the pieces of a BERT graph from one set of weights."""

    def __init__(self, weights: Weights, shape: BertShape) -> None:
        self._ops = load_openvino().opset13
        self._weights = weights
        self._shape = shape

    def constant(self, name: str) -> Any:
        """A weight as a graph constant; float16 files are widened, the plugin chooses its own precision."""
        return self._ops.constant(self._weights[name].astype(np.float32))

    def linear(self, inputs: Any, name: str) -> Any:
        """``inputs @ W.T + b`` with the weight and bias called ``name``."""
        product = self._ops.matmul(inputs, self.constant(f"{name}.weight"), False, True)
        return self._ops.add(product, self.constant(f"{name}.bias"))

    def _layer_norm(self, inputs: Any, name: str) -> Any:
        ops = self._ops
        axes = ops.constant(np.array([-1], np.int64))
        normal = ops.mvn(inputs, axes, True, self._shape.layer_norm_eps, "inside_sqrt")
        return ops.add(ops.multiply(normal, self.constant(f"{name}.weight")), self.constant(f"{name}.bias"))

    def embed(self, ids: Any, type_ids: Any) -> Any:
        """Word, position and segment embeddings, summed and normalised: (b, t) -> (b, t, h)."""
        ops = self._ops
        axis = ops.constant(np.int64(0))
        words = ops.gather(self.constant("embeddings.word_embeddings.weight"), ids, axis)
        types = ops.gather(self.constant("embeddings.token_type_embeddings.weight"), type_ids, axis)
        length = ops.gather(ops.shape_of(ids, "i64"), ops.constant(np.array([1], np.int64)), axis)
        positions = ops.slice(
            self.constant("embeddings.position_embeddings.weight"),
            ops.constant(np.array([0], np.int64)),
            length,
            ops.constant(np.array([1], np.int64)),
            ops.constant(np.array([0], np.int64)),
        )  # (t, h)
        return self._layer_norm(ops.add(ops.add(words, types), positions), "embeddings.LayerNorm")

    def mask_bias(self, mask: Any) -> Any:
        """0 where a token is, a large negative number where padding is: (b, t) -> (b, 1, 1, t)."""
        ops = self._ops
        as_float = ops.convert(mask, "f32")
        absent = ops.subtract(ops.constant(np.float32(1)), as_float)
        bias = ops.multiply(absent, ops.constant(np.float32(-1e4)))
        return ops.unsqueeze(bias, ops.constant(np.array([1, 2], np.int64)))

    def layer(self, hidden: Any, bias: Any, number: int) -> Any:
        """One transformer layer: (b, t, h) -> (b, t, h)."""
        ops, name = self._ops, f"encoder.layer.{number}"
        heads = self._shape.num_attention_heads
        per_head = ops.constant(np.array([0, 0, heads, self._shape.hidden_size // heads], np.int64))
        order = ops.constant(np.array([0, 2, 1, 3], np.int64))

        def split(part: str) -> Any:
            projected = self.linear(hidden, f"{name}.attention.self.{part}")
            return ops.transpose(ops.reshape(projected, per_head, True), order)  # (b, heads, t, h / heads)

        context = ops.scaled_dot_product_attention(split("query"), split("key"), split("value"), bias)
        merged = ops.reshape(
            ops.transpose(context, order),
            ops.constant(np.array([0, 0, self._shape.hidden_size], np.int64)),
            True,
        )
        attended = self._layer_norm(
            ops.add(self.linear(merged, f"{name}.attention.output.dense"), hidden),
            f"{name}.attention.output.LayerNorm",
        )
        wide = ops.gelu(self.linear(attended, f"{name}.intermediate.dense"), "erf")
        return self._layer_norm(
            ops.add(self.linear(wide, f"{name}.output.dense"), attended), f"{name}.output.LayerNorm"
        )

    def layers(self, hidden: Any, bias: Any, numbers: Iterable[int]) -> Any:
        """Several layers in turn."""
        for number in numbers:
            hidden = self.layer(hidden, bias, number)
        return hidden

    def mean_pool(self, hidden: Any, mask: Any) -> Any:
        """The mean over real tokens, scaled to length 1: (b, t, h) -> (b, h)."""
        ops = self._ops
        weights = ops.unsqueeze(ops.convert(mask, "f32"), ops.constant(np.int64(2)))
        total = ops.reduce_sum(ops.multiply(hidden, weights), ops.constant(np.int64(1)))
        return ops.normalize_l2(total, ops.constant(np.array([1], np.int64)), 1e-12, "max")

    def first_token(self, hidden: Any) -> Any:
        """What the trunk says at [CLS]: (b, t, h) -> (b, h)."""
        ops = self._ops
        return ops.gather(hidden, ops.constant(np.int64(0)), ops.constant(np.int64(1)))

    def tokens_input(self, name: str) -> Any:
        """A (b, t) integer input."""
        return self._ops.parameter([-1, -1], np.int32, name=name)

    def hidden_input(self, name: str) -> Any:
        """A (b, t, h) input: what layers before have made."""
        return self._ops.parameter([-1, -1, self._shape.hidden_size], np.float32, name=name)


def compile_graph(
    outputs: Sequence[Any], inputs: Sequence[Any], name: str, *, n_threads: int, exact: bool
) -> Any:
    """A graph ready to run on the CPU. ``exact`` keeps float32; otherwise bfloat16 where the CPU has it."""
    core = _core()
    fast = not exact and has_bfloat16()
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": n_threads,
        "INFERENCE_PRECISION_HINT": "bf16" if fast else "f32",
    }
    return core.compile_model(load_openvino().Model(list(outputs), list(inputs), name), "CPU", settings)


def has_bfloat16() -> bool:
    """Whether this CPU computes in bfloat16."""
    return "BF16" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


@lru_cache(maxsize=1)
def _core() -> Any:
    return load_openvino().Core()


def whole_steps(n: int, step: int) -> int:
    """The least multiple of ``step`` that is not below n.

    >>> whole_steps(13, 8), whole_steps(16, 8)
    (16, 16)
    """
    return -(-n // step) * step


def pad(
    rows: Sequence[Sequence[int]], fill: int = 0, *, step: int = 1
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Token rows as one rectangle and its mask, both (b, t) int32; t is a multiple of ``step``.

    >>> ids, mask = pad([[7, 8], [9]])
    >>> ids.tolist(), mask.tolist()
    ([[7, 8], [9, 0]], [[1, 1], [1, 0]])
    """
    width = whole_steps(max((len(row) for row in rows), default=0), step)
    ids = np.full((len(rows), width), fill, np.int32)
    mask = np.zeros((len(rows), width), np.int32)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = row
        mask[number, : len(row)] = 1
    return ids, mask
