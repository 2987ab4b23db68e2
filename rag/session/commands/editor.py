"""Programs that show a file at a place: the editor, a viewer, the browser, a pager."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from rag.errors import UsageError
from rag.records import Citation

_PLUS = ("vi", "vim", "nvim", "nano", "emacs", "emacsclient", "kak", "micro", "joe", "ne", "ed", "mg", "gvim")
_COLON = ("hx", "helix", "subl", "zed", "atom")
_GOTO = ("code", "codium", "code-insiders", "cursor", "windsurf")
_VIEWED = (
    ".pdf",
    ".docx",
    ".xlsx",
    ".pptx",
    ".odt",
    ".epub",
    ".rtf",
)  # bytes that a text editor shows nothing of
_PDF_VIEWERS = (
    ("evince", "--page-index={page}"),
    ("okular", "--page={page}"),
    ("zathura", "--page={page}"),
    ("xreader", "--page-index={page}"),
    ("atril", "--page-index={page}"),
)
_FRAGMENT_CHARS = 120  # of the quotation in a link that makes the browser mark it


def command(citation: Citation, environ: Mapping[str, str]) -> list[str] | None:
    """The program and arguments that open the cited file at its place; None when nothing here can.

    Text goes to $VISUAL or $EDITOR at the line; a PDF to a viewer or browser at the page; a web page to the
    browser with the quotation marked, unless an editor is set.
    """
    path = Path(citation.document)
    suffix = path.suffix.lower()
    chosen = environ.get("VISUAL") or environ.get("EDITOR")
    if chosen and suffix not in _VIEWED:
        return editing(shlex.split(chosen), citation.document, citation.line)
    if suffix == ".pdf":
        for name, option in _PDF_VIEWERS:
            program = shutil.which(name, path=environ.get("PATH"))
            if program and _has_display(environ):
                return [program, option.format(page=citation.page or 1), str(path)]
    return _desktop(citation, environ)


def editing(program: Sequence[str], path: str, line: int | None) -> list[str]:
    """An editor's command line for a file at a line, in the way that editor wants it.

    >>> editing(["vim"], "/d/a.txt", 12), editing(["code", "-w"], "/d/a.txt", 12)
    (['vim', '+12', '/d/a.txt'], ['code', '-w', '--goto', '/d/a.txt:12'])
    >>> editing(["hx"], "/d/a.txt", 12), editing(["ed2"], "/d/a.txt", None)
    (['hx', '/d/a.txt:12'], ['ed2', '/d/a.txt'])
    """
    name = Path(program[0]).name if program else ""
    if line is None or not program:
        return [*program, path]
    if name in _PLUS:
        return [*program, f"+{line}", path]
    if name in _GOTO:
        return [*program, "--goto", f"{path}:{line}"]
    if name in _COLON:
        return [*program, f"{path}:{line}"]
    return [*program, path]


def _has_display(environ: Mapping[str, str]) -> bool:
    return sys.platform == "darwin" or bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))


def address(citation: Citation) -> str:
    """The file's address for a browser: at the page, or with the quotation marked."""
    uri = Path(citation.document).as_uri()
    if citation.page is not None:
        return f"{uri}#page={citation.page}"
    if citation.document.lower().endswith((".html", ".htm", ".xhtml")):
        words = " ".join(citation.quote.split())[:_FRAGMENT_CHARS].rsplit(" ", 1)[0]
        return f"{uri}#:~:text={quote(words, safe='')}"
    return uri


def _desktop(citation: Citation, environ: Mapping[str, str]) -> list[str] | None:
    if not _has_display(environ):
        return None
    browser = environ.get("BROWSER")
    if browser and ":" not in browser and "%" not in browser:
        return [*shlex.split(browser), address(citation)]
    opener = shutil.which("open" if sys.platform == "darwin" else "xdg-open", path=environ.get("PATH"))
    return [opener, address(citation)] if opener else None


@contextmanager
def _terminal_lent() -> Iterator[None]:
    """Ctrl-C belongs to the program that has the terminal."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def run(command: Sequence[str], environ: Mapping[str, str]) -> None:
    """Run a program with the terminal as its own; UsageError when it cannot be started."""
    try:
        with _terminal_lent():
            subprocess.run(
                list(command), check=False, env=dict(os.environ) | dict(environ), preexec_fn=_listen
            )
    except OSError as error:
        raise UsageError(
            f"{command[0]} cannot be started: {error.strerror}", "set VISUAL or EDITOR to your editor"
        ) from error


def _listen() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def pager(text: str, line: int, environ: Mapping[str, str]) -> bool:
    """Show text through $PAGER (less where none is set) from a line on; False where there is none."""
    program = shlex.split(environ.get("PAGER") or "less")
    if not program or shutil.which(program[0], path=environ.get("PATH")) is None:
        return False
    name = Path(program[0]).name
    if name == "cat":
        return False
    if name == "less":
        program += ["-R", f"+{max(1, line - 5)}g"]
    try:
        with _terminal_lent():
            process = subprocess.Popen(
                program, stdin=subprocess.PIPE, env=dict(os.environ) | dict(environ), preexec_fn=_listen
            )
            process.communicate(text.encode("utf-8", "replace"))
    except OSError:
        return False
    return True
