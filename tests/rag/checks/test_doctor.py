"""The doctor: every remedy it names is executed, in a shell, on paths that a shell would take apart."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from support import FIRST, WordEncoder, picture, run, segment_file, settings, write_corpus

from rag.checks import doctor
from rag.checks.doctor import Finding
from rag.errors import StoreDamagedError, StoreMissingError
from rag.store import Store
from rag.store.layout import (
    CURRENT,
    GENERATIONS,
    LOCK,
    MANIFEST,
    PASSAGES,
    TAGS,
    VECTORS,
    generation_folder,
    generations,
)
from rag.store.repair import repair

NAMES = [
    "plain",
    "two  spaces and 'quotes' \"both\"",
    "$(touch pwned)",
    "a\nline & more; ls",
    "-rf",
    "a  # b",
]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def findings(store: Path) -> list[Finding]:
    """What the doctor finds of a store and its files, without loading a model."""
    return list(doctor._store(settings(store), None))


def bad(store: Path) -> list[Finding]:
    return [finding for finding in findings(store) if not finding.good]


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a ``rag`` that is the real command but for its encoder, which needs no model."""
    folder = tmp_path_factory.mktemp("bin")
    tests = Path(__file__).parents[2]
    code = f"""
import sys
sys.path[:0] = {[str(tests.parent), str(tests)]!r}
import rag.indexing, rag.checks.doctor
from support import WordEncoder
rag.indexing.load_encoder = lambda *_, **__: WordEncoder()
rag.checks.doctor._encoder = lambda _: (None, rag.checks.doctor.Finding("encoder", True, ""))
from rag.cli import main
main()
"""
    (folder / "rag.py").write_text(code)
    program = folder / "rag"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -P {folder}/rag.py "$@"\n')
    program.chmod(0o755)
    return folder


def execute(remedy: str, shell: Path, store: Path) -> subprocess.CompletedProcess[str]:
    """A remedy as somebody pastes it: after ``clean``, into bash, with no store set but what it names."""
    from rag.text.sinks import clean

    environment = {
        "PATH": f"{shell}:{os.environ['PATH']}",
        "HOME": str(shell),
        "RAG_PASSAGES_MIN_WORDS": "1",
        "RAG_STORE": str(shell / "another store"),
    }
    return subprocess.run(
        ["bash", "-c", clean(remedy)], env=environment, capture_output=True, text=True, check=False
    )


def break_it(fault: str, store: Path, corpus: Path) -> str:
    """Do harm, and say which check finds it."""
    folder = generation_folder(store, max(generations(store)))
    if fault == "edited":
        (corpus / "trust.txt").write_text("Quite another text about the trust and the council.")
        return "files"
    if fault == "missing":
        (corpus / "trust.txt").unlink()
        return "files"
    if fault == "new":
        (corpus / "new.txt").write_text("A new text about the trust and the council.")
        return "files"
    if fault == "pipe":
        (corpus / "trust.txt").unlink()
        os.mkfifo(corpus / "trust.txt")
        return "files"
    if fault == "lock":
        (store / "lock.json").write_text('{"pid": 1, "host": "h", "started": "then"}')
        return "lock"
    if fault == "building":
        (store / GENERATIONS / ".building-99").mkdir()
        return "leftovers"
    if fault == "torn write":
        (store / ".0badcafe.new").write_text("half")
        return "leftovers"
    if fault == "no CURRENT":
        (store / CURRENT).unlink()
    elif fault == "torn CURRENT":
        (store / CURRENT).write_text("0000")
    elif fault == "CURRENT of nothing":
        (store / CURRENT).write_text("000077 " + "0" * 64 + "\n")
    elif fault == "flipped":
        path = segment_file(store, int(folder.name), VECTORS)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    elif fault == "deleted":
        shutil.rmtree(folder)
    elif fault == "all flipped":
        for number in generations(store):
            os.truncate(segment_file(store, number, PASSAGES), 100)
    return "store"


FILE_FAULTS = ("edited", "missing", "new", "pipe")
FAULTS = [
    *FILE_FAULTS,
    "lock",
    "building",
    "torn write",
    "no CURRENT",
    "torn CURRENT",
    "CURRENT of nothing",
    "flipped",
    "deleted",
    "all flipped",
]


@pytest.mark.parametrize("fault", FAULTS)
def test_every_remedy_executed_in_a_shell_cures_its_finding(fault: str, here: Path, shell: Path) -> None:
    name = NAMES[1 + FAULTS.index(fault) % (len(NAMES) - 1)]
    corpus = write_corpus(here / name / "corpus", FIRST)
    store = here / name / "store"
    run([corpus], store)
    write_corpus(corpus, {"mill.md": "The mill was closed for good in the year after."})
    run([corpus], store)
    assert bad(store) == []
    check = break_it(fault, store, corpus)
    (finding,) = bad(store)
    assert finding.check == check
    done = execute(finding.remedy, shell, store)
    assert not (here / "pwned").exists()
    # 7: the store is whole again, and what is still to say of its files is said
    assert done.returncode == (7 if fault in ("flipped", "deleted") else 0), (finding, done.stderr)
    after = bad(store)
    if fault not in FILE_FAULTS:  # one step back may be behind the files: that has its own remedy
        for stale in after:
            assert stale.check == "files"
            assert execute(stale.remedy, shell, store).returncode == 0
        after = bad(store)
    assert after == []
    assert not (shell / "another store").exists()


def test_a_lost_current_is_no_reason_to_delete_a_generation(here: Path) -> None:
    corpus, store = write_corpus(here / "corpus", FIRST), here / "store"
    run([corpus], store)
    write_corpus(corpus, {"mill.md": "The mill was closed for good in the year after."})
    run([corpus], store)
    before = picture(store)
    (store / CURRENT).unlink()
    with pytest.raises(StoreDamagedError, match="has lost the file CURRENT") as caught:
        Store.open(store)
    assert "rag doctor --repair --store" in caught.value.hint
    shutil.copytree(store, here / "copy")
    assert repair(store).served == 2
    assert picture(store) == before

    def stop(step: str) -> None:
        if step == "sync the building folder":
            raise KeyboardInterrupt

    for rebuild in (True, False):
        with pytest.raises(KeyboardInterrupt):
            run(None, here / "copy", rebuild=rebuild, steps=stop)
        assert generations(here / "copy") == [1, 2]
    run(None, here / "copy")
    assert picture(here / "copy") == before


def test_a_damaged_generation_is_set_aside_not_deleted(here: Path) -> None:
    corpus, store = write_corpus(here / "corpus", FIRST), here / "store"
    run([corpus], store)
    before = picture(store)
    write_corpus(corpus, {"mill.md": "The mill was closed for good in the year after."})
    run([corpus], store)
    os.truncate(segment_file(store, 2, VECTORS), 100)
    (store / CURRENT).write_bytes(b"\xff")
    done = repair(store)
    assert (done.served, done.set_aside) == (1, (".damaged-000002", ".damaged-CURRENT"))
    assert picture(store) == before
    for _ in range(2):
        write_corpus(corpus, {"mill.md": f"The mill was opened {os.urandom(4).hex()} again."})
        run([corpus], store)
    assert (store / GENERATIONS / ".damaged-000002" / MANIFEST).exists()
    assert repair(store).told == "there was nothing to repair"


def test_where_no_generation_is_whole_a_repair_changes_nothing(here: Path) -> None:
    corpus, store = write_corpus(here / "corpus", FIRST), here / "store"
    run([corpus], store)
    os.truncate(segment_file(store, 1, VECTORS), 100)
    with pytest.raises(StoreDamagedError, match="no generation"):
        repair(store)
    assert generations(store) == [1]
    assert (store / CURRENT).exists()
    with pytest.raises(StoreMissingError):
        doctor.mend(here / "none")


def test_a_repair_killed_at_any_step_can_be_done_again(here: Path) -> None:
    corpus, made = write_corpus(here / "corpus", FIRST), here / "made"
    run([corpus], made)
    before = picture(made)
    write_corpus(corpus, {"mill.md": "The mill was closed for good in the year after."})
    run([corpus], made, tag="v2")
    os.truncate(segment_file(made, 2, VECTORS), 100)
    steps: list[str] = []
    repair(Path(shutil.copytree(made, here / "rehearsal")), steps=steps.append)
    assert len(steps) >= 4
    for n in range(len(steps)):
        store = Path(shutil.copytree(made, here / str(n)))
        left = n

        def stop(step: str) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            repair(store, steps=stop)
        repair(store)
        assert picture(store) == before


def tagged(corpus: Path, store: Path) -> None:
    """A store whose tag v1 keeps another generation than the one served."""
    run([corpus], store, tag="v1")
    for words in ("The mill was closed.", "The mill was opened.", "The mill was sold."):
        write_corpus(corpus, {"mill.md": words})
        run([corpus], store)


TAG_FAULTS = ("gone", "flipped", "torn", "another manifest", "another format")


@pytest.mark.parametrize("fault", TAG_FAULTS)
def test_a_tag_that_cannot_be_served_is_found_and_its_remedy_cures_it(
    fault: str, here: Path, shell: Path
) -> None:
    name = NAMES[TAG_FAULTS.index(fault)]
    corpus, store = write_corpus(here / name / "corpus", FIRST), here / name / "store"
    tagged(corpus, store)
    assert [finding.detail for finding in findings(store) if finding.check == "tags"] == [
        "what they keep is whole: v1"
    ]
    served, folder = picture(store), generation_folder(store, 1)
    if fault == "gone":
        shutil.rmtree(folder)
    elif fault == "flipped":
        data = bytearray(segment_file(store, 1, VECTORS).read_bytes())
        data[len(data) // 2] ^= 1
        segment_file(store, 1, VECTORS).write_bytes(data)
    elif fault == "torn":
        (store / TAGS / "v1").write_text("0000")
    elif fault == "another manifest":
        (store / TAGS / "v1").write_text("000001 " + "0" * 64 + "\n")
    else:
        (folder / MANIFEST).write_text('{"format": 2}')
    (finding,) = bad(store)
    assert finding.check == "tags"
    assert "v1" in finding.detail
    done = execute(finding.remedy, shell, store)
    assert not (here / "pwned").exists()
    assert done.returncode == 0, (finding, done.stderr)
    assert bad(store) == []
    assert not (store / TAGS / "v1").exists()
    assert picture(store) == served
    aside = [path.name for path in (store / GENERATIONS).glob(".damaged-*")]
    assert (".damaged-tag-v1" in aside) == (fault != "another format")
    assert (".damaged-000001" in aside) == (fault == "flipped")
    if fault in ("torn", "another manifest"):  # the generation itself is whole: it is not set aside
        assert folder.is_dir()


def test_a_tag_on_the_damaged_generation_that_is_served_goes_aside_with_it(here: Path, shell: Path) -> None:
    corpus, store = write_corpus(here / "corpus", FIRST), here / "store"
    run([corpus], store)
    before = picture(store)
    write_corpus(corpus, {"mill.md": "The mill was closed."})
    run([corpus], store, tag="v2")
    os.truncate(segment_file(store, 2, PASSAGES), 100)
    found = bad(store)
    assert [finding.check for finding in found] == ["store", "tags"]
    assert len({finding.remedy for finding in found}) == 1
    done = repair(store)
    assert done.set_aside == (".damaged-000002", ".damaged-CURRENT", ".damaged-tag-v2")
    assert picture(store) == before


def test_a_tagged_generation_serves_where_nothing_else_is_whole(here: Path) -> None:
    corpus, store = write_corpus(here / "corpus", FIRST), here / "store"
    run([corpus], store, tag="v1")
    before = picture(store)
    tagged_file = segment_file(store, 1, VECTORS).read_bytes()
    for words in ("The mill was closed.", "The mill was opened.", "The mill was sold."):
        write_corpus(corpus, {"mill.md": words})
        run([corpus], store)
    for number in (3, 4):
        os.truncate(segment_file(store, number, VECTORS), 100)
    repair(store)
    assert picture(store) == before
    assert segment_file(store, 1, VECTORS).read_bytes() == tagged_file


def test_a_store_is_its_owners_alone(here: Path) -> None:
    before = os.umask(0)
    try:
        run([write_corpus(here / "corpus", FIRST)], here / "store")
    finally:
        os.umask(before)
    modes = {
        path.relative_to(here).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in [here / "store", *(here / "store").rglob("*")]
    }
    assert {name: oct(mode) for name, mode in modes.items() if mode & 0o077} == {}
    assert LOCK in {Path(name).name for name in modes}


def test_a_file_that_no_index_can_hold_is_not_called_new_for_ever(here: Path) -> None:
    corpus, store = write_corpus(here / "corpus", FIRST | {"broken.pdf": "no pdf"}), here / "store"
    run([corpus], store)
    assert bad(store) == []
    (skipped,) = [finding for finding in findings(store) if finding.check == "skipped"]
    assert "broken.pdf (not a PDF file" in skipped.detail


def test_a_vector_changed_in_a_store_too_large_to_prove_at_opening_is_not_used(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import numpy as np

    from embeddings.index import VectorIndex

    store = here / "store"
    run([write_corpus(here / "corpus", FIRST)], store)
    path = segment_file(store, 1, VECTORS)
    vectors = VectorIndex.open(path).vectors().copy()
    vectors[1] = np.roll(vectors[1], 1)
    monkeypatch.setattr("rag.store.reader.THOROUGH_BYTES", 0)
    monkeypatch.setattr("rag.store.integrity.THOROUGH_BYTES", 0)
    # Past the samples: as if the change stood between them.
    monkeypatch.setattr("rag.store.integrity.sample_sha256", lambda path: _sample(store, path))
    VectorIndex.build(vectors).save(path)
    with Store.open(store) as opened:
        assert opened.passages([0, 2])
        with pytest.raises(StoreDamagedError, match="the vector of passage 1 is not the one"):
            opened.passages([1])
        with pytest.raises(StoreDamagedError):
            opened.verify()
    assert WordEncoder().dim == vectors.shape[1]


def _sample(store: Path, path: Path) -> str:
    from rag.store.manifest import read_manifest

    return read_manifest(store).files[path.relative_to(generation_folder(store, 1)).as_posix()].sample


def test_each_extra_is_a_line_that_says_what_is_there_or_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    named = [
        "numpy>=2.0",
        'pytest>=8; extra == "serve"',
        'hypothesis>=6; extra == "mcp"',
        'no-such-package>=1; extra == "mcp"',
        'no-such-package[data]>=1; extra == "ray"',
        'rag[serve]; extra == "peers"',
        'no-such-linter; extra == "dev"',
    ]
    monkeypatch.setattr(importlib.metadata, "requires", lambda _: named)
    found = {finding.check: finding for finding in doctor._extras()}
    assert list(found) == ["extra serve", "extra mcp", "extra ray", "extra peers"]
    assert all(finding.good and not finding.remedy for finding in found.values())
    assert found["extra serve"].detail == found["extra peers"].detail == f"pytest {pytest.__version__}"
    assert found["extra ray"].detail == "not installed; pip install 'rag[ray]' brings it"
    assert found["extra mcp"].detail.endswith(", without no-such-package; pip install 'rag[mcp]' brings it")


def test_the_extras_looked_at_are_those_the_package_offers() -> None:
    import tomllib

    offered = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    lines = [
        f'{line}; extra == "{extra}"'
        for extra, listed in offered["optional-dependencies"].items()
        for line in listed
    ]
    assert set(doctor.extras_of(lines)) == set(offered["optional-dependencies"]) - {"dev", "train"}
