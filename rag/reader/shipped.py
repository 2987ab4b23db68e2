"""The weights the reader ships with, and proof that they are the ones released."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

from embeddings.bert import file_sha256
from rag.errors import WeightsError

CHECKSUMS = "checksums.json"
_REINSTALL = "reinstall the package: pip install --force-reinstall rag"


def folder() -> Path:
    """Where the package keeps them."""
    return Path(str(resources.files("rag.reader"))) / "weights"


def expected_checksums(path: Path | None = None) -> dict[str, str]:
    """The SHA-256 that each file of the weights must have; empty where they are missing."""
    path = folder() if path is None else path
    try:
        expected: dict[str, str] = json.loads((path / CHECKSUMS).read_text("utf-8"))
    except OSError:
        return {}
    return expected


def checked_folder(path: Path | None = None) -> Path:
    """The folder, once every file named in its ``checksums.json`` stands there with its SHA-256."""
    path = folder() if path is None else path
    expected = expected_checksums(path)
    if not expected:
        raise WeightsError(f"the reader's weights are missing from {path}", _REINSTALL)
    wrong = []
    for name, sha256 in expected.items():
        if not (path / name).is_file():
            wrong.append(f"{name} is missing")
        elif (found := file_sha256(path / name)) != sha256:
            wrong.append(f"{name}: expected sha256 {sha256}, found {found}")
    if wrong:
        raise WeightsError(f"reader weights in {path}: " + "; ".join(wrong), _REINSTALL)
    return path
