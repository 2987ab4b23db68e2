"""``rag mcp`` as its clients meet it: a real process, the SDK's own client, kind and hostile arguments."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import anyio
import jsonschema
import pytest
from mcp import ClientSession, StdioServerParameters, stdio_client

from rag.output.json_lines import schema

ROOT = Path(__file__).parents[3]
LETTER = (
    "14 July 2017\n\nPeer review\n\nThe panel was chaired by Alan Crossfield, an officer of the council. "
    "It read forty plans in two days.\n\nThe bridge on Canal Street was closed \x1b[2J for repairs.\n"
)
Talk = Callable[[ClientSession], Coroutine[Any, Any, Any]]


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    home = tmp_path_factory.mktemp("home")
    (home / "docs").mkdir()
    (home / "docs" / "letter.txt").write_text(LETTER)
    (home / "secret.txt").write_text("The secret word is xyzzy.\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAG_")}
    chosen = kept | {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "RAG_STORE": str(home / "store"),
        "RAG_READER_MODEL": "similarity",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "rag", "index", str(home / "docs")]
    subprocess.run(command, env=chosen, check=True, capture_output=True)
    return chosen


def talk(env: dict[str, str], conversation: Talk, *arguments: str) -> Any:
    """What a conversation with a new server gives."""

    async def run() -> Any:
        server = StdioServerParameters(
            command=sys.executable, args=["-m", "rag", "mcp", *arguments], env=env, cwd=env["HOME"]
        )
        with Path(os.devnull).open("w") as quiet:
            async with stdio_client(server, errlog=quiet) as streams, ClientSession(*streams) as session:
                with anyio.fail_after(120):
                    await session.initialize()
                    return await conversation(session)

    return anyio.run(run)


def calls(env: dict[str, str], *wanted: tuple[str, dict[str, Any]]) -> list[Any]:
    """The results of tools called one after another."""

    async def conversation(session: ClientSession) -> list[Any]:
        await session.list_tools()
        return [await session.call_tool(name, arguments) for name, arguments in wanted]

    results: list[Any] = talk(env, conversation)
    return results


def test_the_tools_say_what_they_promise_and_that_they_only_read(env: dict[str, str]) -> None:
    listed = talk(env, lambda session: session.list_tools()).tools
    assert [tool.name for tool in listed] == ["ask", "search", "show", "verify", "sources", "check"]
    for tool in listed:
        jsonschema.Draft202012Validator.check_schema(tool.input_schema)
        jsonschema.Draft202012Validator.check_schema(tool.output_schema)
        assert tool.annotations.read_only_hint
        assert not tool.annotations.open_world_hint
    ask = listed[0].description
    assert all(words in ask for words in ("word for word", "`weak`", "`abstained`", "quote_sha256"))


def test_every_tool_gives_what_its_schema_describes(env: dict[str, str]) -> None:
    document = str(Path(env["HOME"], "docs", "letter.txt"))
    asked, found, shown, listed, checked = calls(
        env,
        ("ask", {"question": "who chaired the panel?", "k": 2, "after": None}),
        ("search", {"query": "bridge", "inside": "*.txt"}),
        ("show", {"document": "letter", "line": 5, "context": 1}),
        ("sources", {}),
        ("check", {"text": "It said “chaired by Alan Crossfield” and “chaired by nobody at all”."}),
    )
    for result, name in ((asked, "answer"), (found, "search"), (shown, "show"), (listed, "sources")):
        jsonschema.validate(result.structured_content, schema(name))
        assert json.loads(result.content[0].text) == result.structured_content
        assert not result.is_error
    (citation, *_) = asked.structured_content["citations"]
    assert LETTER[citation["start"] : citation["end"]] == citation["quote"]
    assert [line["text"] for line in shown.structured_content["lines"] if line["wanted"]] == [
        LETTER.split("\n")[4]
    ]
    assert [one["document"] for one in listed.structured_content["documents"]] == [document]
    assert [one["verdict"] for one in checked.structured_content["checks"]] == ["verbatim", "nowhere"]
    (verified,) = calls(env, ("verify", {"answers": [asked.structured_content]}))
    assert {one["verdict"] for one in verified.structured_content["checks"]} == {"same"}


SECRET = {
    "document": "SECRET",
    "sha256": "0" * 64,
    "start": 0,
    "end": 25,
    "quote": "The secret word is xyzzy.",
    "quote_sha256": "a3",
}
HOSTILE: list[tuple[str, dict[str, Any]]] = [
    ("ask", {}),
    ("ask", {"question": 7}),
    ("ask", {"question": ""}),
    ("ask", {"question": " \n"}),
    ("ask", {"question": "why? " * 200_000}),
    ("ask", {"question": "who?", "k": -1}),
    ("ask", {"question": "who?", "k": 10**30}),
    ("ask", {"question": "who?", "k": True}),
    ("ask", {"question": "who?", "k": "2"}),
    ("ask", {"question": "who?", "after": "2017-02-30"}),
    ("ask", {"question": "who?", "after": "2017\n"}),
    ("ask", {"question": "who?", "store": "/etc"}),
    ("ask", {"question": ["who?"]}),
    ("ask", {"question": {"a": {"b": [None] * 100}}}),
    ("search", {"query": None}),
    ("show", {"document": "/etc/passwd"}),
    ("show", {"document": "../secret.txt"}),
    ("show", {"document": "docs/../../secret.txt"}),
    ("show", {"document": "SECRET"}),
    ("show", {"document": "~root/x"}),
    ("show", {"document": "letter.txt\0"}),
    ("show", {"document": "a" * 5_000_000}),
    ("show", {"document": "letter", "line": 10**8}),
    ("show", {"document": "letter", "start": 10**8}),
    ("show", {"document": "letter", "context": -1}),
    ("sources", {"inside": "", "skip": -1}),
    ("sources", {"k": 1.5}),
    ("verify", {}),
    ("verify", {"answers": "x"}),
    ("verify", {"answers": [[]]}),
    ("verify", {"answers": [{"citations": [SECRET | {"start": "0"}]}]}),
    ("verify", {"answers": [{}] * 2000}),
    ("check", {"text": " "}),
    ("check", {"text": "x" * 200_001}),
    ("check", {"text": "x", "only": "everything"}),
    ("no_such_tool", {}),
    ("\0", {"\0": "\0"}),
]


def test_hostile_arguments_are_tool_errors_and_the_server_goes_on(env: dict[str, str]) -> None:
    secret = str(Path(env["HOME"], "secret.txt"))
    wanted = [
        (name, json.loads(json.dumps(arguments).replace('"SECRET"', json.dumps(secret))))
        for name, arguments in HOSTILE
    ]
    *results, last = calls(env, *wanted, ("ask", {"question": "who chaired the panel?"}))
    for (name, arguments), result in zip(wanted, results, strict=True):
        told = result.content[0].text
        assert result.is_error, (name, str(arguments)[:100], told[:200])
        assert told.startswith("error: ")
        assert len(told) < 4000
        assert "Error, a defect" not in told
        assert "xyzzy" not in told.replace(secret, "")
    assert not last.is_error


def test_arguments_that_are_odd_but_usable_are_used(env: dict[str, str]) -> None:
    odd: list[tuple[str, dict[str, Any]]] = [
        ("ask", {"question": "who\0 chaired \u202e the panel?"}),
        ("ask", {"question": "wer führte den Vorsitz? 🙂"}),
        ("search", {"query": "' OR 1=1 --", "inside": "[" * 500}),
        ("search", {"query": "*" * 500, "inside": "*a" * 400}),
        ("check", {"text": "\0“\x1b[2J all of that here”"}),
        ("sources", {"inside": "../*", "skip": 10**9}),
        ("show", {"document": "letter", "start": 0, "end": 0}),
    ]
    for (name, arguments), result in zip(odd, calls(env, *odd), strict=True):
        assert not result.is_error, (name, arguments, result.content[0].text)
        assert "\x1b" not in result.content[0].text


def test_verify_reads_no_file_that_the_store_does_not_hold(env: dict[str, str]) -> None:
    import hashlib

    secret = Path(env["HOME"], "secret.txt")
    quote = "The secret word is xyzzy."
    citation: dict[str, Any] = SECRET | {
        "document": str(secret),
        "sha256": hashlib.sha256(secret.read_bytes()).hexdigest(),
        "quote_sha256": hashlib.sha256(quote.encode()).hexdigest(),
    }
    other = "The secret word is other!"
    wrong = citation | {"quote": other, "quote_sha256": hashlib.sha256(other.encode()).hexdigest()}
    (result,) = calls(env, ("verify", {"answers": [{"citations": [citation, wrong]}]}))
    verdicts = [one["verdict"] for one in result.structured_content["checks"]]
    assert verdicts == ["missing", "missing"]  # right and wrong words are told alike


def test_a_store_that_is_not_there_is_a_tool_error_with_a_hint(env: dict[str, str]) -> None:
    async def conversation(session: ClientSession) -> Any:
        return await session.call_tool("ask", {"question": "who?"})

    result = talk(env, conversation, "--store", "/no/such/store")
    assert result.is_error
    assert "there is no store at /no/such/store" in result.content[0].text
    assert "hint: rag index" in result.content[0].text


def test_a_later_generation_is_seen(env: dict[str, str], tmp_path: Path) -> None:
    docs, store = tmp_path / "docs", str(tmp_path / "store")
    docs.mkdir()
    (docs / "one.txt").write_text("The first letter speaks of bridges and of boats.\n")

    def index() -> None:
        command = [sys.executable, "-m", "rag", "index", str(docs), "--store", store]
        subprocess.run(command, env=env, check=True, capture_output=True)

    async def conversation(session: ClientSession) -> list[int]:
        first = await session.call_tool("sources", {})
        (docs / "two.txt").write_text("The second letter speaks of mills.\n")
        await anyio.to_thread.run_sync(index)
        second = await session.call_tool("sources", {})
        return [one.structured_content["n_documents"] for one in (first, second)]

    index()
    assert talk(env, conversation, "--store", store) == [1, 2]


INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "0"},
    },
}


def lines(*messages: object) -> bytes:
    return b"".join((m if isinstance(m, bytes) else json.dumps(m).encode()) + b"\n" for m in messages)


def test_stdout_carries_the_protocol_alone_whatever_comes_in(env: dict[str, str]) -> None:
    call = {"jsonrpc": "2.0", "id": 2, "method": "tools/call"}
    given = lines(
        INITIALIZE,
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        b"not json",
        b"\xff\xfe\x00",
        b"[" * 10_000,
        json.dumps(call | {"params": {"name": "show", "arguments": {"document": "\ud800"}}}).encode(),
        {"jsonrpc": "2.0", "id": 3, "method": "no/such/method"},
        call | {"params": {"name": "sources", "arguments": "x"}},
        call | {"id": 4, "params": {"name": "sources", "arguments": {}}},
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "rag", "mcp"],
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(given)
    process.stdin.flush()
    answers = {}
    while 4 not in answers:
        message = json.loads(process.stdout.readline())
        assert message["jsonrpc"] == "2.0"
        answers[message.get("id")] = message
    process.stdin.close()
    assert process.wait(60) == 0
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in process.stdout.read().splitlines())
    assert answers[4]["result"]["structuredContent"]["n_documents"] == 1
    process.stdout.close()


def test_at_a_tag_the_tools_answer_from_what_it_keeps(env: dict[str, str]) -> None:
    home = Path(env["HOME"])
    (home / "more").mkdir()
    (home / "more" / "letter.txt").write_text(LETTER)
    index = [sys.executable, "-m", "rag", "index", "--store", str(home / "kept")]
    for arguments in (["--tag", "v1", str(home / "more")], [str(home / "more")]):
        subprocess.run([*index, *arguments], env=env, check=True, capture_output=True)
        (home / "more" / "later.txt").write_text("The bridge opened again in June 2019, after repairs.\n")

    async def listed(session: ClientSession) -> Any:
        await session.list_tools()
        return (await session.call_tool("sources", {})).structured_content

    assert talk(env, listed, "--store", str(home / "kept"))["n_documents"] == 2
    assert talk(env, listed, "--store", str(home / "kept"), "--at", "v1")["n_documents"] == 1


def test_the_configurations_shown_are_json_and_start_this_command() -> None:
    page = (ROOT / "docs" / "mcp.md").read_text(encoding="utf-8")
    shown = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", page, re.DOTALL)]
    started = [next(iter(one.values()))["rag"] for one in shown]
    assert len(started) == 2
    for server in started:
        assert Path(server["command"]).name == "rag"
        assert server["args"][:2] == ["mcp", "--store"]


def test_ctrl_c_ends_the_server(env: dict[str, str]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "rag", "mcp"], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(lines(INITIALIZE))
    process.stdin.flush()
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Traceback" not in told
