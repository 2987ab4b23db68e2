"""What docstrings, comments and pages say of our own code is there: modules, names in them, files."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CODE = [
    path
    for folder in ("rag", "embeddings", "eval", "tests")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "data" not in path.relative_to(ROOT).parts
]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *(ROOT / name for name in ("Makefile", "pyproject.toml")),
    *sorted((ROOT / "eval").rglob("*.toml")),
]
# `rag.toml` is a user's file, not a module of ours; a changelog speaks of what was.
SKIPPED = {"CHANGELOG.md"}
DOTTED = re.compile(r"(?<![\w./-])(?:rag|eval|embeddings)(?:\.[A-Za-z_]\w*)+(?!\.?\w|[*(/]|-\w)")
FILE = re.compile(r"(?<![\w./-])(?:[\w-]+/)*[\w-]+\.py\b")
FILE_NAMES = {path.name for path in CODE} | {"german.py", "json.py"}  # and two that only might be there
ENDINGS = ("toml", "md", "json", "jsonl", "txt", "html")


def prose(path: Path) -> Iterator[str]:
    """Comments and docstrings of a module; the whole of any other file."""
    text = path.read_text("utf-8")
    if path.suffix != ".py":
        yield text
        return
    yield from (
        token.string
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT
    )
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""


def names_of(module: Path) -> set[str]:
    """What a module defines or imports at its top, and what a package looks up when asked."""
    names: set[str] = set()
    for node in ast.parse(module.read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
            names |= {
                constant.value
                for constant in ast.walk(node)
                if isinstance(constant, ast.Constant) and isinstance(constant.value, str)
            }
    return names


def exists(dotted: str) -> bool:
    """Whether a dotted name is a module, a name in one, or something of such a name.

    >>> exists("rag.text.dates"), exists("rag.text.dates.last_day"), exists("rag.text")
    (True, True, True)
    """
    parts = dotted.split(".")
    for n in range(len(parts), 0, -1):
        place = ROOT.joinpath(*parts[:n])
        for module in (place / "__init__.py", place.with_suffix(".py")):
            if module.is_file():
                return n == len(parts) or parts[n] in names_of(module)
    return (ROOT.joinpath(*parts)).is_dir()


def lies(path: Path) -> list[str]:
    """The names and files that a file's prose speaks of and that are not there."""
    wrong = []
    for text in prose(path):
        wrong += [
            name for name in DOTTED.findall(text) if name.split(".")[-1] not in ENDINGS and not exists(name)
        ]
        wrong += [
            name
            for name in FILE.findall(text)
            if not (ROOT / name).is_file() and ("/" in name or name not in FILE_NAMES)
        ]
    return wrong


@pytest.mark.parametrize(
    "path",
    [path for path in (*CODE, *PAGES) if path.name not in SKIPPED],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_what_is_spoken_of_is_there(path: Path) -> None:
    assert lies(path) == []


def test_a_module_that_is_gone_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text(
        "`rag.boilerplate` and eval/gold.py are gone; `rag.text.boilerplate` and tests/test_prose.py stand."
    )
    assert lies(file) == ["rag.boilerplate", "eval/gold.py"]
