"""What is left out of a folder: by pattern, by a file of patterns, and because a link leads out."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import run, settings, write_corpus

from rag.checks import doctor
from rag.errors import UsageError
from rag.loaders import ExcludedError, OutsideError, UnsupportedFileError, find_files
from rag.store import Store

FILES: dict[str, str | bytes | None] = {
    "keep.txt": "The trust was opened in June.",
    "draft.txt": "The trust was closed in July.",
    "old/a.txt": "It stood in Leeds.",
    "old/b.md": "It stood in York.",
    "old/deep/c.txt": "It stood in Hull.",
}


def found(folder: Path, *exclude: str) -> tuple[list[str], list[str]]:
    files, problems = find_files([folder], exclude)
    left = [Path(p.path).relative_to(folder).as_posix() for p in problems if isinstance(p, ExcludedError)]
    return [file.relative_to(folder).as_posix() for file in files], left


@pytest.mark.parametrize(
    ("exclude", "left"),
    [
        (["draft.txt"], ["draft.txt"]),
        (["*.md", "draft*"], ["draft.txt", "old/b.md"]),
        (["old/"], ["old"]),
        (["/deep"], []),
        (["old/**/c.txt"], ["old/deep/c.txt"]),
        (["*.txt", "!keep.txt"], ["draft.txt", "old/a.txt", "old/deep/c.txt"]),
        (["# a remark", ""], []),
    ],
)
def test_patterns_leave_out_what_git_would(exclude: list[str], left: list[str], tmp_path: Path) -> None:
    write_corpus(tmp_path, FILES)
    kept, excluded = found(tmp_path, *exclude)
    assert sorted(excluded) == left
    assert kept == sorted(
        name for name in FILES if not any(name == out or name.startswith(f"{out}/") for out in left)
    )


def test_the_patterns_nearest_to_a_file_decide(tmp_path: Path) -> None:
    write_corpus(tmp_path, FILES | {".ragignore": "*.txt\n", "old/.ragignore": "!a.txt\ndeep/\n"})
    kept, excluded = found(tmp_path)
    assert kept == ["old/a.txt", "old/b.md"]
    assert sorted(excluded) == ["draft.txt", "keep.txt", "old/deep"]


def test_a_file_of_patterns_holds_for_its_folder_alone(tmp_path: Path) -> None:
    write_corpus(tmp_path, FILES | {"old/.ragignore": "*.txt\n"})
    assert found(tmp_path)[0] == ["draft.txt", "keep.txt", "old/b.md"]


def test_a_wrong_pattern_is_a_usage_error_that_says_where_it_stands(tmp_path: Path) -> None:
    write_corpus(tmp_path, FILES)
    with pytest.raises(UsageError, match="--exclude: not a pattern"):
        find_files([tmp_path], ["!"])
    (tmp_path / ".ragignore").write_text("!\n")
    with pytest.raises(UsageError, match="ragignore: not a pattern"):
        find_files([tmp_path])


def test_a_file_of_patterns_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    write_corpus(tmp_path, FILES)
    (tmp_path / ".ragignore").symlink_to("/etc/hostname")
    _, problems = find_files([tmp_path])
    assert [Path(problem.path).name for problem in problems] == [".ragignore"]


def test_a_named_file_is_left_out_by_a_pattern_given_and_read_despite_a_file_of_them(tmp_path: Path) -> None:
    write_corpus(tmp_path, FILES | {".ragignore": "keep.txt\n"})
    assert [file.name for file in find_files([tmp_path / "keep.txt"])[0]] == ["keep.txt"]
    assert find_files([tmp_path / "keep.txt"], ["*.txt"])[0] == []


def test_links_that_lead_out_are_not_followed_whatever_the_patterns(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path / "in", FILES)
    write_corpus(tmp_path / "out", {"secret.txt": "The secret."})
    (folder / "away").symlink_to(tmp_path / "out")
    (folder / "secret.txt").symlink_to(tmp_path / "out" / "secret.txt")
    files, problems = find_files([folder], ["!secret.txt"])
    assert all("secret" not in file.name for file in files)
    assert [type(problem) for problem in problems] == [OutsideError, OutsideError]


def test_what_is_excluded_is_let_go_and_counted_apart(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", FILES | {"a.png": b"\x89PNG", "Makefile": "all:"})
    store = tmp_path / "store"
    assert run([corpus], store).added == 5
    done = run([corpus], store, exclude=["old/"])
    assert (done.removed, done.problems) == (3, [])
    kinds = [type(problem) for problem in done.left]
    assert [kinds.count(kind) for kind in (ExcludedError, UnsupportedFileError)] == [1, 2]
    with Store.open(store) as opened:
        assert [Path(file.path).name for file in opened.files()] == ["draft.txt", "keep.txt"]


def names(store: Path) -> list[str]:
    with Store.open(store) as opened:
        return [Path(file.path).name for file in opened.files()]


def test_a_later_run_leaves_out_what_an_earlier_one_was_told_to_until_it_is_forgotten(tmp_path: Path) -> None:
    corpus, store = write_corpus(tmp_path / "corpus", FILES), tmp_path / "store"
    run([corpus], store, exclude=["old/"])
    assert names(store) == ["draft.txt", "keep.txt"]
    write_corpus(
        corpus, {"old/later.txt": "A letter that came later, on the harbour.", "new.txt": "A new one."}
    )
    for paths in (None, [corpus]):
        assert run(paths, store).removed == 0
        assert names(store) == ["draft.txt", "keep.txt", "new.txt"]
    run(None, store, rebuild=True, exclude=["new.txt"])
    with Store.open(store) as opened:
        assert opened.manifest.excluded == ("old/", "new.txt")
    run(None, store, unexclude=["new.txt"])
    assert names(store) == ["draft.txt", "keep.txt", "new.txt"]
    run(None, store, unexclude=["old/"])
    assert "later.txt" in names(store)
    assert not run(None, store).committed


def test_a_pattern_that_is_not_remembered_cannot_be_forgotten(tmp_path: Path) -> None:
    corpus, store = write_corpus(tmp_path / "corpus", FILES), tmp_path / "store"
    with pytest.raises(UsageError, match=r"no pattern old/ is remembered"):
        run([corpus], store, unexclude=["old/"])
    assert not store.exists()
    run([corpus], store, exclude=["*.log", "old/"])
    with pytest.raises(UsageError) as caught:
        run(None, store, unexclude=["new/"])
    assert caught.value.hint == "there are: *.log, old/"


def test_the_doctor_does_not_take_what_is_left_out_for_new(tmp_path: Path) -> None:
    corpus, store = write_corpus(tmp_path / "corpus", FILES), tmp_path / "store"
    run([corpus], store, exclude=["old/"])
    with Store.open(store) as opened:
        assert [finding.good for finding in doctor._staleness(opened, settings(store))] == [True]
