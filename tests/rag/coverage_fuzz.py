"""Feeds a fuzz target what reaches new code, with atheris (libFuzzer): ``make fuzz-coverage``.

    pip install '.[fuzz]'
    python tests/rag/coverage_fuzz.py TARGET [libFuzzer's options] [FOLDER]

A target is a test of ``tests/rag/test_fuzz.py`` or ``tests/rag/text/test_sinks.py``: hypothesis makes its
arguments of what the fuzzer sends, so that one property serves both. What reached new code is kept in
FOLDER, and the next run begins with it. A failure ends the run with the arguments that hypothesis shows; it
belongs into the test as an example. Without a target their names are listed.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULES = ("tests.rag.test_fuzz", "tests.rag.text.test_sinks")


def targets() -> dict[str, Callable[[bytes], object]]:
    """{name of a test: what runs it on some bytes}."""
    found: dict[str, Callable[[bytes], object]] = {}
    for name in MODULES:
        module = importlib.import_module(name)
        for test, function in vars(module).items():
            if test.startswith("test_") and hasattr(function, "hypothesis"):
                found[test.removeprefix("test_")] = function.hypothesis.fuzz_one_input
    return found


def main() -> None:
    """Fuzz the target named until it fails or an option ends it."""
    sys.path.insert(0, str(ROOT))
    if len(sys.argv) < 2:
        print("\n".join(sorted(targets())))
        return
    import atheris

    with atheris.instrument_imports(include=["rag"]):
        known = targets()
    name = sys.argv.pop(1)
    if name not in known:
        raise SystemExit(f"error: no target is called {name}; there are {', '.join(sorted(known))}")
    atheris.Setup(sys.argv, known[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
