"""The tools over the Model Context Protocol: one client, on stdin and stdout, until it closes them.

Stdout carries the protocol alone; the SDK leads everything else that is written there to stderr. What goes
wrong in a tool is that tool's error, in words, and the server goes on.
"""

from __future__ import annotations

import traceback
from typing import Any

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

from rag import __version__
from rag.assistant import Assistant
from rag.errors import RagError
from rag.serving.lane import Lane, LaneFullError
from rag.serving.shelf import Shelf
from rag.serving.tools import Tool, tools
from rag.settings import Settings
from rag.text.sinks import clean, json_line

N_WAITING = 64  # calls in line or at work; a client that sends more at once is told to wait
CLOSE_SECONDS = 5

INSTRUCTIONS = (
    "Answers come from the user's own documents, in the documents' own words. Ask with `ask`; quote "
    "what it quotes, with document and line. When it says `weak` or `abstained`, say so: the "
    "documents may not, or do not, answer. Check a text you wrote with `check` before you give it "
    "out. Nothing is written, and nothing is read but the store and the files it cites."
)


class Opened:
    """What a lane holds open: the assistant, and the documents of the same generation."""

    def __init__(self, settings: Settings, at: str | None = None) -> None:
        self.assistant = Assistant.open(settings=settings, at=at)
        self.shelf = Shelf(self.assistant.store)

    def close(self) -> None:
        """Let go of the store's files."""
        self.assistant.close()


def serve(settings: Settings, at: str | None = None) -> None:
    """Serve until stdin is closed; the store is opened at the first call, and again once it was indexed.

    ``at`` names the tag whose generation answers, instead of the newest.
    """
    anyio.run(_serve, settings, at)


async def _serve(settings: Settings, at: str | None) -> None:
    known = {tool.name: tool for tool in tools(settings)}
    lane = Lane(settings.store, lambda: Opened(settings, at), n_places=N_WAITING, at=at)

    async def list_tools(
        _: ServerRequestContext[Any, Any], __: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[_described(tool) for tool in known.values()])

    async def call_tool(
        _: ServerRequestContext[Any, Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        return await _called(known, lane, params.name, params.arguments or {})

    server: Server[Any] = Server(
        "rag",
        version=__version__,
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )
    try:
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())
    finally:
        lane.close(CLOSE_SECONDS)


def _described(tool: Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.promise,
        input_schema=tool.input_schema(),
        output_schema=tool.output,
        annotations=types.ToolAnnotations(
            read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
        ),
    )


async def _called(
    known: dict[str, Tool], lane: Lane[Opened], name: str, arguments: dict[str, Any]
) -> types.CallToolResult:
    """The result of a call; whatever goes wrong is told as the tool's error."""
    tool = known.get(name)
    if tool is None:
        return _error(f"there is no tool {name[:100]!r}", f"the tools are {', '.join(known)}")
    try:
        value = await lane.run(lambda opened: tool.run(opened.assistant, opened.shelf, arguments))
    except RagError as error:
        return _error(error.message, error.hint)
    except LaneFullError:
        return _error("too many calls wait", "call again in a moment")
    except Exception as error:  # a defect of ours: its traceback for us, its kind for the caller
        traceback.print_exc()
        return _error(f"{tool.name} failed with {type(error).__name__}, a defect of rag", "see its stderr")
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=json_line(value))],
        structured_content=_writable(value),
    )


def _error(message: str, hint: str = "") -> types.CallToolResult:
    told = f"error: {clean(message)}" + (f"\nhint: {clean(hint)}" if hint else "")
    return types.CallToolResult(content=[types.TextContent(type="text", text=told)], is_error=True)


def _writable(value: Any) -> Any:
    r"""The value with what UTF-8 cannot write replaced, since the protocol is UTF-8.

    >>> _writable({"quote": ["half \ud800"]}) == {"quote": ["half \ufffd"]}
    True
    """
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {key: _writable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_writable(inner) for inner in value]
    return value
