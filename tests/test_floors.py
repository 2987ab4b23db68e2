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

# The house, from the roof down. A room imports only from floors below its own, and within itself; what stands
# on one floor does not see its neighbours. A name alone in its line's room is a module, any other a folder.
HOUSE = """
    10  rag.__main__
     9  rag.cli eval.measure
     8  rag.session rag.serving eval
     7  rag.output
     6  rag.assistant rag.checks
     5  rag.answering rag.indexing rag.cluster
     4  rag.store rag.training rag.loading
     3  rag.loaders rag.passages rag.retrieval rag.reader
     2  rag.text rag.citations rag.settings
     1  rag.records rag.errors rag.files
     0  embeddings rag
"""
FLOORS = {room: int(floor) for floor, *rooms in map(str.split, HOUSE.strip().splitlines()) for room in rooms}
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
    "sklearn",
    "jinja2",
    "trafilatura",
    "pypdfium2",
    "docx",
    "openpyxl",
    "pptx",
    "sentencex",
    "tokenizers",
    "charset_normalizer",
    "matplotlib",
    "prompt_toolkit",
    "ray",
    "sqlite3",
    "starlette",
    "uvicorn",
    "mcp",
    "mcp_types",
    "anyio",
    "pydantic",
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


def circles(arrows: dict[str, set[str]]) -> list[list[str]]:
    """The groups of modules that import each other, directly or round a corner (Tarjan 1972).

    >>> circles({"a": {"b"}, "b": {"a", "c"}, "c": set()})
    [['a', 'b']]
    """
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> int:
        number = low[module] = len(low)
        place = len(stack)
        stack.append(module)
        for other in arrows[module]:
            if other not in low:
                low[module] = min(low[module], visit(other))
            elif other in stack:
                low[module] = min(low[module], low[other])
        if low[module] == number:
            group, stack[place:] = stack[place:], []
            if len(group) > 1:
                found.append(sorted(group))
        return low[module]

    for module in arrows:
        if module not in low:
            visit(module)
    return found


def test_no_modules_import_each_other_not_even_within_a_room_or_for_types_alone() -> None:
    arrows = {
        module: {
            name
            for name in imported_modules(module, at_import=False)
            # a folder's front and its own parts are one thing, as are the parts and the folder
            if not module.startswith(f"{name}.") and name != module
        }
        for module in MODULES
    }
    assert circles(arrows) == []


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
