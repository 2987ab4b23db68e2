"""A release made ready to upload: ``make release VERSION=1.2.3``. It tags and uploads nothing.

The tree must be clean and CHANGELOG.md must begin with ``## 1.2.3 (not yet released)``. The version and
the date are written, the manual page is made anew, sdist and wheel are built and looked at, and what remains
to be done is said. Where anything fails, the files are put back as they were.
"""

from __future__ import annotations

import argparse
import datetime
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RULES = ".ci/wheel-contents.txt"
WRITTEN = ("pyproject.toml", "rag/__init__.py", "CHANGELOG.md", "docs/rag.1")
_VERSION = re.compile(r"(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}(?:(?:a|b|rc)\d+)?")


class ReleaseError(Exception):
    """Why there is no release, and what to do about it."""


def with_version(text: str, name: str, version: str) -> str:
    """A file's text with the one line that gives ``name`` its version.

    >>> with_version('name = "rag"\\nversion = "0.1.0"\\n', "version", "0.2.0")
    'name = "rag"\\nversion = "0.2.0"\\n'
    """
    new, n = re.subn(rf'(?m)^{re.escape(name)} = "[^"\n]*"$', f'{name} = "{version}"', text)
    if n != 1:
        raise ReleaseError(f"expected one line that gives {name}, found {n}")
    return new


def with_date(changelog: str, version: str, date: str) -> str:
    """The changelog with the date of the version that comes out.

    >>> with_date("## 0.2.0 (not yet released)\\n\\n## 0.1.0 (2026-12-01)\\n", "0.2.0", "2027-01-05")
    '## 0.2.0 (2027-01-05)\\n\\n## 0.1.0 (2026-12-01)\\n'
    """
    top = re.search(r"(?m)^## (\S+) \((.*)\)$", changelog)
    if top is None or top[1] != version or top[2] != "not yet released":
        first = top[0] if top else "nothing"
        raise ReleaseError(
            f"CHANGELOG.md begins with {first!r}; write what changed under '## {version} (not yet released)'"
        )
    return f"{changelog[: top.start()]}## {version} ({date}){changelog[top.end() :]}"


def misfits(names: Iterable[str], rules: Iterable[str]) -> list[str]:
    """What is wrong with the contents of a wheel, in sentences; nothing where every rule is kept.

    A rule is a pattern that some file must fit, and every file must fit one; after ``!`` it is one that no
    file may fit. ``*`` stands for slashes too.

    >>> misfits(["rag/a.py", "rag/b.txt"], ["rag/*.py", "rag/*.json", "!*/b.*"])
    ['rag/b.txt is not to be shipped', 'no file fits rag/*.json']
    """
    lines = [line.strip() for line in rules]
    kept = [line for line in lines if line and line[0] not in "#!"]
    barred = [line[1:] for line in lines if line.startswith("!")]
    files = sorted(names)
    wrong = [
        f"{name} is not to be shipped"
        for name in files
        if any(fnmatchcase(name, rule) for rule in barred)
        or not any(fnmatchcase(name, rule) for rule in kept)
    ]
    return wrong + [
        f"no file fits {rule}" for rule in kept if not any(fnmatchcase(name, rule) for name in files)
    ]


def _run(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stdout + done.stderr).strip()
        raise ReleaseError(f"{' '.join(command)} failed:\n{said}")
    return done.stdout


def _check(version: str) -> None:
    if not _VERSION.fullmatch(version):
        raise ReleaseError(f"{version!r} is no version; write it as 1.2.3 or 1.2.3rc1")
    if changed := _run("git", "status", "--porcelain"):
        raise ReleaseError(f"the tree is not clean; commit or put away:\n{changed.rstrip()}")
    if _run("git", "tag", "--list", f"v{version}").strip():
        raise ReleaseError(f"there is a tag v{version} already")


def _write(version: str, date: str) -> None:
    for name, of in (("pyproject.toml", "version"), ("rag/__init__.py", "__version__")):
        path = ROOT / name
        path.write_text(with_version(path.read_text(encoding="utf-8"), of, version), encoding="utf-8")
    changelog = ROOT / "CHANGELOG.md"
    changelog.write_text(with_date(changelog.read_text(encoding="utf-8"), version, date), encoding="utf-8")
    (ROOT / "docs" / "rag.1").write_text(_run(sys.executable, "-m", "rag.cli.man"), encoding="utf-8")


def _build(version: str) -> tuple[Path, Path]:
    """The sdist and the wheel, built without a look at anything but this environment, and found sound."""
    dist = ROOT / "dist"
    for old in dist.glob(f"rag-{version}*"):
        old.unlink()
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(dist))
    sdist, wheel = dist / f"rag-{version}.tar.gz", dist / f"rag-{version}-py3-none-any.whl"
    _run(sys.executable, "-m", "twine", "check", "--strict", str(sdist), str(wheel))
    with zipfile.ZipFile(wheel) as archive:
        names = [name.replace(f"rag-{version}.", "rag-VERSION.") for name in archive.namelist()]
    wrong = misfits(names, (ROOT / RULES).read_text(encoding="utf-8").splitlines())
    modules = _run("git", "ls-files", "rag/*.py", "embeddings/*.py", "eval/*.py").splitlines()
    wrong += [f"{name} is missing" for name in modules if name not in names and "rag/training/" not in name]
    if wrong:
        raise ReleaseError(f"the wheel is not what {RULES} says:\n" + "\n".join(wrong))
    return sdist, wheel


def release(version: str, date: str) -> str:
    """What remains to be done once all is written, built and found sound. Raises ReleaseError."""
    _check(version)
    before = {name: (ROOT / name).read_bytes() for name in WRITTEN}
    try:
        _write(version, date)
        sdist, wheel = _build(version)
    except BaseException:
        for name, data in before.items():
            (ROOT / name).write_bytes(data)
        raise
    sizes = ", ".join(
        f"{path.relative_to(ROOT)} ({path.stat().st_size / 1e6:.1f} MB)" for path in (sdist, wheel)
    )
    return (
        f"built and checked: {sizes}\n"
        "what remains:\n"
        f"  git commit -am 'Release {version}' && git tag -a v{version} -m 'rag {version}'\n"
        f"  git push --follow-tags\n"
        f"  python -m twine upload dist/rag-{version}*\n"
        f"  then open CHANGELOG.md for the next version: ## X.Y.Z (not yet released)"
    )


def main() -> int:
    """Make a release of the version named, or say on stderr why there is none."""
    parser = argparse.ArgumentParser(description="Make a release ready to upload.")
    parser.add_argument("version", help="such as 1.2.3")
    parser.add_argument("--date", default=datetime.date.today().isoformat(), help="of the changelog")
    given = parser.parse_args()
    try:
        print(release(given.version, given.date))
    except ReleaseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
