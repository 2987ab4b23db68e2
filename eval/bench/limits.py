"""What the machine can do at most, measured: its matrix product and how fast it reads memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Instructions that decide how fast numbers are worked through, as Linux names them on x86 and on ARM.
TELLING = (
    "avx2 fma avx512f avx512_vnni avx512_bf16 avx512_fp16 avx_vnni amx_tile amx_int8 amx_bf16 "
    "asimd asimddp bf16 i8mm sve sve2"
).split()
ROWS, INNER, OUTER = 2048, 384, 1536  # tokens of a batch through the widest layer of encoder and reader
PRODUCTS = 8  # in one graph, there and back
SECONDS = 0.3  # that each measure goes on; the best of the tries counts
READ_BYTES = 256 * 2**20  # beyond every cache


def isa() -> list[str]:
    """Which of the telling instructions this processor has; empty where the system does not say."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    flags: set[str] = set()
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            flags.update(value.split())
            break
    return [name for name in TELLING if name in flags]


def limits(n_threads: int) -> dict[str, float | None]:
    """The machine's rates with so many threads; bfloat16 is None where the processor has none."""
    return {
        "matmul_fp32_gflops": matmul_gflops(n_threads, exact=True),
        "matmul_bf16_gflops": matmul_gflops(n_threads, exact=False) if _has_bf16() else None,
        "memory_read_gb_per_second": read_gb_per_second(),
    }


def _has_bf16() -> bool:
    from embeddings.bert import load_openvino

    return "BF16" in load_openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def matmul_gflops(n_threads: int, *, exact: bool) -> float:
    """Billions of multiplications and additions a second, in products of the shape the models have.

    They run as encoder and reader do: through OpenVINO, compiled by the same call.
    """
    import numpy as np

    from embeddings.bert import compile_graph, load_openvino

    ops = load_openvino().opset13
    draw = np.random.default_rng(0)
    wide, narrow = (
        ops.constant(draw.standard_normal(shape).astype(np.float32) / 40)
        for shape in ((INNER, OUTER), (OUTER, INNER))
    )
    tokens: Any = ops.parameter([ROWS, INNER], np.float32, name="tokens")
    made = tokens
    for _ in range(PRODUCTS // 2):
        made = ops.matmul(ops.matmul(made, wide, False, False), narrow, False, False)
    graph = compile_graph([made], [tokens], "matmul", n_threads=n_threads, exact=exact)
    request = graph.create_infer_request()
    given = [draw.standard_normal((ROWS, INNER)).astype(np.float32)]
    seconds = _best_seconds(lambda: request.infer(given))
    return 2 * ROWS * INNER * OUTER * PRODUCTS / seconds / 1e9


def read_gb_per_second() -> float:
    """Billions of bytes read a second by a matrix-vector product, as an exact search reads its vectors."""
    import numpy as np

    matrix = np.ones((READ_BYTES // 4 // INNER, INNER), np.float32)
    vector = np.ones(INNER, np.float32)
    return matrix.nbytes / _best_seconds(lambda: matrix @ vector) / 1e9


def _best_seconds(work: Callable[[], object]) -> float:
    work()
    best, until = float("inf"), time.perf_counter() + SECONDS
    while time.perf_counter() < until:
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best
