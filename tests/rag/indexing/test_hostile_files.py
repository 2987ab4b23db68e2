"""Files meant to hurt: none ends a run, hangs it, or is read from where nobody pointed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hostile import hostile_files, pdf_form_in_itself, put_special_files
from support import WordEncoder, run, settings, write_corpus

from rag.loading import LoadingPool
from rag.settings import PassageSettings
from rag.store import Store

GOOD = {"good.txt": "The trust was opened in June 2014 by the council.", "z last.txt": "It had ninety staff."}


def environment(store: Path) -> dict[str, str]:
    return {**os.environ, "RAG_STORE": str(store), "HOME": str(store.parent)}


def rag(*arguments: str | Path, store: Path, seconds: float = 60) -> subprocess.CompletedProcess[str]:
    """The command, ended after so many seconds: a hang is a failed test."""
    command = [sys.executable, "-m", "rag", *map(str, arguments)]
    return subprocess.run(
        command, env=environment(store), capture_output=True, text=True, timeout=seconds, check=False
    )


def test_every_hostile_file_is_read_or_skipped_by_name_and_the_rest_is_indexed(tmp_path: Path) -> None:
    files = hostile_files(scale=0.002)
    corpus = write_corpus(tmp_path / "corpus", {**GOOD, **files})
    limits = {"max_seconds": 2, "max_memory_mb": 300}
    began = time.monotonic()
    with LoadingPool() as pool:
        done = run([corpus], tmp_path / "store", loader=pool, settings=settings(tmp_path / "store", **limits))
    assert time.monotonic() - began < 3 * len(files)
    with Store.open(tmp_path / "store") as opened:
        indexed = {Path(file.path).name for file in opened.files()}
    skipped = {Path(problem.path).name for problem in done.problems}
    assert indexed | skipped == set(GOOD) | set(files)
    assert not indexed & skipped
    assert set(GOOD) <= indexed
    reasons = {Path(problem.path).name: problem.reason for problem in done.problems}
    assert "Traceback" not in str(reasons)
    assert "itself.pdf" in reasons


def test_a_file_that_needs_too_much_is_named_and_counted_and_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = write_corpus(tmp_path / "corpus", GOOD | {"itself.pdf": pdf_form_in_itself()})
    monkeypatch.setenv("RAG_PASSAGES_MAX_MEMORY_MB", "100")
    done = rag("index", corpus, store=tmp_path / "store")
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == [
        f"skipped: {corpus / 'itself.pdf'}: needed more than 100 MB of memory"
    ]
    assert "2 added, 1 skipped" in done.stdout


def test_special_files_and_links_that_lead_out_are_named_and_never_read(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", GOOD)
    names = put_special_files(corpus)
    done = rag("index", corpus, store=tmp_path / "store", seconds=60)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    told = [line for line in done.stderr.splitlines() if line.startswith("skipped: ")]
    assert sorted(line.split(": ")[1] for line in told) == sorted(str(corpus / name) for name in names)
    with Store.open(tmp_path / "store") as opened:
        assert [Path(file.path).name for file in opened.files()] == sorted(GOOD)


def test_a_link_is_followed_within_the_folders_named_and_let_go_when_it_leads_out(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", GOOD)
    outside = write_corpus(tmp_path / "outside", {"secret.txt": "The secret stands outside the folder."})
    (corpus / "link.txt").symlink_to(corpus / "good.txt")
    (corpus / "away").symlink_to(outside)
    store = tmp_path / "store"
    done = run([corpus], store)
    assert (done.added, [problem.reason for problem in done.problems]) == (
        3,
        ["a link that leads out of the folder named"],
    )
    assert run([outside, corpus], store).added == 1
    # The same file reached another way: a link swapped in for a file that was indexed.
    (corpus / "good.txt").unlink()
    (corpus / "good.txt").symlink_to(outside / "secret.txt")
    assert run([corpus], store).removed == 2
    with Store.open(store) as opened:
        paths = [file.path for file in opened.files()]
    assert paths == [str(corpus / "z last.txt"), str(outside / "secret.txt")]


@pytest.mark.parametrize("place", ["a named pipe", "a device", "a folder"])
def test_an_indexed_file_that_became_something_else_is_let_go(place: str, tmp_path: Path) -> None:
    corpus, store = write_corpus(tmp_path / "corpus", GOOD), tmp_path / "store"
    run([corpus], store)
    path = corpus / "good.txt"
    path.unlink()
    if place == "a named pipe":
        os.mkfifo(path)
    elif place == "a device":
        path.symlink_to("/dev/null")
    else:
        path.mkdir()
    done = run([corpus], store)
    assert (done.removed, done.unchanged) == (1, 1)


def test_where_an_indexed_file_became_a_pipe_nothing_hangs(tmp_path: Path) -> None:
    corpus, store = write_corpus(tmp_path / "corpus", GOOD), tmp_path / "store"
    assert rag("index", corpus, store=store).returncode == 0
    (corpus / "good.txt").unlink()
    os.mkfifo(corpus / "good.txt")
    asked = rag("ask", "When was the trust opened?", "--json", store=store)
    assert json.loads(asked.stdout)["citations"][0]["freshness"] == "unreadable"
    assert asked.returncode == 5
    shown = rag("show", "good.txt:1", store=store)
    assert "file cannot be read now" in shown.stdout
    examined = rag("doctor", "--json", store=store)
    assert any("good.txt" in line and "cannot be read" in line for line in examined.stdout.splitlines())
    done = rag("index", corpus, store=store)
    assert done.returncode == 0
    assert "1 removed" in done.stdout
    assert "Traceback" not in asked.stderr + shown.stderr + examined.stderr + done.stderr


def test_folders_within_folders_are_read_however_deep(tmp_path: Path) -> None:
    at = tmp_path
    here = Path.cwd()
    try:
        for n in range(1900):
            os.chdir(at)
            at = Path(f"{n % 10}")
            at.mkdir()
        (at / "deep.txt").write_text("A word from the depths of the folders.")
    finally:
        os.chdir(here)
    try:
        done = rag("index", tmp_path / "0", store=tmp_path / "store")
    finally:  # deeper than shutil.rmtree goes, which pytest clears up with
        subprocess.run(["rm", "-rf", tmp_path / "0"], check=True)
    assert done.returncode == 0, done.stderr[-500:]
    assert "1 added" in done.stdout


def test_ctrl_c_while_a_file_hangs_ends_the_run_and_its_children_and_leaves_the_store(tmp_path: Path) -> None:
    store = tmp_path / "store"
    corpus = write_corpus(tmp_path / "corpus", GOOD)
    run([corpus], store)
    write_corpus(corpus, {"slow.txt": "The cat sat on the mat. " * 1_500_000})
    command = [sys.executable, "-m", "rag", "index", str(corpus), "--rebuild"]
    with subprocess.Popen(command, env=environment(store), stderr=subprocess.PIPE, text=True) as process:
        children: list[str] = []
        deadline = time.monotonic() + 30
        while not children and time.monotonic() < deadline:
            time.sleep(0.05)
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
    assert not any(Path(f"/proc/{child}").exists() for child in children)
    with Store.open(store) as opened:
        assert opened.manifest.generation == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_without_read_permission_is_called_that_and_stays_indexed(tmp_path: Path) -> None:
    corpus, store = write_corpus(tmp_path / "corpus", GOOD), tmp_path / "store"
    run([corpus], store)
    (corpus / "good.txt").chmod(0)
    done = run([corpus], store)
    assert [problem.reason for problem in done.problems] == ["no permission to read it"]
    assert done.unchanged == 2


def test_two_children_load_the_same_documents_as_this_process_in_the_same_order(sample_corpus: Path) -> None:
    from rag.loading import Here

    paths = sorted(str(path) for path in sample_corpus.rglob("*.*") if path.is_file())[:40]
    chosen = PassageSettings()
    with LoadingPool(2) as pool:
        apart = list(pool.load_all(paths, chosen, None))
    assert [repr(one) for one in apart] == [repr(one) for one in Here().load_all(paths, chosen, None)]


def test_an_index_made_in_children_is_the_one_made_here(tmp_path: Path, sample_corpus: Path) -> None:
    from support import picture

    with LoadingPool() as pool:
        run([sample_corpus], tmp_path / "a", WordEncoder(), loader=pool)
    run([sample_corpus], tmp_path / "b", WordEncoder())
    assert picture(tmp_path / "a") == picture(tmp_path / "b")
