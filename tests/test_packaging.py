"""What is shipped: pinned, licensed, complete."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILE = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = FILE["project"]
EXTRAS = PROJECT["optional-dependencies"]
REQUIRED = [*PROJECT["dependencies"], *(line for extra in EXTRAS.values() for line in extra)]


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins() -> dict[str, str]:
    lines = (ROOT / ".ci" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    split = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {plain(name): version for name, version in split}


@pytest.mark.parametrize("requirement", REQUIRED)
def test_every_direct_dependency_is_pinned(requirement: str) -> None:
    name = plain(re.split(r"[^A-Za-z0-9._-]", requirement)[0])
    assert name == "rag" or name in pins(), f"add {name} to .ci/constraints.txt"


def test_the_license_is_the_one_named() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert PROJECT["license"] == "Apache-2.0"
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_changelog_names_this_version() -> None:
    assert f"## {PROJECT['version']}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_version_is_said_once() -> None:
    from rag import __version__

    assert __version__ == PROJECT["version"]


def shipped_data(package: str) -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns: list[str] = project["tool"]["setuptools"]["package-data"][package]
    return patterns


def test_the_weights_are_shipped_with_their_cards() -> None:
    for package, folder in (("rag", "reader/weights"), ("embeddings", "tuned")):
        assert f"{folder}/*" in shipped_data(package)
        kept = {path.name for path in (ROOT / package / folder).iterdir()}
        assert {"MODEL_CARD.md", "training.json"} <= kept
        assert any(name.endswith(".safetensors") for name in kept)


def test_every_schema_is_shipped() -> None:
    patterns = shipped_data("rag")
    schemas = sorted((ROOT / "rag" / "schema").iterdir())
    assert [path.name for path in schemas] == [
        "answer.schema.json",
        "check.schema.json",
        "diff.schema.json",
        "error.schema.json",
        "search.schema.json",
        "show.schema.json",
        "sources.schema.json",
        "verify.schema.json",
    ]
    assert all(any(path.relative_to(ROOT / "rag").match(pattern) for pattern in patterns) for path in schemas)


@pytest.mark.parametrize(("package", "folder"), [("rag", "output"), ("eval", "reports")])
def test_every_template_is_shipped(package: str, folder: str) -> None:
    templates = list((ROOT / package / folder / "templates").iterdir())
    assert templates
    assert f"{folder}/templates/*" in shipped_data(package)


def test_every_folder_of_tests_is_named_to_mypy() -> None:
    folders = {path.parent.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("*.py")}
    named = {path.removeprefix("$MYPY_CONFIG_FILE_DIR/") for path in FILE["tool"]["mypy"]["mypy_path"]}
    assert folders - named == set()
