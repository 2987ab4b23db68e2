"""One writer at a time, and generations held by whoever reads them."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from rag.errors import StoreLockedError
from rag.files import make_folder
from rag.store.layout import HOLDER, LOCK, MANIFEST, writing


@contextmanager
def write_lock(store: Path, *, wait_seconds: float = 0.0) -> Iterator[None]:
    """Be the store's one writer for the block.

    Raises StoreLockedError naming the holder, StoreError where nothing can be written. The lock goes when
    its process does, however that ends.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(store / LOCK, mode=0o600)
    with writing(store):
        if not store.is_dir():  # else a power cut could take the whole of a store just made
            make_folder(store, mode=0o700)
        try:
            lock.acquire(timeout=wait_seconds)
        except Timeout:
            raise StoreLockedError(
                f"the store at {store} is being written by {_holder(store)}",
                "wait until it has ended, then run the command again",
            ) from None
    try:
        with writing(store), open(store / HOLDER, "w", encoding="utf-8", opener=_private) as file:
            file.write(json.dumps(_self()) + "\n")
        yield
    finally:
        with suppress(OSError):
            (store / HOLDER).unlink()
        lock.release()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _self() -> dict[str, object]:
    started = datetime.now().astimezone().isoformat(timespec="seconds")
    return {"pid": os.getpid(), "host": socket.gethostname(), "started": started}


def _holder(store: Path) -> str:
    """Who holds the lock, in words; "another process" while it has not yet said."""
    try:
        said = json.loads((store / HOLDER).read_text("utf-8"))
        return f"process {said['pid']} on {said['host']}, which started at {said['started']}"
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return "another process"


def lease(folder: Path) -> int | None:
    """Hold a generation: while the returned descriptor is open, no writer deletes it. None: it is going.

    Where the file system knows no locks the generation is not held, and lives as long as the next one.
    """
    path = folder / MANIFEST
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError:
        pass
    try:
        moved = not os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        moved = True
    if moved:
        os.close(descriptor)
        return None
    return descriptor


@contextmanager
def unread(folder: Path) -> Iterator[bool]:
    """Whether nobody reads the generation; if so nobody begins to, for the block."""
    try:
        descriptor = os.open(folder / MANIFEST, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield True
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            free = True
        except BlockingIOError:
            free = False
        except OSError:
            free = True
        yield free
    finally:
        os.close(descriptor)
