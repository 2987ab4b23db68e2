"""A child process that does work which may hang, crash or eat memory, under limits.

A file can be built so that whatever reads it never ends. The child is therefore given so many seconds, so
much memory and so much output; when it breaks a limit, or crashes, it is killed and the next request gets
another. What comes back is JSON and plain text, never pickle: a child taken over by a file has no way to make
its parent run anything.

A message is two lengths of eight bytes, then a JSON header, then a text in UTF-8 (half surrogates kept).
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import struct
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from rag.errors import RagError

if TYPE_CHECKING:
    from subprocess import Popen

Handle = Callable[[dict[str, Any]], tuple[dict[str, Any], str]]  # a request into a header and a text

_LENGTHS = struct.Struct("<QQ")
_MAX_HEADER = 256_000_000  # bytes: the places of a text of some millions of lines
_STARTS = 3  # times a child is started that a signal ends before it is ready
_START_SECONDS = 60.0  # on a machine that has much else to do
_MB = 1_000_000
_MEMORY_SHARE = 0.8  # of the limit: a child that crashes with more than that wanted more
# The path is given: the child then skips what the site module would do, and never looks into the folder that
# somebody happens to stand in, where a file called json.py may lie.
_BOOT = (
    "import json, sys; given = json.loads(sys.argv[1]); sys.path[:] = given['path']\n"
    "from rag.loaders.worker import serve; serve(given['handle'], given['memory_mb'], given['alarm'])"
)


class WorkerError(Exception):
    """A request that got no answer: ``reason`` in words that fit after a file's name."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may use for one request: ``memory_mb`` is above what it needs when idle."""

    seconds: float
    memory_mb: int
    text_mb: int


class _CrashingError(EOFError):
    """The child is about to die of a crash, and holds still so that it can be looked at."""


class Worker:
    """One child process, started when first needed and again after it died. One thread at a time asks it.

    ``handle`` names the function that answers: "module:function".
    """

    def __init__(self, handle: str) -> None:
        self._handle = handle
        self._process: Popen[bytes] | None = None
        self._memory_mb = 0
        self._alarm: int | None = None  # see _alarm_pipe
        self._idle_bytes = 0
        self._ready = False
        self._closed = False

    def start(self, memory_mb: int) -> None:
        """Let the child start; returns before it is ready."""
        if self._process is not None and self._memory_mb == memory_mb:
            return
        self.stop()
        import subprocess

        root = str(Path(__file__).parents[2])
        paths = [root, *(os.path.abspath(path) for path in sys.path if path)]
        self._memory_mb = memory_mb
        self._alarm, its_alarm = _alarm_pipe()
        given = {
            "path": list(dict.fromkeys(paths)),
            "handle": self._handle,
            "memory_mb": memory_mb,
            "alarm": its_alarm,
        }
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-S", "-P", "-W", "ignore", "-c", _BOOT, json.dumps(given)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # what libraries say of a hostile file is for nobody's terminal
                pass_fds=[] if its_alarm is None else [its_alarm],
                cwd="/",
                process_group=0,  # Ctrl-C is for the parent, who ends the child
            )
        finally:
            if its_alarm is not None:
                os.close(its_alarm)

    def stop(self) -> None:
        """Kill the child, if there is one, and let go of it."""
        if self._process is not None:
            self._end(self._process)

    def abort(self) -> None:
        """Kill the child and start no other; from another thread too, whose ``ask`` then fails."""
        self._closed = True
        process = self._process
        if process is not None:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)

    def ask(self, request: dict[str, Any], limits: Limits) -> tuple[dict[str, Any], str]:
        """The child's answer. Raises WorkerError where it broke a limit or crashed."""
        if self._closed:
            raise WorkerError("the run was ended")
        process = self._started(limits.memory_mb)
        assert process.stdin is not None
        try:
            line = json.dumps(request | {"seconds": limits.seconds, "text_mb": limits.text_mb})
            process.stdin.write(line.encode("ascii") + b"\n")
            process.stdin.flush()
            header, text = self._receive(process, limits.seconds, limits.text_mb * _MB)
        except (EOFError, OSError, ValueError) as error:
            crashing = isinstance(error, _CrashingError)
            raise WorkerError(self._how_it_ended(process, limits, crashing=crashing)) from error
        except WorkerError:
            self._end(process)
            raise
        except BaseException:  # Ctrl-C: the answer still to come would be taken for the next one's
            self._end(process)
            raise
        if header.get("worker_error"):
            self._end(process)
            raise WorkerError(str(header["worker_error"]))
        return header, text

    def _started(self, memory_mb: int) -> Popen[bytes]:
        """The child, ready to be asked; another where the first was killed while it started."""
        left = _STARTS
        while True:
            left -= 1
            self.start(memory_mb)
            process = self._process
            assert process is not None
            if self._ready:
                return process
            try:
                self._receive(process, _START_SECONDS, 0)
            except (WorkerError, EOFError, OSError) as error:
                status = self._end(process, patience_seconds=1)
                if self._closed:
                    raise WorkerError("the run was ended") from error
                if not left or status >= 0:
                    raise RagError(
                        f"the process that reads files does not start: {sys.executable}",
                        "rag doctor  # says more",
                    ) from error
            else:
                self._idle_bytes = _data_bytes(process.pid)
                self._ready = True

    def _receive(self, process: Popen[bytes], seconds: float, max_text: int) -> tuple[dict[str, Any], str]:
        assert process.stdout is not None
        deadline = time.monotonic() + seconds

        def read(n: int) -> bytearray:
            assert process.stdout is not None
            return _read(process.stdout, n, deadline, seconds, self._alarm)

        n_header, n_text = _LENGTHS.unpack(read(_LENGTHS.size))
        if n_header > _MAX_HEADER or n_text > max_text:
            raise WorkerError(_too_much_text(max_text))
        header = json.loads(read(n_header))
        text = str(read(n_text), "utf-8", "surrogatepass")
        if not isinstance(header, dict):
            raise ValueError("expected a JSON object")
        return header, text

    def _how_it_ended(self, process: Popen[bytes], limits: Limits, *, crashing: bool) -> str:
        taken = _data_bytes(process.pid) - self._idle_bytes if crashing else 0
        status = self._end(process, patience_seconds=0 if crashing else 1)
        if self._closed:
            return "the run was ended"
        if status == -signal.SIGXCPU:
            return _too_long(limits.seconds)
        if taken > _MEMORY_SHARE * limits.memory_mb * _MB:
            return _too_much_memory(limits.memory_mb)
        return "the reader of this format crashed"

    def _end(self, process: Popen[bytes], *, patience_seconds: float = 0) -> int:
        """The exit status of the child, which is killed if it does not end soon."""
        import subprocess

        self._process, self._ready = None, False
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        if self._alarm is not None:
            os.close(self._alarm)
            self._alarm = None
        try:
            return process.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


def _alarm_pipe() -> tuple[int | None, int | None]:
    """The ends of a pipe on which a child that crashes is stopped at its second word.

    How much memory a process held is not known once it is dead, and the system's own count of the most it
    ever held begins with its parent's. In its last moment the child says that it crashed, in several writes;
    each takes a whole place in this pipe, which has one. (None, None) where a system has no such pipes; there
    is no limit of memory either.
    """
    if sys.platform != "linux":
        return None, None
    import fcntl

    reading, writing = os.pipe2(os.O_DIRECT | os.O_CLOEXEC)
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, resource.getpagesize())
    return reading, writing


def _too_long(seconds: float) -> str:
    return f"took more than {seconds:.0f} s"


def _too_much_memory(memory_mb: int) -> str:
    return f"needed more than {memory_mb} MB of memory"


def _too_much_text(max_text: int) -> str:
    return f"holds more than {max_text / _MB:.0f} MB of text"


def _read(stream: IO[bytes], n: int, deadline: float, seconds: float, alarm: int | None) -> bytearray:
    """Exactly ``n`` bytes of a pipe.

    EOFError when it ends before, _CrashingError where ``alarm`` is given, WorkerError at the deadline.
    """
    descriptor = stream.fileno()
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    if alarm is not None:
        waiting.register(alarm, select.POLLIN)
    data = bytearray(n)
    view, at = memoryview(data), 0
    while at < n:
        left = deadline - time.monotonic()
        ready = dict(waiting.poll(left * 1000)) if left > 0 else {}
        if not ready:
            raise WorkerError(_too_long(seconds))
        if alarm is not None and ready.get(alarm, 0) & select.POLLIN:
            raise _CrashingError
        if descriptor not in ready:  # the alarm's other end is gone: so is the child
            raise EOFError
        got = os.readv(descriptor, [view[at : at + (1 << 20)]])
        if not got:
            raise EOFError
        at += got
    return data


# In the child


def serve(handle: str, memory_mb: int, alarm: int | None = None) -> None:
    """Answer requests from stdin until it ends. Only for a process of its own: it limits that process."""
    import faulthandler
    import importlib

    if alarm is not None:
        faulthandler.enable(alarm)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    out = os.fdopen(os.dup(1), "wb")
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)  # a library that prints would be taken for an answer
    module, _, name = handle.partition(":")
    answer: Handle = getattr(importlib.import_module(module), name)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _limit(resource.RLIMIT_DATA, _data_bytes(os.getpid()) + memory_mb * _MB)
    _send(out, {}, "")
    for line in sys.stdin.buffer:
        request = json.loads(line)
        # A second guard, for a child whose parent was killed: processor seconds.
        _limit(resource.RLIMIT_CPU, int(time.process_time() + 2 * request["seconds"] + 2))
        try:
            header, text = answer(request)
        except MemoryError:
            _send(out, {"worker_error": _too_much_memory(memory_mb)}, "")
            continue
        except RecursionError:
            _send(out, {"worker_error": "nested too deeply"}, "")
            continue
        try:
            _send(out, header, text, request["text_mb"] * _MB)
        except MemoryError:
            _send(out, {"worker_error": _too_much_memory(memory_mb)}, "")


def _limit(what: int, value: int) -> None:
    _, most = resource.getrlimit(what)
    with suppress(OSError, ValueError):
        resource.setrlimit(what, (value if most == resource.RLIM_INFINITY else min(value, most), most))


def _data_bytes(pid: int) -> int:
    """What a process holds now of the memory that RLIMIT_DATA counts; 0 where nobody says."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:")), 0)


def _send(out: IO[bytes], header: dict[str, Any], text: str, max_text: int = 0) -> None:
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > max_text:
        header, data = {"worker_error": _too_much_text(max_text)}, b""
    head = json.dumps(header).encode("ascii")
    for part in (_LENGTHS.pack(len(head), len(data)), head, data):
        out.write(part)
    out.flush()
