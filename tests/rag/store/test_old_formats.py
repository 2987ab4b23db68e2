"""Stores written by earlier versions, kept as those wrote them: refused by name, and the remedy works.

``tests/fixtures/stores/format_N.tar.xz`` was made by ``rag index /srv/letters``, over one letter, with the
last version that wrote format N. Whoever raises FORMAT adds one of the number that goes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from rag.errors import StoreFormatError
from rag.store import Store
from rag.store.layout import CURRENT, FORMAT, MANIFEST, generation_folder
from rag.store.manifest import current_line

STORES = Path(__file__).parents[2] / "fixtures" / "stores"
EARLIER = range(1, FORMAT)


def test_there_is_a_store_of_every_format_that_was_ever_written() -> None:
    assert sorted(path.name for path in STORES.iterdir()) == [f"format_{n}.tar.xz" for n in EARLIER]


@pytest.fixture(params=EARLIER)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A store of an earlier format, as it would stand if the letter had been indexed from here."""
    with tarfile.open(STORES / f"format_{request.param}.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    store = (tmp_path / f"format_{request.param}").rename(tmp_path / "the old store")
    letters = tmp_path / "the letters"
    letters.mkdir()
    (letters / "trust.txt").write_text("The trust was opened in June 2014 by the council.\n")
    manifest = generation_folder(store, 1) / MANIFEST
    said = json.loads(manifest.read_bytes())
    assert (said["format"], said["roots"]) == (request.param, ["/srv/letters"])
    data = json.dumps(said | {"roots": [str(letters)]}).encode()
    manifest.write_bytes(data)
    (store / CURRENT).write_bytes(current_line(1, data))
    return store


def in_a_shell(line: str, home: Path) -> subprocess.CompletedProcess[str]:
    """A line pasted into a shell whose ``rag`` is this one, and that knows of no store."""
    program = home / "bin" / "rag"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m rag "$@"\n')
    program.chmod(0o755)
    environment = {"PATH": f"{program.parent}:{os.environ['PATH']}", "HOME": str(home)}
    return subprocess.run(
        ["bash", "-c", line], cwd=home, env=environment, capture_output=True, text=True, check=False
    )


def test_a_store_of_an_earlier_format_is_refused_by_name_and_its_remedy_makes_it_anew(
    old: Path, tmp_path: Path
) -> None:
    with pytest.raises(StoreFormatError, match=rf"format \d; this version reads format {FORMAT}") as caught:
        Store.open(old)
    assert caught.value.hint.startswith("rag index --rebuild --store ")
    assert "reused" not in caught.value.hint, "its embeddings are none of this version's"
    done = in_a_shell(caught.value.hint, tmp_path)
    assert done.returncode == 0, done.stderr
    with Store.open(old) as opened:
        assert (opened.manifest.format, opened.manifest.n_documents) == (FORMAT, 1)
        assert [Path(file.path).name for file in opened.files()] == ["trust.txt"]
    assert not (old / "cache").exists()


def test_every_command_refuses_an_earlier_format_in_words(old: Path, tmp_path: Path) -> None:
    before = sorted(old.rglob("*"))
    for arguments in ("ask 'When was the trust opened?'", "index"):
        done = in_a_shell(f"rag {arguments} --store 'the old store'", tmp_path)
        assert done.returncode == 1
        assert "the store was written in format" in done.stderr
        assert "hint: rag index --rebuild --store" in done.stderr
        assert "Traceback" not in done.stderr
    lasting = [path for path in sorted(old.rglob("*")) if path.name != "lock"]
    assert lasting == before
