"""Files into documents: one function a suffix, in one table."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from rag.errors import LoadError
from rag.files import read_regular, why
from rag.loaders.asciidoc import load_adoc
from rag.loaders.book import load_epub
from rag.loaders.delimited import load_csv
from rag.loaders.draft import Draft, UnreadableError
from rag.loaders.files import OutsideError, UnsupportedFileError, find, real_roots
from rag.loaders.ignore import ExcludedError
from rag.loaders.mail import load_eml, load_mbox
from rag.loaders.markdown import load_markdown
from rag.loaders.opendocument import load_odt
from rag.loaders.pdf import load_pdf
from rag.loaders.plain import load_text
from rag.loaders.restructured import load_rst
from rag.loaders.rich import load_rtf
from rag.loaders.sheets import load_xlsx
from rag.loaders.slides import load_pptx
from rag.loaders.tex import load_tex
from rag.loaders.web import load_html
from rag.loaders.word import load_docx
from rag.records import Document, sha256_text

__all__ = [
    "LOADERS",
    "MAX_BYTES",
    "ExcludedError",
    "OutsideError",
    "UnsupportedFileError",
    "find_files",
    "load",
    "real_roots",
]

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
    ".eml": load_eml,
    ".mbox": load_mbox,
    ".csv": load_csv,
    ".tsv": load_csv,
    ".xlsx": load_xlsx,
    ".pptx": load_pptx,
    ".odt": load_odt,
    ".epub": load_epub,
    ".rtf": load_rtf,
    ".rst": load_rst,
    ".adoc": load_adoc,
    ".asciidoc": load_adoc,
    ".tex": load_tex,
}
MAX_BYTES = 200_000_000  # a text this long is a log or a dump, and one file would hold up all others


def load(path: Path, *, max_bytes: int = MAX_BYTES, inside: Collection[str] | None = None) -> Document:
    """The document a file holds.

    ``inside``: the real paths it must stand under; None allows every place. Raises LoadError where it cannot
    be read, whatever its loader stumbles over, and else only MemoryError.
    """
    absolute = Path(os.path.abspath(path))
    name = str(absolute)
    loader = LOADERS.get(absolute.suffix.lower())
    if loader is None:
        known = ", ".join(LOADERS)
        raise UnsupportedFileError(
            name, f"unsupported kind of file ({absolute.suffix or 'no suffix'})", f"one of {known}"
        )
    data = _bytes(name, max_bytes, inside)
    try:
        draft = loader(data)
        if not draft.text.strip():
            raise UnreadableError("no text in it")
    except UnreadableError as error:
        raise LoadError(name, error.reason, error.hint) from error
    except (MemoryError, LoadError):
        raise
    except Exception as error:  # a library's own: what one file does to it stops no other file
        raise LoadError(name, f"its reader failed ({type(error).__name__})") from error
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


def find_files(paths: Sequence[Path], exclude: Sequence[str] = ()) -> tuple[list[Path], list[LoadError]]:
    """All files under the paths that a loader serves, absolute and sorted, and what stood in the way.

    Files of other kinds are among the problems as ``UnsupportedFileError``, what patterns leave out (those
    given, and a folder's ``.ragignore``) as ``ExcludedError``.
    """
    return find(paths, LOADERS, exclude)


def _bytes(name: str, max_bytes: int, inside: Collection[str] | None) -> bytes:
    try:
        data = read_regular(name, max_bytes, inside=inside)
    except OSError as error:
        reason = why(error)
        hint = "split it, or raise the limit" if reason.startswith("too large") else ""
        raise LoadError(name.replace("\0", "\\0"), reason, hint) from error
    if not data:
        raise LoadError(name, "empty")
    return data
