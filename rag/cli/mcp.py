"""``rag mcp``: the store as tools for a program that speaks the Model Context Protocol."""

from __future__ import annotations

import sys

from rag.cli.options import AtOption, RayOption, StoreOption, resolve
from rag.errors import UsageError
from rag.output.streams import tell

EPILOG = "Example: rag mcp --store papers/store"
INSTALL = "pip install 'rag[mcp]'"


def mcp(store: StoreOption = None, at: AtOption = None, ray: RayOption = None) -> None:
    """Serve tools over the Model Context Protocol, on stdin and stdout.

    The client starts this command and ends it: docs/mcp.md says how it is told to. The tools are ask,
    search, show, verify, sources and check; they write nothing.
    """
    settings = resolve(store, ray=ray).settings
    try:
        from rag.serving import mcp_server
    except ModuleNotFoundError as error:
        raise UsageError(f"rag mcp needs {error.name}, which is not installed", INSTALL) from error

    if sys.stdin.isatty():
        tell("note: rag mcp waits for a client on stdin; Ctrl-C ends it")
    mcp_server.serve(settings, at)
