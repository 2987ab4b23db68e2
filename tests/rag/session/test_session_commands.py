"""What commands do beyond the screen: programs they start, stores they change, answers they stop."""

from __future__ import annotations

import os
import signal
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from driven import Driven, assistant_over, open_driven

from rag.assistant import Assistant
from rag.errors import StoreMissingError
from rag.output import references
from rag.records import Citation, Freshness
from rag.session import repl
from rag.session.commands import editor
from rag.session.lines import PipedLines
from rag.session.screen import Spinner

CHIEF = "who is the chief executive of the trust?"


def program(folder: Path, name: str) -> Path:
    """A program that notes its arguments and what it is piped, in files beside it."""
    path = folder / name
    path.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" > {folder}/{name}.arguments\n'
        f"[ -t 0 ] || cat > {folder}/{name}.input\n"
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def environ(folder: Path, **more: str) -> dict[str, str]:
    return {"PATH": f"{folder}:{os.environ['PATH']}", **more}


def cited(document: str, *, line: int | None = None, page: int | None = None) -> Citation:
    return Citation(
        document, "", 0, 9, "the words", "", line, page, None, None, None, Freshness.UNCHANGED, 0.0
    )


def test_open_starts_the_editor_at_the_line(fresh: Callable[..., Driven], tmp_path: Path) -> None:
    program(tmp_path, "vim")
    driven = fresh(terminal=True, environ=environ(tmp_path, VISUAL="vim -R", EDITOR="nano"))
    driven.type(CHIEF, ":open")
    arguments = (tmp_path / "vim.arguments").read_text().splitlines()
    assert arguments == ["-R", "+15", str(driven.folder / "2014-10-03-trust-takes-over.txt")]


def test_an_editor_that_is_not_there_is_an_error_with_a_hint(fresh: Callable[..., Driven]) -> None:
    shown = fresh(terminal=True, environ={"EDITOR": "/nowhere/edit"}).type(CHIEF, ":open")
    assert "error: /nowhere/edit cannot be started" in shown


def test_without_a_terminal_nothing_is_started(fresh: Callable[..., Driven], tmp_path: Path) -> None:
    program(tmp_path, "vim")
    shown = fresh(environ=environ(tmp_path, EDITOR="vim")).type(CHIEF, ":open")
    assert "2014-10-03-trust-takes-over.txt:15" in shown
    assert not (tmp_path / "vim.arguments").exists()


def test_a_pdf_opens_in_a_viewer_at_the_page(tmp_path: Path) -> None:
    program(tmp_path, "evince")
    found = editor.command(cited("/d/a.pdf", page=3), environ(tmp_path, EDITOR="vim", DISPLAY=":0"))
    assert found == [str(tmp_path / "evince"), "--page-index=3", "/d/a.pdf"]


@pytest.mark.parametrize(
    ("document", "page", "address"),
    [
        ("/d/a b.pdf", 3, "file:///d/a%20b.pdf#page=3"),
        ("/d/a.html", None, "file:///d/a.html#:~:text=the"),
        ("/d/a.docx", None, "file:///d/a.docx"),
    ],
)
def test_a_browser_is_sent_to_the_place(document: str, page: int | None, address: str) -> None:
    found = editor.command(cited(document, page=page), {"DISPLAY": ":0", "BROWSER": "firefox", "PATH": ""})
    assert found == ["firefox", address]


def test_where_nothing_can_open_a_file_nothing_is_started() -> None:
    assert editor.command(cited("/d/a.pdf", page=1), {"PATH": "", "EDITOR": "vim"}) is None


def test_page_shows_the_whole_document_in_the_pager(fresh: Callable[..., Driven], tmp_path: Path) -> None:
    program(tmp_path, "less")
    driven = fresh(terminal=True, environ=environ(tmp_path))
    driven.type(CHIEF, ":page")
    arguments = (tmp_path / "less.arguments").read_text().splitlines()
    shown = (tmp_path / "less.input").read_text().splitlines()
    row = next(number for number, line in enumerate(shown, start=1) if line.startswith("> 15"))
    assert arguments == ["-R", f"+{row - 5}g"]
    assert "Share this article" in "\n".join(shown)


def test_a_pipe_gets_the_whole_document(fresh: Callable[..., Driven]) -> None:
    shown = fresh().type(CHIEF, ":page")
    assert "> 15  The trust is led by its chief executive" in shown
    assert "Share this article" in shown


def interrupt_soon(seconds: float) -> None:
    threading.Timer(seconds, lambda: os.kill(os.getpid(), signal.SIGINT)).start()


def test_an_interrupt_stops_the_answer_and_not_the_session(word_store: Path, letters: Path) -> None:
    gate = threading.Event()

    def slowly() -> Assistant:
        gate.wait(10)
        return assistant_over(word_store)

    driven = open_driven(word_store, letters, terminal=True)
    driven.session.background._open = slowly
    interrupt_soon(0.6)
    shown = driven.type(CHIEF)
    assert "loading the models" in shown
    assert "Stopped." in shown
    assert "answered" not in shown
    gate.set()
    assert "answered" in driven.type(CHIEF)
    assert driven.session.close()


def test_an_interrupt_at_the_prompt_tells_how_to_leave(fresh: Callable[..., Driven]) -> None:
    class Interrupted:
        echoes = True

        def __init__(self) -> None:
            self.given = iter([KeyboardInterrupt, EOFError])

        def read(self, prompt: str, prefill: str = "") -> str:
            raise next(self.given)

    driven = fresh()
    repl.run(driven.session, Interrupted())
    assert driven.out.getvalue().splitlines()[0] == "Ctrl-D leaves."


def test_a_store_that_cannot_be_opened_is_tried_again(word_store: Path, letters: Path) -> None:
    tries: list[int] = []

    def second_time() -> Assistant:
        tries.append(1)
        if len(tries) == 1:
            raise StoreMissingError("there is no store", "rag index PATH")
        return assistant_over(word_store)

    driven = open_driven(word_store, letters)
    driven.session.background._open = second_time
    shown = driven.type(CHIEF)
    driven.session.close()
    assert "answered" in shown or "error: there is no store" in shown
    assert len(tries) == 2


def test_a_spinner_says_nothing_of_a_short_wait(fresh: Callable[..., Driven]) -> None:
    driven = fresh(terminal=True)
    spinner = driven.session.screen.spinner()
    assert isinstance(spinner, Spinner)
    spinner.turn("reading")
    spinner.clear()
    assert driven.out.getvalue() == ""


def test_an_edited_question_is_asked_as_it_stands(fresh: Callable[..., Driven]) -> None:
    class Edited:
        echoes = True
        prefills: list[str]

        def __init__(self) -> None:
            self.prefills = []
            self.given = iter(
                ["when did the trust take over after:2010", "who led it?", ":edit", "and in 2017?"]
            )

        def read(self, prompt: str, prefill: str = "") -> str:
            self.prefills.append(prefill)
            return next(self.given, "") or ":quit"

    driven = fresh(terminal=True)
    lines = Edited()
    repl.run(driven.session, lines)
    assert lines.prefills[3] == "who led the trust?"
    assert driven.session.last().question == "and in 2017?"


def test_reindexing_reads_what_changed_and_again_says_what_is_different(tmp_path: Path) -> None:
    from rag.indexing import index
    from rag.settings import Settings

    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "mill.txt").write_text(
        "The old mill\n\nThe mill at Ardley was closed in May 1903 by its owner, Ann Lee.\n"
    )
    (folder / "inn.txt").write_text(
        "The inn\n\nThe inn beside the bridge has been kept by the Marsh family.\n"
    )
    store = tmp_path / "store"
    index([folder], store, Settings(store=store))
    driven = open_driven(store, folder, real=True)
    driven.type("when was the mill closed?")
    assert "Nothing changed." in driven.type(":reindex")
    assert "Nothing changed." in driven.type(":again")
    (folder / "mill.txt").write_text(
        "The old mill\n\nThe mill at Ardley was closed in June 1904 by its owner, Ann Lee.\n"
    )
    assert "mill.txt (edited)" in driven.type(":report")
    shown = driven.type(":reindex")
    assert "1 changed, 1 unchanged" in shown
    shown = driven.type(":again")
    assert "New: “The mill at Ardley was closed in June 1904" in shown
    assert "Gone: “The mill at Ardley was closed in May 1903" in shown
    assert driven.session.close()


def test_piped_lines_end_in_an_end_of_file() -> None:
    lines = PipedLines(["one \\\n"])
    assert lines.read("> ") == "one "
    with pytest.raises(EOFError):
        lines.read("> ")


@pytest.mark.parametrize("form", references.FORMATS)
def test_a_name_with_a_line_break_stays_one_name_in_every_form_of_reference(form: str) -> None:
    text = references.written(cited("/d/minutes\nrm -rf ~\x1b[2J\n.md", line=3), form)
    assert not any(line.lstrip().startswith("rm") for line in text.split("\n"))
    assert "\x1b" not in text
