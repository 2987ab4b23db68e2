"""Which code decides what a document's text and passages are, as one sum.

A store made by other code is no error: the next run reads every file again. Embeddings go by content and are
kept wherever the texts came out the same.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_IMPORT = re.compile(r"^\s*(?:from|import) (rag[\w.]*)(?: import ([\w, ]*))?", re.MULTILINE)
_ROOT = Path(__file__).parent.parent
_FIRST = (
    "rag.loaders",
    "rag.loading",
    "rag.passages",
    "rag.retrieval.lexical",
    "rag.indexing.texts",
)
_LIBRARIES = (
    "trafilatura",
    "pypdfium2",
    "python-docx",
    "markdown-it-py",
    "openpyxl",
    "python-pptx",
    "lxml",
    "charset-normalizer",
    "sentencex",
    "PyStemmer",
)


@cache
def rules_sum() -> str:
    """A SHA-256 over all of our code that reads, cuts and words passages, and its libraries' versions."""
    digest = hashlib.sha256()
    for path in _sources():
        digest.update(path.relative_to(_ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    for library in _LIBRARIES:
        try:
            digest.update(f"{library} {version(library)}\0".encode())
        except PackageNotFoundError:
            digest.update(f"{library} absent\0".encode())
    return digest.hexdigest()


def _sources() -> list[Path]:
    """The files of those modules and of all of ours that they import."""
    found: set[Path] = set()
    waiting = [path for name in _FIRST for path in _files(name)]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        for module, names in _IMPORT.findall(path.read_text("utf-8")):
            modules = [module, *(f"{module}.{name.strip()}" for name in names.split(","))]
            waiting += [file for name in modules for file in _files(name)]
    return sorted(found)


def _files(module: str) -> list[Path]:
    """The source files of one of our modules, every file of a folder; none for a name that is no module."""
    path = _ROOT.joinpath(*module.split(".")[1:])
    if path.is_dir() and path != _ROOT:
        return sorted(path.rglob("*.py"))
    single = path.with_suffix(".py")
    return [single] if single.is_file() else []
