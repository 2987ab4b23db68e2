"""``rag serve``: the assistant over HTTP, and a page to read in."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from rag.cli.options import AtOption, RayOption, StoreOption, resolve
from rag.errors import UsageError
from rag.output.streams import tell

EPILOG = "Example: rag serve --port 8080"
INSTALL = "pip install 'rag[serve]'"


def serve(
    store: StoreOption = None,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen at; any but this machine's own needs a token.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65_535, help="Port to listen at; 0 takes a free one.")
    ] = 8765,
    token: Annotated[
        str | None,
        typer.Option(
            "--token",
            envvar="RAG_SERVE_TOKEN",
            help="Ask for this bearer token; in the variable it is not seen in the list of processes.",
        ),
    ] = None,
    time_limit: Annotated[
        float, typer.Option("--time-limit", min=0.1, max=3600, help="Seconds a request may take.")
    ] = 30.0,
    n_waiting: Annotated[
        int, typer.Option("--queue", min=1, max=10_000, help="Requests that may wait; more are sent away.")
    ] = 16,
    at: AtOption = None,
    ray: RayOption = None,
) -> None:
    """Answer over HTTP, with a page to read in.

    Ctrl-C or SIGTERM ends it, after what is being answered.
    """
    settings = resolve(store, ray=ray).settings
    try:
        from rag.serving import http
    except ModuleNotFoundError as error:
        raise UsageError(f"rag serve needs {error.name}, which is not installed", INSTALL) from error

    with http.listen(host, port, token=token) as listening:
        server = http.Server(settings, http.Limits(time_limit, n_waiting), token=token, at=at)
        server.start()
        kept = f", as {at} keeps it," if at else ""
        tell(f"serving {settings.store}{kept} at {http.url_of(listening)} (Ctrl-C stops it)")
        with _signals_left():
            http.serve(server, listening)
    if not server.close():  # a request is still at work, and nobody waits for it
        sys.stdout.flush()
        os._exit(0)


@contextmanager
def _signals_left() -> Iterator[None]:
    """The block, with signals that end nothing by themselves: the server stops for one, then raises it."""
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
