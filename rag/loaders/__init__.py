"""Files into documents: one function a suffix, in one table."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rag.errors import LoadError
from rag.loaders.draft import Draft, UnreadableError
from rag.loaders.files import UnsupportedFileError, find, kind_of, why
from rag.loaders.markdown import load_markdown
from rag.loaders.pdf import load_pdf
from rag.loaders.plain import load_text
from rag.loaders.web import load_html
from rag.loaders.word import load_docx
from rag.records import Document, sha256_text

__all__ = ["LOADERS", "MAX_BYTES", "UnsupportedFileError", "find_files", "load"]

LOADERS: Mapping[str, Callable[[bytes], Draft]] = {
    ".txt": load_text,
    ".text": load_text,
    ".md": load_markdown,
    ".markdown": load_markdown,
    ".html": load_html,
    ".htm": load_html,
    ".xhtml": load_html,
    ".pdf": load_pdf,
    ".docx": load_docx,
}
MAX_BYTES = 200_000_000  # a text this long is a log or a dump, and one file would hold up all others


def load(path: Path, *, max_bytes: int = MAX_BYTES) -> Document:
    """The document a file holds. Raises LoadError, and nothing else, where it cannot be read."""
    absolute = Path(os.path.abspath(path))
    name = str(absolute)
    loader = LOADERS.get(absolute.suffix.lower())
    if loader is None:
        known = ", ".join(LOADERS)
        raise UnsupportedFileError(
            name, f"unsupported kind of file ({absolute.suffix or 'no suffix'})", f"one of {known}"
        )
    data = _bytes(name, max_bytes)
    try:
        draft = loader(data)
        if not draft.text.strip():
            raise UnreadableError("no text in it")
    except UnreadableError as error:
        raise LoadError(name, error.reason, error.hint) from error
    return Document(
        id=sha256_text(name)[:16],
        path=name,
        sha256=hashlib.sha256(data).hexdigest(),
        media_type=draft.media_type,
        text=draft.text,
        title=draft.title,
        date=draft.date,
        encoding=draft.encoding,
        places=draft.places,
        blocks=draft.blocks,
        notes=draft.notes,
    )


def find_files(paths: Sequence[Path]) -> tuple[list[Path], list[LoadError]]:
    """All files under the paths that a loader serves, absolute and sorted, and what stood in the way.

    Files of other kinds are among the problems as ``UnsupportedFileError``.
    """
    return find(paths, LOADERS)


def _bytes(name: str, max_bytes: int) -> bytes:
    try:
        # Without O_NONBLOCK, opening a named pipe would wait for somebody to write into it.
        handle = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except ValueError as error:
        raise LoadError(name.replace("\0", "\\0"), "no path can be called that") from error
    except OSError as error:
        raise LoadError(name, why(error)) from error
    try:
        status = os.fstat(handle)
        if (kind := kind_of(status.st_mode)) is not None:
            raise LoadError(name, kind)
        with os.fdopen(handle, "rb", closefd=False) as file:
            data = b"" if status.st_size > max_bytes else file.read(max_bytes + 1)
    except OSError as error:
        raise LoadError(name, why(error)) from error
    finally:
        os.close(handle)
    if status.st_size > max_bytes or len(data) > max_bytes:
        size = max(status.st_size, len(data)) / 1e6
        raise LoadError(
            name, f"too large: {size:.0f} MB, more than {max_bytes / 1e6:.0f}", "split it, or raise the limit"
        )
    if not data:
        raise LoadError(name, "empty")
    return data
