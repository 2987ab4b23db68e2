"""A release made of a copy of the tree, and its wheel in a fresh environment of every Python there is."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parent.parent
VERSION = "9.8.7"
PYTHONS = ("3.11", "3.12", "3.13")


def _release() -> ModuleType:
    spec = importlib.util.spec_from_file_location("release", ROOT / ".ci" / "release.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


release = _release()


def git(tree: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "core.autocrlf=false", *arguments]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=True).stdout


def copied(to: Path) -> Path:
    """The tree's files, those not yet committed among them, committed in a repository of their own."""
    listed = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    for name in filter(None, listed):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, to / name)
    changelog = to / "CHANGELOG.md"
    text = re.sub(r"(?m)^## .*$", f"## {VERSION} (not yet released)", changelog.read_text("utf-8"), count=1)
    changelog.write_text(text, "utf-8")
    git(to, "init", "-q")
    git(to, "add", "-A")
    git(to, "commit", "-qm", "all")
    return to


def run(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ".ci/release.py", *arguments]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False, timeout=600)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    return copied(tmp_path_factory.mktemp("tree"))


@pytest.fixture(scope="module")
def wheel(tree: Path) -> Path:
    """The wheel of a release made of a copy of the tree, which has been tried."""
    pytest.importorskip("build")
    pytest.importorskip("twine")
    done = run(tree, VERSION, "--date", "2027-01-05")
    assert done.returncode == 0, done.stderr
    assert f"git tag -a v{VERSION}" in done.stdout
    assert "twine upload" in done.stdout
    return tree / "dist" / f"rag-{VERSION}-py3-none-any.whl"


def interpreter(version: str) -> str | None:
    """A Python of this version that runs: the one on the path, else one that pyenv keeps."""
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    named = [shutil.which(f"python{version}"), *map(str, sorted(kept.glob(f"{version}.*/bin/python")))]
    for python in filter(None, named):
        asked = [python, "-c", "import sys, venv; print(*sys.version_info[:2], sep='.')"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        if done.stdout.strip() == version:
            return python
    return None


def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        return Parser().parsestr(archive.read(f"rag-{VERSION}.dist-info/METADATA").decode())


def test_what_is_wrong_with_a_tree_is_said_and_the_tree_left_as_it_was(tree: Path) -> None:
    before = git(tree, "rev-parse", "HEAD")
    for version, reason in (("1.2", "is no version"), ("9.9.9", "write what changed under '## 9.9.9")):
        done = run(tree, version)
        assert done.returncode == 1
        assert reason in done.stderr
    (tree / "new.txt").write_text("x")
    try:
        done = run(tree, VERSION)
    finally:
        (tree / "new.txt").unlink()
    assert "the tree is not clean" in done.stderr
    assert "?? new.txt" in done.stderr
    git(tree, "tag", f"v{VERSION}")
    try:
        assert f"there is a tag v{VERSION} already" in run(tree, VERSION).stderr
    finally:
        git(tree, "tag", "-d", f"v{VERSION}")
    assert git(tree, "status", "--porcelain") == ""
    assert git(tree, "rev-parse", "HEAD") == before


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["rag/a.py", "rag/secret.key"], ["rag/secret.key is not to be shipped"]),
        (["rag/training/a.py"], ["rag/training/a.py is not to be shipped"]),
        ([], ["no file fits rag/*.py"]),
        (["rag/a.py"], []),
    ],
)
def test_a_wheel_that_holds_another_thing_is_refused(names: list[str], said: list[str]) -> None:
    assert release.misfits(names, ["# why", "", "rag/*.py", "!rag/training/*"]) == said


def test_a_release_writes_version_and_date_and_uploads_nothing(tree: Path, wheel: Path) -> None:
    changed = git(tree, "diff", "--name-only").split()
    assert changed == sorted(release.WRITTEN)
    assert f'version = "{VERSION}"\n' in (tree / "pyproject.toml").read_text("utf-8")
    assert f'__version__ = "{VERSION}"\n' in (tree / "rag" / "__init__.py").read_text("utf-8")
    assert f"## {VERSION} (2027-01-05)\n" in (tree / "CHANGELOG.md").read_text("utf-8")
    assert f'"rag {VERSION}"' in (tree / "docs" / "rag.1").read_text("utf-8").splitlines()[0]
    assert sorted(path.name for path in wheel.parent.iterdir()) == [wheel.name, f"rag-{VERSION}.tar.gz"]
    assert git(tree, "tag", "--list") == ""


def test_the_wheel_says_which_pythons_it_is_for(wheel: Path) -> None:
    said = metadata(wheel)
    fits = SpecifierSet(said["Requires-Python"])
    listed = {line.rsplit(" ", 1)[1] for line in said.get_all("Classifier", []) if "Python :: 3." in line}
    assert listed == set(PYTHONS)
    assert [fits.contains(f"{version}.0") for version in (*PYTHONS, "3.10", "3.14")] == [True] * 3 + [
        False
    ] * 2


def test_what_the_wheel_needs_is_what_these_tests_ran_with(wheel: Path) -> None:
    for line in metadata(wheel).get_all("Requires-Dist", []):
        needed = Requirement(line)
        if needed.marker is None or needed.marker.evaluate({"extra": ""}):
            assert needed.specifier.contains(importlib.metadata.version(needed.name)), line


@pytest.mark.parametrize("version", PYTHONS)
def test_the_wheel_is_installed_by_itself_and_its_code_compiled(
    version: str, wheel: Path, tmp_path: Path
) -> None:
    own = ".".join(map(str, sys.version_info[:2])) == version
    python = sys.executable if own else interpreter(version)
    if python is None:
        pytest.skip(f"there is no python{version} on this machine")
    venv = tmp_path / "venv"
    subprocess.run([python, "-m", "venv", "--without-pip", venv], check=True)
    inside = venv / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", str(inside), "install", "-q"]
    subprocess.run([*command, "--no-deps", "--no-index", str(wheel)], check=True, capture_output=True)
    compiled = [str(inside), "-W", "error", "-m", "compileall", "-qf", str(venv / "lib")]
    subprocess.run(compiled, check=True, capture_output=True)
    assert (venv / "share" / "man" / "man1" / "rag.1").is_file()
    if not own:
        return
    (there,) = (venv / "lib").glob("python*/site-packages")
    beside = [path for path in sys.path if path.endswith("site-packages")]
    (there / "beside.pth").write_text("\n".join(beside))  # the packages it needs, as they are here
    done = subprocess.run(
        [venv / "bin" / "rag", "--version"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"rag {VERSION}\n"
    assert (
        "Answer questions only"
        in subprocess.run(
            [venv / "bin" / "rag", "--help"], cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout
    )
