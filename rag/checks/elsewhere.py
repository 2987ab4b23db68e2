"""A cited file in a copy of the documents: by the end of its path, else by its checksum."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path, PurePath

from rag.files import file_sha256
from rag.loaders import find_files, real_roots

_MOST_PARTS = 64  # of a path, from its end
_MOST_FILES = 20_000  # summed to find one by its content
_MOST_BYTES = 4_000_000_000  # of them together


class Elsewhere:
    """The files below some folders."""

    def __init__(self, folders: Sequence[str | Path]) -> None:
        self._folders = real_roots(folders)

    def find(self, path: str, sha256: str) -> str | None:
        """Where a file stands that somebody else calls ``path``; None where nowhere.

        The one whose path ends most alike, the same content or not: an edited file is to be found too.
        """
        parts = [part for part in PurePath(path).parts if part not in ("/", ".")]
        if ".." not in parts and "\0" not in path:
            for n in range(min(len(parts), _MOST_PARTS), 0, -1):
                for folder in self._folders:
                    here = str(Path(folder, *parts[-n:]))
                    if os.path.lexists(here):
                        return here
        return self._by_sha256.get(sha256)

    @cached_property
    def _by_sha256(self) -> dict[str, str]:
        files, _ = find_files([Path(folder) for folder in self._folders])
        found: dict[str, str] = {}
        left = _MOST_BYTES
        for path in files[:_MOST_FILES]:
            try:
                left -= path.stat().st_size
                if left < 0:
                    break
                found.setdefault(file_sha256(path, inside=self._folders), str(path))
            except OSError:
                continue
        return found
