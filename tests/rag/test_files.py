"""Files: only regular ones are opened, inside the folders named, and a write is whole or not there."""

from __future__ import annotations

import errno
import hashlib
import os
import socket
import stat
from pathlib import Path

import pytest

from rag.citations import freshness
from rag.files import UnfitFileError, file_sha256, open_regular, read_regular, replace_file, why
from rag.records import Freshness


@pytest.fixture
def special(tmp_path: Path) -> dict[str, Path]:
    """One of each thing that is no regular file, by what it is called."""
    os.mkfifo(tmp_path / "pipe")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "socket"))
    listening.close()
    (tmp_path / "folder").mkdir()
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "terminal").symlink_to("/dev/tty")
    return {
        "a named pipe": tmp_path / "pipe",
        "a folder": tmp_path / "folder",
        "a device": tmp_path / "zero",
    }


def test_what_is_no_regular_file_is_named_and_never_waited_for(special: dict[str, Path]) -> None:
    for words, path in special.items():
        for use in (open_regular, file_sha256, lambda path: read_regular(path, 1000)):
            with pytest.raises(UnfitFileError, match=words):
                use(path)
    for name in ("socket", "terminal"):
        with pytest.raises(OSError, match="No such device"):
            open_regular(special["a folder"].parent / name)


def test_a_file_of_the_system_that_says_it_is_empty_reads_as_empty() -> None:
    assert read_regular("/proc/self/status", 1000) == b""
    assert file_sha256("/proc/self/mem") == hashlib.sha256(b"").hexdigest()
    if os.access("/proc/kmsg", os.R_OK):
        assert read_regular("/proc/kmsg", 1000) == b""


def test_a_path_that_no_file_can_have_is_unfit() -> None:
    for path in ("a\0b", "a\ud800b"):
        with pytest.raises(UnfitFileError, match="no path can be called that"):
            open_regular(path)


def test_no_more_is_read_than_allowed_nor_than_there_was(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 1001)
    with pytest.raises(UnfitFileError, match="too large"):
        read_regular(path, 1000)
    assert read_regular(path, 1001) == b"x" * 1001


def test_a_link_out_of_the_folders_named_is_not_opened(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "inside not"
    for folder in (inside, outside):
        folder.mkdir()
        (folder / "a.txt").write_text(folder.name)
    (inside / "out.txt").symlink_to(outside / "a.txt")
    (inside / "near.txt").symlink_to("a.txt")
    (inside / "folder").symlink_to(outside)
    allowed = [str(inside)]
    assert read_regular(inside / "near.txt", 100, inside=allowed) == b"in"
    for path in ("out.txt", "folder/a.txt", "../inside not/a.txt"):
        with pytest.raises(UnfitFileError, match="outside"):
            open_regular(inside / path, inside=allowed)


def test_a_link_put_in_place_after_it_was_looked_at_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    path = tmp_path / "in" / "a.txt"
    path.symlink_to(tmp_path / "secret.txt")
    real = os.path.realpath
    monkeypatch.setattr(os.path, "realpath", lambda p: str(p))  # as if it had still been a file
    with pytest.raises(UnfitFileError, match="outside"):
        open_regular(path, inside=[real(tmp_path / "in")])


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_without_read_permission_is_unreadable_not_missing(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x")
    path.chmod(0)
    assert freshness(str(path), "") is Freshness.UNREADABLE


def test_freshness_never_waits_for_what_stands_in_a_files_place(special: dict[str, Path]) -> None:
    for path in special.values():
        for size in (None, 17):
            assert freshness(str(path), "0" * 64, size) is Freshness.UNREADABLE
    assert freshness("a\0b", "0" * 64) is Freshness.UNREADABLE
    assert freshness("/no/such/file", "0" * 64) is Freshness.MISSING


def test_a_file_of_another_size_is_edited_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.truncate(2**42)  # 4 TB of nothing: reading it would take an hour
    assert freshness(str(path), "0" * 64, 5) is Freshness.EDITED


def test_a_write_that_fails_leaves_the_old_bytes_and_nothing_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / ("n" * 255)
    replace_file(path, b"old", mode=0o600)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for name in ("fsync", "replace"):
        with monkeypatch.context() as patch:

            def refuse(*_: object) -> None:
                raise OSError(errno.ENOSPC, "No space left on device")

            patch.setattr(os, name, refuse)
            with pytest.raises(OSError, match="No space"):
                replace_file(path, b"new")
        assert path.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [path]
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"


def test_every_refusal_has_words() -> None:
    for number in (errno.EACCES, errno.ENOENT, errno.EAGAIN, errno.EIO, errno.ESTALE):
        assert why(OSError(number, os.strerror(number)))
