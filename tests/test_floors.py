"""The floors: a module imports only from the floors below it, and heavy libraries only when needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("rag", "embeddings", "eval")

# The floor of every room; a room may use those on a lower floor, and its own parts. Where two rooms of one
# storey of the house build on each other, the fraction says which is above.
FLOORS = {
    # its own island: it knows texts and arrays, and nothing of ours
    "embeddings": 0.0,
    # what everything is said in
    "rag": 0.0,
    "rag.records": 0.0,
    "rag.errors": 0.0,
    "rag.reading": 0.0,
    "rag.settings": 0.1,
    # from files to passages, from rankings to citations: pure stages
    "rag.dates": 1.0,
    "rag.layout": 1.1,
    "rag.duplicates": 1.0,
    "rag.fusion": 1.0,
    "rag.lexical": 1.0,
    "rag.citations": 1.0,
    "rag.context": 1.0,
    "rag.kinds": 1.0,
    "rag.reasons": 1.1,
    "rag.question": 1.0,
    "rag.answers": 1.0,
    "rag.boilerplate": 1.2,
    "rag.sentences": 1.2,
    "rag.units": 1.3,
    "rag.cutting": 1.3,
    "rag.loaders": 1.3,
    "rag.passages": 1.4,
    "rag.sources": 1.1,
    "rag.verify": 1.4,
    "eval.metrics": 1.0,
    "eval.questions": 1.0,
    # what is kept, and what reads it
    "rag.encoders": 2.0,
    "rag.retriever": 2.0,
    "rag.reader": 2.0,
    "rag.evidence": 2.0,
    "rag.disagreement": 2.1,
    "rag.gathering": 2.2,
    "rag.calibration": 2.0,
    "rag.store": 2.0,
    "rag.hygiene": 2.1,
    # the only rooms that know every stage
    "rag.assistant": 3.0,
    "rag.indexing": 3.0,
    "rag.doctor": 3.0,
    # what people look at
    "rag.streams": 4.1,
    "rag.progress_bar": 4.2,
    "rag.render": 4.0,
    "rag.session": 4.3,
    "eval": 4.5,
    "eval.peers": 4.6,
    # the one command; it mounts eval.cli, and is the only room of rag that may name eval
    "eval.cli": 5.0,
    "rag.cli": 5.1,
    "rag.__main__": 5.2,
}
HEAVY = {
    "torch",
    "faiss",
    "transformers",
    "sentence_transformers",
    "openvino",
    "bm25s",
    "Stemmer",
    "numpy",
    "scipy",
    "trafilatura",
    "pypdfium2",
    "docx",
    "sentencex",
    "tokenizers",
    "charset_normalizer",
    "matplotlib",
    "prompt_toolkit",
    "sqlite3",
}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {
    module_name(path): path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if "data" not in path.relative_to(ROOT).parts
}


def room(module: str) -> str | None:
    """The room a module is in: its longest name with a floor of its own."""
    parts = module.split(".")
    for n in range(len(parts), 0, -1):
        name = ".".join(parts[:n])
        if name in FLOORS and (name != "rag" or n == len(parts)):
            return name
    return None


def imports(node: ast.AST, *, at_import: bool) -> Iterator[str]:
    """What a module imports by name; ``at_import`` leaves out what waits for a call or for a type checker."""
    for child in ast.iter_child_nodes(node):
        if at_import and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if at_import and isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module:
            yield child.module
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        else:
            yield from imports(child, at_import=at_import)


def imported_modules(module: str, *, at_import: bool) -> set[str]:
    """Our own modules that a module imports."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    return {name for name in imports(tree, at_import=at_import) if name in MODULES}


@pytest.mark.parametrize("module", MODULES)
def test_every_module_stands_on_a_floor(module: str) -> None:
    assert room(module), f"{module} is in no room: give it one in FLOORS"


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_from_below(module: str) -> None:
    own = room(module)
    assert own is not None
    wrong = {
        name
        for name in imported_modules(module, at_import=False)
        if (there := room(name)) is not None
        and there != own
        and FLOORS[there] >= FLOORS[own]
        # the package itself says its version; its other names are looked up when asked for
        and not (own == "rag" and MODULES[module].name == "__init__.py")
    }
    assert not wrong, f"{module} (floor {FLOORS[own]}) imports {wrong}"


def test_embeddings_imports_nothing_of_ours() -> None:
    for module in MODULES:
        if module.startswith("embeddings"):
            assert all(name.startswith("embeddings") for name in imported_modules(module, at_import=False)), (
                module
            )


def test_only_the_command_line_names_eval() -> None:
    naming = {
        module
        for module in MODULES
        if module.startswith("rag")
        and any(name.split(".")[0] == "eval" for name in imported_modules(module, at_import=False))
    }
    assert naming <= {"rag.cli"}


def test_what_the_command_line_imports_is_light() -> None:
    seen: set[str] = set()
    waiting = ["rag.cli"]
    while waiting:
        module = waiting.pop()
        if module in seen:
            continue
        seen.add(module)
        packages = [".".join(module.split(".")[:n]) for n in range(1, module.count(".") + 1)]
        waiting += [
            *imported_modules(module, at_import=True),
            *(name for name in packages if name in MODULES),
        ]
        tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
        heavy = {name.split(".")[0] for name in imports(tree, at_import=True)} & HEAVY
        assert not heavy, f"{module}, which rag.cli imports, imports {heavy}"


def test_the_help_imports_nothing_heavy() -> None:
    code = f"import sys, rag.cli; print(sorted(set(sys.modules) & {HEAVY!r}))"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
