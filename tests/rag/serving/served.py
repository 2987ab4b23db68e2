"""A server as a user starts one, in a process of its own, and requests with every header ours to choose."""

from __future__ import annotations

import http.client
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[3]
STARTING_SECONDS = 90
_URL = re.compile(r"http://\S+/")


@dataclass(frozen=True)
class Said:
    """One response."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Served:
    """A running server."""

    process: subprocess.Popen[str]
    url: str

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        assert parts.port is not None
        return parts.hostname, parts.port

    def send(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Said:
        """One request; a body that is no bytes is sent as JSON."""
        connection = http.client.HTTPConnection(*self.address, timeout=60)
        sent = dict(headers or {})
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, path, body=data, headers=sent)
            response = connection.getresponse()
            lowered = {name.lower(): value for name, value in response.getheaders()}
            return Said(response.status, lowered, response.read())
        finally:
            connection.close()

    def ask(self, question: str, **more: object) -> Said:
        return self.send("POST", "/ask", {"question": question, **more})

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAG_")}
    return kept | {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "RAG_ENCODER_RUNTIME": "openvino",
        "PYTHONPATH": str(ROOT),
    }


@contextmanager
def serving(store: Path, *options: str, home: Path, **changes: str) -> Iterator[Served]:
    """A server over a store, once it says where it is; ended whatever happens."""
    process = subprocess.Popen(
        [sys.executable, "-m", "rag", "serve", "--store", str(store), "--port", "0", *options],
        env=environment(home) | changes,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield Served(process, _url_said(process))
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(30)
        if process.stderr is not None:
            process.stderr.close()


def _url_said(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    end = time.monotonic() + STARTING_SECONDS
    while time.monotonic() < end:
        ready, _, _ = select.select([process.stderr], [], [], 1.0)
        line = process.stderr.readline() if ready else ""
        if match := _URL.search(line):
            return match.group()
        assert process.poll() is None, f"it ended: {line}{process.stderr.read()}"
    raise AssertionError("it never said where it is")
