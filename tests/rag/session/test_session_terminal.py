"""The session in a real terminal, which tmux provides: keys go in, the screen is read."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from driven import lines_wider_than

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_SECONDS = 60  # a busy machine loads models slowly

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


class Terminal:
    """One window of a tmux server of its own."""

    def __init__(self, name: str, home: Path) -> None:
        self._tmux = ["tmux", "-L", name, "-f", "/dev/null"]
        self._home = home

    def _run(self, *arguments: str) -> str:
        found = subprocess.run([*self._tmux, *arguments], capture_output=True, text=True, check=True)
        return found.stdout

    def start(self, command: list[str], cwd: Path, width: int = 80, height: int = 40, **more: str) -> None:
        """Run a command; when it has ended its status is on the screen."""
        environ = {
            "HOME": str(self._home),
            "XDG_STATE_HOME": str(self._home / "state"),
            "PYTHONPATH": str(ROOT),
            "RAG_READER_MODEL": "similarity",
            "LANG": "C.UTF-8",
            "PATH": os.environ["PATH"],
            **more,
        }
        words = ["env", "-i", *(f"{name}={value}" for name, value in environ.items())]
        line = f'{shlex.join(words)} TERM="$TERM" {shlex.join(command)}; echo "left with $?"; sleep 1000'
        self._run("new-session", "-d", "-x", str(width), "-y", str(height), "-c", str(cwd), line)

    def keys(self, *keys: str) -> None:
        self._run("send-keys", *keys)

    def type(self, text: str) -> None:
        self._run("send-keys", "-l", text)

    def resize(self, width: int, height: int = 40) -> None:
        self._run("resize-window", "-x", str(width), "-y", str(height))

    def screen(self) -> str:
        return self._run("capture-pane", "-p")

    def wait(self, shown: str | Callable[[str], bool]) -> str:
        """The screen once it shows something; the test fails with the screen if it never does."""
        until = time.monotonic() + PATIENCE_SECONDS
        seen = (lambda screen: shown in screen) if isinstance(shown, str) else shown
        while time.monotonic() < until:
            screen = self.screen()
            if seen(screen):
                return screen
            time.sleep(0.05)
        raise AssertionError(f"waited in vain for {shown!r}; the screen is\n{self.screen()}")

    def stop(self) -> None:
        subprocess.run([*self._tmux, "kill-server"], capture_output=True, check=False)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Callable[[], Terminal]]:
    opened: list[Terminal] = []

    def open_one() -> Terminal:
        opened.append(Terminal(f"rag-{os.getpid()}-{tmp_path.name[-12:]}-{len(opened)}", tmp_path))
        return opened[-1]

    yield open_one
    for one in opened:
        one.stop()


def chat(store: Path) -> list[str]:
    return [sys.executable, "-m", "rag", "chat", "--store", str(store)]


def at_prompt(screen: str) -> bool:
    """Whether the last line that holds anything is an empty prompt."""
    lines = [line for line in screen.splitlines() if line.strip()]
    return bool(lines) and lines[-1].strip() == "›"


def stopped_in_the_middle(terminal: Callable[[], Terminal], store: Path, letters: Path) -> Terminal:
    """A session whose first answer was stopped while its spinner turned; a quick machine gets three tries."""
    for _ in range(3):
        window = terminal()
        window.start(chat(store), letters)
        window.wait("›")
        window.type("why was the trust decommissioned?")
        window.keys("Enter")
        screen = window.wait(lambda screen: "confidence" in screen or spinning(screen))
        if spinning(screen):
            window.keys("C-c")
            screen = window.wait(lambda screen: "Stopped." in screen or "confidence" in screen)
            if "confidence" not in screen:
                return window
        window.stop()
    pytest.skip("every answer came before it could be stopped")


def spinning(screen: str) -> bool:
    """Whether a spinner is on the screen."""
    return any(line[:1] in "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏" for line in screen.splitlines() if line.strip())


def test_a_day_in_the_terminal(
    terminal: Callable[[], Terminal], model_store: Path, letters: Path, tmp_path: Path
) -> None:
    # ask, and think better of it while the models are still loading
    window = stopped_in_the_middle(terminal, model_store, letters)
    screen = window.wait("Stopped.")
    assert "confidence" not in screen
    assert "^C" not in screen

    # ask again, from the history
    window.keys("Up", "Enter")
    screen = window.wait("confidence")
    assert "timeline.md" in screen or "council-good-rating.html" in screen
    window.wait(at_prompt)

    # complete a command, then a name of the corpus
    window.type(":nex")
    window.keys("Tab")
    window.wait("› :next")
    window.keys("C-u")
    window.type("who is paul mof")
    window.keys("Tab")
    window.wait("› who is Paul Moffat")
    window.keys("Enter")
    window.wait(lambda screen: "Moffat" in screen and screen.count("confidence") == 2 and at_prompt(screen))

    # find the first question again, backwards
    window.keys("C-r")
    window.type("decomm")
    window.wait("decommissioned?")
    window.keys("C-g")
    window.keys("C-u")

    # on a narrow window
    window.keys("C-l")
    window.resize(40)
    window.type("who chaired the peer review panel")
    window.keys("Enter")
    screen = window.wait(
        lambda screen: "peer review panel" in screen and "confidence" in screen and at_prompt(screen)
    )
    assert lines_wider_than(40, screen.splitlines()) == []

    # leave, and come back to what was asked
    window.keys("C-d")
    window.wait("left with 0")
    window = terminal()
    window.start(chat(model_store), letters)
    window.wait("›")
    window.keys("C-r")
    window.type("chaired the peer")
    window.wait("who chaired the peer review panel")
    window.keys("Enter")
    window.keys("Enter")
    window.wait("confidence")
    window.wait(at_prompt)
    window.type(":quit")
    window.keys("Enter")
    window.wait("left with 0")
    history = tmp_path / "state" / "rag" / "history"
    assert history.stat().st_mode & 0o077 == 0


def test_leaving_at_once_leaves_at_once(
    terminal: Callable[[], Terminal], model_store: Path, letters: Path
) -> None:
    window = terminal()
    window.start(chat(model_store), letters)
    window.wait("›")
    window.keys("C-d")
    assert "Traceback" not in window.wait("left with 0")


def test_an_entry_may_have_several_lines(
    terminal: Callable[[], Terminal], model_store: Path, letters: Path
) -> None:
    window = terminal()
    window.start(chat(model_store), letters)
    window.wait("›")
    window.type("who chaired \\")
    window.keys("Enter")
    window.type("the peer review panel")
    window.keys("Enter")
    window.wait("confidence")


@pytest.mark.parametrize("width", [80, 40])
def test_a_search_of_the_history_outlives_a_resize_and_an_entry_of_several_lines(
    width: int, terminal: Callable[[], Terminal], model_store: Path, letters: Path
) -> None:
    window = terminal()
    window.start(chat(model_store), letters, width=width)
    window.wait("›")
    for line in ("who chaired \\", "the peer review panel"):
        window.type(line)
        window.keys("Enter")
    window.wait(lambda screen: "confidence" in screen and at_prompt(screen))
    window.keys("C-r")
    window.type("chaired")
    window.resize(120 - width)
    time.sleep(0.5)
    window.keys("C-g")
    window.keys("C-r")
    window.type("chaired")
    window.keys("Enter")
    window.keys("Enter")
    screen = window.wait(lambda screen: screen.count("confidence") == 2 and at_prompt(screen))
    assert "Exception" not in screen


def test_an_edited_question_starts_from_the_completed_one(
    terminal: Callable[[], Terminal], model_store: Path, letters: Path
) -> None:
    window = terminal()
    window.start(chat(model_store), letters)
    window.wait("›")
    window.type("when did the trust take over")
    window.keys("Enter")
    window.wait(lambda screen: "confidence" in screen and at_prompt(screen))
    window.type("who led it")
    window.keys("Enter")
    window.wait("→ who led the trust?")
    window.wait(at_prompt)
    window.type(":edit")
    window.keys("Enter")
    window.wait("› who led the trust?")


def test_rag_alone_opens_the_session(
    terminal: Callable[[], Terminal], model_store: Path, letters: Path
) -> None:
    window = terminal()
    window.start([sys.executable, "-m", "rag"], letters, RAG_STORE=str(model_store))
    window.wait("›")
    window.keys("C-d")
    window.wait("left with 0")


def test_without_colour_the_screen_has_none(
    terminal: Callable[[], Terminal], model_store: Path, letters: Path
) -> None:
    window = terminal()
    window.start(chat(model_store), letters, NO_COLOR="1")
    window.wait("›")
    window.type("who chaired the peer review panel")
    window.keys("Enter")
    window.wait("confidence")
    coloured = window._run("capture-pane", "-p", "-e")
    assert "»" in coloured
    assert not any(f"\x1b[{code}m" in coloured for code in range(30, 38))
