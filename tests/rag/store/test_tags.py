"""Tags: what is kept under a name is there until it is let go, whatever happens in between."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import FIRST, SECOND, WordEncoder, folders, picture, run, sharing_segments, write_corpus

from rag.errors import StoreDamagedError, StoreMissingError, UsageError
from rag.files import sync_file
from rag.indexing import untag
from rag.store import Store
from rag.store.layout import TAGS, generation_folder
from rag.store.manifest import read_current
from rag.store.tags import MAX_NAME_CHARS, checked_name, list_tags, read_tag, tag_names
from rag.store.writer import leftovers

TESTS = Path(__file__).parents[2]


def texts(store: Path, at: str | None = None) -> list[str]:
    with Store.open(store, at=at) as opened:
        return [document.text for document in opened.documents()]


def edit(corpus: Path, n: int) -> None:
    write_corpus(corpus, {"mill.md": f"The mill was closed for the {n}th time in the year after."})


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write_corpus(tmp_path / "corpus", FIRST)


@pytest.fixture
def store(corpus: Path, tmp_path: Path) -> Path:
    """A store that was tagged and then changed three times."""
    store = tmp_path / "store"
    run([corpus], store, tag="v1")
    for n in range(3):
        edit(corpus, n)
        run([corpus], store)
    return store


def test_a_tag_keeps_its_generation_through_later_runs(store: Path) -> None:
    assert folders(store) == ["000001", "000003", "000004"]
    assert any("A flood at the mill" in text for text in texts(store, "v1"))
    assert not any("A flood at the mill" in text for text in texts(store))
    with Store.open(store, at="v1") as tagged:
        assert tagged.manifest.generation == 1
        tagged.verify()


def test_a_run_that_changes_nothing_tags_what_is_served(store: Path, corpus: Path) -> None:
    done = run([corpus], store, tag="same")
    assert (done.committed, done.tag) == (False, "same")
    assert read_tag(store, "same") == read_current(store)


def test_a_tag_let_go_leaves_its_generation_to_the_sweep(store: Path) -> None:
    untag(store, ["v1"])
    assert folders(store) == ["000003", "000004"]
    assert tag_names(store) == []
    with pytest.raises(UsageError, match="no tag v1"):
        Store.open(store, at="v1")


def test_one_of_two_tags_still_keeps_a_generation(store: Path, corpus: Path) -> None:
    run([corpus], store, tag="a")
    run([corpus], store, tag="b")
    edit(corpus, 9)
    run([corpus], store, untag=["a"])
    assert [(tag.name, tag.generation) for tag in list_tags(store)] == [("v1", 1), ("b", 4)]
    assert folders(store) == ["000001", "000004", "000005"]


def test_a_reader_of_a_tag_keeps_what_it_opened_when_the_tag_goes(store: Path) -> None:
    with Store.open(store, at="v1") as tagged:
        before = tagged.passages(tagged.rows)
        untag(store, ["v1"])
        assert "000001" in folders(store)
        assert tagged.passages(tagged.rows) == before


def test_a_name_taken_is_refused_before_anything_is_embedded_and_moves_when_told_to(
    store: Path, corpus: Path
) -> None:
    encoder = WordEncoder()
    edit(corpus, 7)
    with pytest.raises(UsageError, match="keeps generation 1 already") as caught:
        run([corpus], store, encoder, tag="v1")
    assert encoder.encoded == []
    assert "--untag v1 --tag v1" in caught.value.hint
    run([corpus], store, untag=["v1"], tag="v1")
    assert read_tag(store, "v1") == read_current(store)


def test_the_served_generation_s_own_tag_is_not_moved_by_a_run_that_changes_something(
    store: Path, corpus: Path
) -> None:
    run([corpus], store, tag="now")
    assert run([corpus], store, tag="now").tag == "now"  # the same generation: nothing to refuse
    before, encoder = picture(store), WordEncoder()
    edit(corpus, 8)
    with pytest.raises(UsageError, match="keeps generation 4 already"):
        run([corpus], store, encoder, tag="now")
    assert encoder.encoded == []
    assert picture(store) == before


BAD = [
    "",
    " ",
    ".",
    "..",
    "../v1",
    "a/b",
    "/etc",
    "-rf",
    ".hidden",
    "_x",
    "a b",
    "a\nb",
    "a\0b",
    "a\x1b[2J",
    "é" * 65,
]
BAD += ["字" * MAX_NAME_CHARS + "字", "a\u202eb", "a\\b", "a:b", "a*", "x" * (MAX_NAME_CHARS + 1), "\udc80"]


@pytest.mark.parametrize("name", BAD)
def test_a_bad_name_is_refused_before_anything_is_touched(name: str, corpus: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    with pytest.raises(UsageError, match="no tag can be called"):
        run([corpus], store, tag=name)
    assert not store.exists()
    run([corpus], store, tag="v1")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UsageError, match="no tag can be called"):
        Store.open(store, at=name)
    with pytest.raises(UsageError, match="no tag can be called"):
        untag(store, [name])
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "name", ["v1", "2026-11-24", "1.0", "Frühjahr", "a" * MAX_NAME_CHARS, "第一", "a_b-c.d"]
)
def test_a_good_name_is_kept_as_it_is(name: str, corpus: Path, tmp_path: Path) -> None:
    run([corpus], tmp_path / "store", tag=f" {name}\n")
    assert tag_names(tmp_path / "store") == [name]
    assert checked_name(name) == name


def test_a_store_that_is_not_there_is_said_to_be_missing_not_its_tag(tmp_path: Path) -> None:
    with pytest.raises(StoreMissingError):
        Store.open(tmp_path / "none", at="v1")
    with pytest.raises(StoreMissingError):
        untag(tmp_path / "none", ["v1"])
    assert not (tmp_path / "none").exists()


def test_letting_one_unknown_tag_go_lets_none_go(store: Path) -> None:
    with pytest.raises(UsageError, match="no tag v2") as caught:
        untag(store, ["v1", "v2"])
    assert caught.value.hint == "there are: v1"
    assert tag_names(store) == ["v1"]


def test_while_a_tag_is_torn_no_generation_is_deleted(store: Path, corpus: Path) -> None:
    (store / TAGS / "v1").write_text("0000")
    with pytest.raises(StoreDamagedError, match="does not name a generation"):
        Store.open(store, at="v1")
    before = set(folders(store))
    edit(corpus, 9)
    run([corpus], store)
    assert before < set(folders(store))
    untag(store, ["v1"])
    assert folders(store) == ["000004", "000005"]


def test_another_manifest_in_a_tagged_generation_s_place_is_refused(store: Path) -> None:
    folder = generation_folder(store, 1)
    shutil.rmtree(folder)
    shutil.copytree(generation_folder(store, 3), folder)
    with pytest.raises(StoreDamagedError, match=r"tag v1: .*not the manifest that was committed"):
        Store.open(store, at="v1")


def test_a_tag_shares_its_segments_with_what_is_served(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sharing_segments(monkeypatch.setattr)
    store = tmp_path / "store"
    run([corpus], store, tag="v1")
    then = picture(store)
    write_corpus(corpus, SECOND)
    for n in range(3):
        edit(corpus, n)
        run([corpus], store)
    shared = [
        path for path in generation_folder(store, 1).rglob("*") if path.is_file() and path.stat().st_nlink > 1
    ]
    assert len(shared) == len([p for p in generation_folder(store, 1).rglob("*") if p.is_file()]) - 1
    with Store.open(store, at="v1") as tagged:
        assert list(tagged.documents()) == then["documents"]
        tagged.verify()


def test_a_rebuild_of_a_lost_store_leaves_the_tags(store: Path, corpus: Path) -> None:
    (store / "CURRENT").unlink()
    run([corpus], store, rebuild=True)
    assert any("A flood at the mill" in text for text in texts(store, "v1"))


def test_a_tagged_generation_is_never_lost_by_a_run_stopped_at_any_step(
    store: Path, corpus: Path, tmp_path: Path
) -> None:
    steps: list[str] = []
    edit(corpus, 9)
    run([corpus], Path(shutil.copytree(store, tmp_path / "rehearsal")), steps=steps.append, tag="v2")
    assert steps[-1] == "sync the folder of v2"
    with Store.open(store, at="v1") as tagged:
        kept = list(tagged.documents())
    for n in range(len(steps)):
        copy, left = Path(shutil.copytree(store, tmp_path / str(n))), n

        def stop(step: str) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run([corpus], copy, steps=stop, tag="v2")
        with Store.open(copy, at="v1") as tagged:
            assert list(tagged.documents()) == kept
        run([corpus], copy, tag="v2")
        assert read_tag(copy, "v2") == read_current(copy)
        shutil.rmtree(copy)


KILLED = """
import os, signal, sys
from pathlib import Path
from disk_calls import before_every_change
from rag.store.tags import write_tag
left = int(sys.argv[1])
def countdown(_):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
with before_every_change(countdown):
    write_tag(Path(sys.argv[2]), "v1")
"""


@pytest.mark.parametrize("is_there", [False, True])
def test_a_tag_whose_writer_is_killed_before_any_change_is_the_old_one_or_the_new(
    is_there: bool, store: Path, tmp_path: Path
) -> None:
    before = read_tag(store, "v1")
    if not is_there:
        shutil.rmtree(store / TAGS)
        sync_file(store)
    after = read_current(store)
    path = os.pathsep.join([str(TESTS.parent), str(TESTS), str(TESTS / "rag" / "indexing")])
    seen = []
    for n in range(100):
        copy = Path(shutil.copytree(store, tmp_path / str(n)))
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(n), str(copy)],
            env={**os.environ, "PYTHONPATH": path},
            check=False,
        )
        there = read_tag(copy, "v1") if tag_names(copy) else None
        assert there in ((before if is_there else None), after)
        seen.append(there)
        if done.returncode == 0:
            break
        run(None, copy)
        assert leftovers(copy) == []
        with Store.open(copy, at="v1" if there else None) as opened:
            opened.verify()
    assert seen[0] == (before if is_there else None)
    assert seen[-1] == after
    assert len(seen) > 4
