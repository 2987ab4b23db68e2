"""Indexing: what changed is read and embedded, the rest is carried over, and nothing is done by halves."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from support import (
    FIRST,
    SECOND,
    WordEncoder,
    copy_store,
    folders,
    picture,
    run,
    settings,
    steps_against_fresh,
    write_corpus,
)

from rag.errors import (
    EncoderMismatchError,
    NothingToIndexError,
    StoreDamagedError,
    StoreError,
    StoreFormatError,
    StoreLockedError,
    UsageError,
)
from rag.indexing.code_hash import _sources
from rag.settings import EncoderSettings
from rag.store import Store, boilerplate_key
from rag.store.layout import CURRENT, EMBEDDED, FORMAT, MANIFEST, SENTENCES, generation_folder
from rag.store.manifest import read_manifest


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write_corpus(tmp_path / "corpus", FIRST)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


def age(folder: Path, seconds: float = 60) -> None:
    """Let the files be older than any doubt about their times."""
    before = time.time() - seconds
    for path in folder.rglob("*"):
        os.utime(path, (before, before))


def paths_in(store: Path, corpus: Path) -> list[str]:
    with Store.open(store) as opened:
        return [os.path.relpath(document.path, corpus) for document in opened.documents()]


# What a run does


def test_the_first_run_indexes_everything(corpus: Path, store: Path) -> None:
    encoder = WordEncoder()
    summary = run([corpus], store, encoder)
    assert (summary.added, summary.changed, summary.removed, summary.unchanged) == (6, 0, 0, 0)
    assert summary.committed
    assert summary.generation == 1
    assert (summary.n_documents, summary.n_excluded, summary.duplicates) == (6, 1, 1)
    assert summary.embedded == summary.n_passages - summary.duplicates
    assert len(encoder.encoded) == len(set(encoder.encoded))
    with Store.open(store) as opened:
        assert opened.n_passages == summary.n_passages == opened.vectors.n
        (notice,) = opened.excluded()
        assert (notice.text, notice.boilerplate) == (
            "We use cookies. Accept all cookies",
            "cookie notice",
        )
        groups = [opened.members(label) for label in set(opened.labels(opened.rows))]
        (twins,) = [rows for rows in groups if len(rows) > 1]
        first, second = opened.passages(twins)
        assert first.text == second.text == "The library keeps the letters of 2014."
        assert first.document_id != second.document_id


def test_a_passage_is_embedded_with_its_title_and_a_sentence_by_itself(corpus: Path, store: Path) -> None:
    encoder = WordEncoder()
    run([corpus / "mill.md"], store, encoder)
    assert "Nobody was hurt." in encoder.encoded
    assert any(text.startswith("The mill") and "Nobody was hurt." in text for text in encoder.encoded)


def test_each_sentence_speaks_for_the_passage_it_is_from(corpus: Path, store: Path) -> None:
    run([corpus], store)
    with Store.open(store) as opened:
        (query,) = WordEncoder().encode(["Nobody was hurt."])
        assert opened.sentences is not None
        scores = opened.sentences.best(query, opened.rows)
        assert scores.max() == pytest.approx(1, abs=0.02)
        assert "Nobody was hurt." in opened.passages([opened.rows[scores.argmax()]])[0].text
        assert np.isfinite(scores).all()


def test_without_the_sentence_view_there_is_none(corpus: Path, store: Path) -> None:
    run([corpus], store, settings=settings(store, sentence_view=False))
    with Store.open(store) as opened:
        assert opened.sentences is None


def test_a_run_that_changes_nothing_commits_nothing(corpus: Path, store: Path) -> None:
    run([corpus], store)
    encoder = WordEncoder()
    for paths in ([corpus], None, [corpus / "sub"]):
        summary = run(paths, store, encoder)
        assert not summary.committed
        assert (summary.generation, summary.n_documents, summary.duplicates) == (1, 6, 1)
        assert (summary.added, summary.changed, summary.removed, summary.renamed) == (0, 0, 0, 0)
    assert encoder.encoded == []
    assert folders(store) == ["000001"]


def test_unchanged_files_are_neither_embedded_again_nor_read_again(corpus: Path, store: Path) -> None:
    age(corpus)
    time.sleep(0.01)
    run([corpus], store)
    made = read_manifest(store)
    (corpus / "mill.md").write_text("A new word about the mill: sluice.")
    encoder = WordEncoder()
    summary = run([corpus], store, encoder)
    assert (summary.changed, summary.unchanged, summary.added) == (1, 5, 0)
    assert all("sluice" in text for text in encoder.encoded)
    assert summary.embedded == 1
    assert read_manifest(store).generation == made.generation + 1


def test_edits_deletions_additions_and_new_names_are_followed(corpus: Path, store: Path) -> None:
    run([corpus], store)
    write_corpus(corpus, SECOND)
    encoder = WordEncoder()
    summary = run([corpus], store, encoder)
    assert (summary.added, summary.changed, summary.removed, summary.renamed, summary.unchanged) == (
        1,
        1,
        1,
        1,
        3,
    )
    assert "new name.txt" in paths_in(store, corpus)
    assert "sub/old name.txt" not in paths_in(store, corpus)
    assert not any("letter that keeps its words" in text for text in encoder.encoded)


def test_a_file_edited_to_the_same_size_within_the_same_tick_is_noticed(corpus: Path, store: Path) -> None:
    path = corpus / "same.txt"
    run([corpus], store)
    before = path.stat()
    path.write_text(FIRST["same.txt"].replace("2014", "2015"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert run([corpus], store).changed == 1


def test_a_file_only_touched_is_unchanged(corpus: Path, store: Path) -> None:
    run([corpus], store)
    os.utime(corpus / "same.txt")
    assert not run([corpus], store).committed


def test_documents_indexed_from_elsewhere_stay(tmp_path: Path, store: Path) -> None:
    one = write_corpus(tmp_path / "one", {"a.txt": "The first folder speaks of ships."})
    two = write_corpus(tmp_path / "two", {"b.txt": "The second folder speaks of trains."})
    run([one], store)
    run([two], store)
    assert read_manifest(store).roots == (str(one), str(two))
    (one / "a.txt").write_text("It now speaks of boats.")
    (two / "b.txt").rename(two / "c.txt")
    assert run([two], store).renamed == 1
    with Store.open(store) as opened:
        assert next(opened.documents()).text == "The first folder speaks of ships."
    assert run(None, store).changed == 1


def test_a_folder_indexed_with_one_above_it_is_remembered_once(corpus: Path, store: Path) -> None:
    run([corpus / "sub"], store)
    run([corpus], store)
    assert read_manifest(store).roots == (str(corpus),)


def test_a_relative_path_is_the_same_as_its_absolute_one(
    corpus: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run([corpus], store)
    monkeypatch.chdir(corpus.parent)
    assert not run(["corpus", "./corpus/../corpus"], Path("store")).committed


def test_the_store_is_no_document_of_its_own(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path, FIRST)
    summary = run([corpus], corpus / "store")
    assert (summary.added, summary.problems) == (6, [])
    assert not run([corpus], corpus / "store").committed


FILES = st.sampled_from(["a.txt", "b.md", "c/d.txt", "c/e.txt", "f.txt"])
WORDS = st.sampled_from(
    [
        "The trust was opened in June by the council. It was closed later.",
        "A flood at the mill closed the road.\n\nWe use cookies. Accept all cookies\n\nNobody was hurt.",
        "# Heading\n\nShips came late that year.\n\n- one item\n- another item",
        "A flood at the mill closed the road.",
        None,
    ]
)


@hypothesis_settings(max_examples=25, deadline=None)
@given(st.lists(st.dictionaries(FILES, WORDS, min_size=1), min_size=2, max_size=4))
def test_indexing_in_steps_equals_indexing_at_once(steps: list[dict[str, str | None]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for stepwise, fresh in steps_against_fresh(steps, Path(folder)):
            assert picture(stepwise) == picture(fresh)


# What was kept out


def test_boilerplate_is_brought_back_by_its_key_for_good(corpus: Path, store: Path) -> None:
    run([corpus], store)
    with Store.open(store) as opened:
        (notice,) = opened.excluded()
    key = boilerplate_key(notice.text)
    summary = run(None, store, keep={key})
    assert (summary.committed, summary.n_excluded) == (True, 0)
    write_corpus(corpus, {"more.txt": "We use  cookies. Accept all  cookies\n\nSomething else is said here."})
    run(None, store)
    run(None, store, rebuild=True)
    with Store.open(store) as opened:
        texts = [passage.text for passage in opened.passages(range(opened.n_passages))]
        assert opened.excluded() == []
        assert sum("cookies" in text for text in texts) == 2
    assert run(None, store, drop={key}).n_excluded == 2


def test_a_key_that_names_nothing_is_refused_and_nothing_changes(corpus: Path, store: Path) -> None:
    run([corpus], store)
    wrong: list[dict[str, Any]] = [{"keep": {"0123456789ab"}}, {"drop": {"0123456789ab"}}]
    for each in wrong:
        with pytest.raises(UsageError, match="0123456789ab"):
            run(None, store, **each)
    assert read_manifest(store).generation == 1


# What cannot be read


def test_an_unreadable_file_is_named_and_stops_nothing(corpus: Path, store: Path) -> None:
    write_corpus(corpus, {"empty.txt": "", "torn.pdf": b"%PDF-1.7 torn", "data.bin": b"\0\1"})
    summary = run([corpus], store)
    assert summary.added == 6
    assert sorted(Path(problem.path).name for problem in summary.problems) == ["empty.txt", "torn.pdf"]
    assert [Path(problem.path).name for problem in summary.left] == ["data.bin"]


def test_a_file_edited_into_something_unreadable_is_let_go(corpus: Path, store: Path) -> None:
    run([corpus], store)
    write_corpus(corpus, {"same.txt": ""})
    summary = run([corpus], store)
    assert (summary.removed, len(summary.problems)) == (1, 1)
    assert "same.txt" not in paths_in(store, corpus)


@pytest.fixture
def nobody() -> Iterator[Callable[[Path], None]]:
    """Makes a folder another user's, so that permissions count; for root only by being somebody else."""
    if os.geteuid() != 0:
        yield lambda folder: None
        return
    user = 65534

    def become(folder: Path) -> None:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user, user)
        for path in folder.parents:
            if not path.stat().st_mode & 0o001:
                path.chmod(path.stat().st_mode | 0o055)
        os.seteuid(user)

    yield become
    os.seteuid(0)


def test_a_folder_that_may_not_be_looked_into_stays_as_it_was_indexed(
    corpus: Path, store: Path, nobody: Callable[[Path], None]
) -> None:
    run([corpus], store)
    nobody(corpus.parent)
    (corpus / "sub").chmod(0)
    (corpus / "same.txt").chmod(0)
    write_corpus(corpus, {"added.txt": "Something new about the harbour."})
    try:
        summary = run([corpus], store)
    finally:
        (corpus / "sub").chmod(0o755)
    assert (summary.added, summary.removed, summary.unchanged) == (1, 0, 6)
    assert sorted(Path(problem.path).name for problem in summary.problems) == ["same.txt", "sub"]


def test_a_remembered_folder_that_is_gone_keeps_its_documents_and_one_named_does_not(
    tmp_path: Path, store: Path
) -> None:
    one = write_corpus(tmp_path / "one", {"a.txt": "The first folder speaks of ships."})
    two = write_corpus(tmp_path / "disk", {"b.txt": "The second folder speaks of trains."})
    run([one, two], store)
    two.rename(tmp_path / "elsewhere")
    summary = run(None, store)
    assert not summary.committed
    assert [problem.path for problem in summary.problems] == [str(two)]
    summary = run([one, two], store)
    assert (summary.removed, summary.n_documents) == (1, 1)
    assert read_manifest(store).roots == (str(one),)


@pytest.mark.parametrize("files", [{}, {"empty.txt": "", "data.bin": b"\0"}])
def test_nothing_to_index_leaves_an_existing_store_alone(
    files: dict[str, str | bytes], corpus: Path, store: Path, tmp_path: Path
) -> None:
    (tmp_path / "nothing").mkdir()
    nothing = write_corpus(tmp_path / "nothing", files)
    with pytest.raises(NothingToIndexError) as caught:
        run([nothing], tmp_path / "never")
    assert str(nothing) in caught.value.message
    assert caught.value.hint
    assert not Store.exists(tmp_path / "never")
    run([corpus], store)
    before = picture(store)
    for path in (nothing, tmp_path / "missing"):
        with pytest.raises(NothingToIndexError):
            run([path], store)
    assert picture(store) == before


def test_an_empty_folder_leaves_no_trace_of_a_store(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(NothingToIndexError):
        run([tmp_path / "empty"], tmp_path / "never")
    assert not (tmp_path / "never").exists()


def test_without_a_path_and_without_a_store_there_is_nothing_to_index(store: Path) -> None:
    with pytest.raises(NothingToIndexError, match="no path was given"):
        run(None, store)


# Settings, encoders, rebuilding


def test_other_settings_are_refused_by_name_until_the_store_is_rebuilt(corpus: Path, store: Path) -> None:
    run([corpus], store)
    other = settings(store, max_words=50)
    with pytest.raises(StoreError, match=r"passages\.max_words was 220, now 50") as caught:
        run([corpus], store, settings=other)
    assert "rag index --rebuild" in caught.value.hint
    assert run(None, store, settings=other, rebuild=True).generation == 2
    assert not run(None, store, settings=other).committed


def test_a_larger_limit_for_files_needs_no_rebuild(corpus: Path, store: Path) -> None:
    run([corpus], store)
    assert not run([corpus], store, settings=settings(store, max_file_mb=7)).committed


def test_another_encoder_is_refused_until_the_store_is_rebuilt(corpus: Path, store: Path) -> None:
    run([corpus], store)
    other = WordEncoder("other", seed="other")
    for paths in (None, [corpus]):
        with pytest.raises(EncoderMismatchError, match="built with encoder words"):
            run(paths, store, other)
    summary = run(None, store, other, rebuild=True)
    assert summary.embedded == summary.n_passages - summary.duplicates
    assert other.encoded
    assert read_manifest(store).encoder_fingerprint == other.fingerprint
    # The vectors of the first were kept a while: going back costs nothing.
    again = WordEncoder()
    run(None, store, again, rebuild=True)
    assert again.encoded == []


def test_the_same_weights_under_another_name_are_the_same_encoder(corpus: Path, store: Path) -> None:
    run([corpus], store)
    moved = replace(settings(store), encoder=EncoderSettings(model="/elsewhere/words"))
    assert not run([corpus], store, WordEncoder("/elsewhere/words"), settings=moved).committed


def test_a_rebuild_reads_every_file_and_embeds_none_again(corpus: Path, store: Path) -> None:
    run([corpus], store)
    before = picture(store)
    encoder = WordEncoder()
    summary = run(None, store, encoder, rebuild=True)
    assert (summary.committed, summary.unchanged, encoder.encoded) == (True, 6, [])
    assert picture(store) == before


@pytest.mark.parametrize("fault", ["format", "torn", "current", "no current"])
def test_a_store_that_cannot_be_opened_can_be_rebuilt(fault: str, corpus: Path, store: Path) -> None:
    run([corpus], store)
    before = picture(store)
    folder = generation_folder(store, 1)
    if fault == "format":
        manifest = folder / MANIFEST
        written = f'"format": {FORMAT}'.encode()
        manifest.write_bytes(manifest.read_bytes().replace(written, b'"format": 0'))
    elif fault == "torn":
        os.truncate(folder / "000001" / "vectors.faiss", 100)
    elif fault == "current":
        (store / CURRENT).write_text("nonsense")
    else:
        (store / CURRENT).unlink()
    with pytest.raises(StoreFormatError if fault == "format" else StoreDamagedError):
        Store.open(store)
    if fault != "no current":  # that alone is mended by reading every file again
        with pytest.raises(StoreFormatError if fault == "format" else StoreDamagedError):
            run([corpus], store)
    encoder = WordEncoder()
    run(None, store, encoder, rebuild=fault != "no current")
    assert picture(store) == before
    assert bool(encoder.encoded) == (fault == "torn")


def test_every_module_that_shapes_passages_is_among_the_rules() -> None:
    names = {path.name for path in _sources()}
    assert {"blocks.py", "plain.py", "web.py", "pdf.py", "word.py", "header.py", "lexical.py"} <= names
    assert {"sentences.py", "duplicates.py", "boilerplate.py", "texts.py", "records.py"} <= names
    assert not names & {"assistant.py", "writer.py", "render.py", "answer.py"}


# What was embedded before


@pytest.mark.parametrize("name", [EMBEDDED, SENTENCES])
@pytest.mark.parametrize("fault", ["garbage", "torn", "deleted", "flipped"])
def test_damaged_vectors_cost_embeddings_and_nothing_else(
    fault: str, name: str, corpus: Path, store: Path
) -> None:
    run([corpus], store)
    before, path = picture(store), generation_folder(store, 1) / "000001" / name
    data = bytearray(path.read_bytes())
    if fault == "garbage":
        path.write_bytes(b"no database at all" * 1000)
    elif fault == "torn":
        path.write_bytes(data[: len(data) // 2])
    elif fault == "deleted":
        path.unlink()
    else:  # a byte of every vector: each is known to be wrong
        for place in range(len(data) // 3, len(data), 64):
            data[place] ^= 1
        path.write_bytes(data)
    encoder = WordEncoder()
    run(None, store, encoder, rebuild=True)
    assert encoder.encoded
    assert picture(store) == before


class Interrupted(WordEncoder):
    """Is stopped by Ctrl-C at its nth batch."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.left = n

    def encode(self, texts: Sequence[str], **options: object) -> NDArray[np.float32]:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return super().encode(texts, **options)  # type: ignore[arg-type]


def test_ctrl_c_leaves_the_old_generation_and_keeps_the_finished_embeddings(
    corpus: Path, store: Path
) -> None:
    run([corpus], store)
    before = picture(store)
    write_corpus(
        corpus, {f"{i}.txt": f"Letter {i} speaks of the harbour. It has {i} pages." for i in range(150)}
    )
    interrupted = Interrupted(1)
    with pytest.raises(KeyboardInterrupt):
        run([corpus], store, interrupted)
    assert picture(store) == before
    assert folders(store) == ["000001"]
    encoder = WordEncoder()
    summary = run([corpus], store, encoder)
    assert summary.reused >= 128
    assert not set(encoder.encoded) & set(interrupted.encoded)


def test_ctrl_c_at_any_step_leaves_a_whole_store(corpus: Path, store: Path, tmp_path: Path) -> None:
    run([corpus], store)
    before = picture(store)
    write_corpus(corpus, SECOND)
    names: list[str] = []
    after_store = copy_store(store, tmp_path / "after")
    run([corpus], after_store, steps=names.append)
    after = picture(after_store)
    for number in range(len(names)):
        taken: list[str] = []

        def step(name: str, number: int = number, taken: list[str] = taken) -> None:
            if len(taken) == number:
                raise KeyboardInterrupt
            taken.append(name)

        place = copy_store(store, tmp_path / str(number))
        with pytest.raises(KeyboardInterrupt):
            run([corpus], place, steps=step)
        assert picture(place) == (
            after if "sync the folder of CURRENT" in [*taken, names[number]] else before
        )
        assert not [name for name in folders(place) if name.startswith(".building")]
        run([corpus], place)
        assert picture(place) == after


# Disks and other writers


def test_a_second_writer_is_told_who_holds_the_lock(corpus: Path, store: Path) -> None:
    run([corpus], store)
    holder = "import sys; from pathlib import Path; from rag.store.lock import write_lock\n"
    holder += f"with write_lock(Path({str(store)!r})): print('held', flush=True); sys.stdin.read()"
    path = os.pathsep.join([str(Path(__file__).parents[3]), *sys.path])
    with subprocess.Popen(
        [sys.executable, "-c", holder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(StoreLockedError) as caught:
            run([corpus], store)
        assert f"process {process.pid} on {os.uname().nodename}" in caught.value.message
        assert "wait" in caught.value.hint
        assert picture(store)["roots"] == (str(corpus),), "readers need no lock"
        process.kill()
    assert not run([corpus], store).committed, "a lock goes with its process"


def test_two_writers_in_one_process_do_not_both_write(corpus: Path, store: Path) -> None:
    def step(name: str) -> None:
        if name == "write the passages":
            with pytest.raises(StoreLockedError):
                run([corpus], store)

    assert run([corpus], store, steps=step).generation == 1


def test_a_folder_that_may_not_be_written_is_said_to_be_so(
    corpus: Path, store: Path, nobody: Callable[[Path], None]
) -> None:
    run([corpus], store)
    before = picture(store)
    write_corpus(corpus, SECOND)
    nobody(store.parent)
    for path in (store, *store.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        with pytest.raises(StoreError, match="cannot be written: Permission denied") as caught:
            run([corpus], store)
        assert caught.value.hint
        assert picture(store) == before, "a read-only store is read as any other"
        with pytest.raises(StoreError, match="cannot be written"):
            run([corpus], store / "inside")
    finally:
        for path in (store, *store.rglob("*")):
            path.chmod(0o755)


def _grown(corpus: Path) -> None:
    words = "harbour ships boats letters council trust mill road bridge river".split()
    write_corpus(
        corpus,
        {
            f"long{i}.txt": "\n\n".join(
                f"Report {i}.{j} of the {words[j % 10]} and the {words[(i + j) % 10]} number {i * 150 + j}."
                for j in range(150)
            )
            for i in range(5)
        },
    )


@pytest.mark.parametrize("limit", [2_000, 20_000, 60_000, 100_000])
def test_a_file_that_may_not_grow_leaves_the_old_generation(limit: int, corpus: Path, store: Path) -> None:
    run([corpus], store)
    before = picture(store)
    _grown(corpus)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        with pytest.raises(StoreError, match=r"no room left|disk I/O error") as caught:
            run([corpus], store)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "disk" in caught.value.hint or "space" in caught.value.hint
    assert picture(store) == before
    assert folders(store) == ["000001"]
    assert run([corpus], store).added == 5


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
@pytest.mark.parametrize("free_kb", [4, 60, 150, 250, 350, 450])
def test_a_full_disk_leaves_the_old_generation(free_kb: int, corpus: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], capture_output=True
    ).returncode:
        pytest.skip("no small disk can be mounted here")
    try:
        store = disk / "store"
        run([corpus], store)
        before = picture(store)
        _grown(corpus)
        status = os.statvfs(disk)
        (disk / "ballast").write_bytes(bytes(status.f_bavail * status.f_bsize - free_kb * 1024))
        with pytest.raises(StoreError, match="no room left") as caught:
            run([corpus], store)
        assert caught.value.hint
        assert picture(store) == before
        assert folders(store) == ["000001"]
        (disk / "ballast").unlink()
        assert run([corpus], store).added == 5
    finally:
        subprocess.run(["umount", disk], check=True)


def test_an_error_that_is_no_fault_of_the_disk_is_not_disguised(corpus: Path, store: Path) -> None:
    class Broken(WordEncoder):
        def encode(self, texts: Sequence[str], **options: object) -> NDArray[np.float32]:
            raise OSError(errno.EIO, "the model broke")

    with pytest.raises(OSError, match="the model broke"):
        run([corpus], store, Broken())
    assert not Store.exists(store)


# Progress


class Told:
    def __init__(self) -> None:
        self.stages: list[list[object]] = []

    def start(self, stage: str, total: int) -> None:
        self.stages.append([stage, total, 0])

    def advance(self, n: int = 1) -> None:
        self.stages[-1][2] += n  # type: ignore[operator]

    def finish(self) -> None:
        self.stages[-1].append("finished")


def test_progress_adds_up(corpus: Path, store: Path) -> None:
    told = Told()
    summary = run([corpus], store, progress=told)
    assert told.stages == [
        ["reading", 6, 6, "finished"],
        ["embedding", summary.embedded, summary.embedded, "finished"],
        ["writing", summary.n_passages, summary.n_passages, "finished"],
    ]
