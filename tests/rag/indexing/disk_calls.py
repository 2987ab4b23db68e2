"""The calls into C by which indexing changes a disk, counted as they are made."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

FOLDERS = {"fsync", "truncate", "rename", "replace", "remove", "unlink", "rmdir", "mkdir", "link", "pwrite"}
FILES = {"write", "tofile", "write_index", "execute", "executemany", "executescript", "flock"}


@contextmanager
def before_every_change(act: Callable[[str], None]) -> Iterator[None]:
    """Call ``act`` with the name of each such call before it is made; of a file's writes only the first.

    What ``act`` raises comes out of the call, which is then not made, and ends the watching.
    """
    last = ""

    def hook(frame: FrameType, event: str, called: object) -> None:
        nonlocal last
        name = getattr(called, "__name__", "") if event == "c_call" else ""
        of_os = getattr(called, "__module__", "") == "posix"
        changes = (name in FOLDERS and of_os) or (name in FILES and frame.f_code.co_name != "rows")
        again = name == last == "write"
        if changes or name == "open":
            last = name
        if changes and not again:
            act(name)

    before = sys.getprofile()
    sys.setprofile(hook)
    try:
        yield
    finally:
        sys.setprofile(before)
