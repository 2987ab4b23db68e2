"""The assistant over HTTP: a real server on the loopback address, the real models, three small files."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from served import Said, Served, environment, serving

from rag.errors import StoreDamagedError, UsageError
from rag.indexing import index
from rag.output.json_lines import schema
from rag.serving.http import Limits, Server, listen
from rag.serving.lane import Lane, LaneFullError
from rag.settings import Settings
from rag.store.layout import CURRENT

FILES = {
    "letter.txt": "14 July 2017\n\nPeer review of plans\n\nThe panel was chaired by Alan Crossfield, "
    "an officer of the county council. It read forty plans in two days.\n\n"
    "The panel asked for plans of no more than four pages.\n",
    "minutes.md": "# Minutes of the board\n\n26 April 2016\n\n## Workforce\n\n"
    "Tom Hebden reported 24 vacant social worker posts at 31 March 2016. The board noted the figure.\n",
    "bridge.txt": "3 May 2019\n\nThe 🌉 bridge\n\nThe 🌉 bridge on Canal Street was closed in May 2019 for "
    "repairs to its arches. It opened again in June.\n",
}
QUESTION = "who chaired the panel?"
TOKEN = "correct horse battery staple"


@pytest.fixture(scope="module")
def docs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def store(docs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("served") / "store"
    index([docs], path, Settings(store=path))
    return path


@pytest.fixture(scope="module")
def server(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(store, home=tmp_path_factory.mktemp("home")) as served:
        yield served


def fits(said: Said, name: str) -> Any:
    """The response's object, held to its schema."""
    assert said.status == 200, said.body
    jsonschema.validate(said.json, schema(name))
    return said.json


def refused(said: Said, status: int) -> str:
    """What a problem says, once it has the form of one."""
    assert said.status == status, said.body
    assert said.headers["content-type"] == "application/problem+json"
    told = said.json
    assert told["status"] == status
    assert b"Traceback" not in said.body
    detail: str = told["detail"]
    return detail


# what is answered


def test_an_answer_is_the_one_that_the_command_gives(server: Served, store: Path, tmp_path: Path) -> None:
    over_http = fits(server.ask(QUESTION), "answer")
    done = subprocess.run(
        [sys.executable, "-m", "rag", "ask", QUESTION, "--json", "--store", str(store)],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    by_command = json.loads(done.stdout)
    del over_http["timings_ms"], by_command["timings_ms"]
    assert over_http == by_command
    assert over_http["answer"] == "Alan Crossfield"


def test_filters_choose_the_documents(server: Served, docs: Path) -> None:
    only = fits(server.ask("what did the panel ask for?", k=2, inside="*.md", before="2017"), "answer")
    assert {hit["document"] for hit in only["hits"]} <= {str(docs / "minutes.md")}
    later = fits(server.ask(QUESTION, after="2019-01"), "answer")
    assert {hit["document"] for hit in later["hits"]} == {str(docs / "bridge.txt")}
    then = fits(server.ask(QUESTION, as_of="2016"), "answer")
    assert {hit["document"] for hit in then["hits"]} == {str(docs / "minutes.md")}


def test_a_search_lists_the_passages(server: Served) -> None:
    found = fits(server.send("POST", "/search", {"query": "vacant posts", "k": 1}), "search")
    assert "24 vacant social worker posts" in found["hits"][0]["text"]
    assert len(found["hits"]) == 1


def test_shown_lines_are_the_document_s_characters(server: Served, docs: Path) -> None:
    cited = fits(server.ask("when was the bridge closed?"), "answer")["citations"][0]
    shown = fits(
        server.send(
            "GET", f"/show?document={cited['document']}&start={cited['start']}&end={cited['end']}&context=0"
        ),
        "show",
    )
    text = FILES["bridge.txt"]
    assert shown["document"] == str(docs / "bridge.txt")
    assert [line["wanted"] for line in shown["lines"]] == [True]
    (line,) = shown["lines"]
    assert text[line["start"] :].startswith(line["text"])
    at = cited["start"] - line["start"]
    assert line["text"][at : at + len(cited["quote"])] == cited["quote"]
    assert (shown["n_before"], shown["n_after"]) == (4, 1)


def test_a_document_is_found_by_id_path_and_name(server: Served, docs: Path) -> None:
    listed = fits(server.send("GET", "/sources"), "sources")["documents"]
    assert [source["document"] for source in listed] == sorted(str(docs / name) for name in FILES)
    letter = next(source for source in listed if source["document"].endswith("letter.txt"))
    for name in (letter["id"], letter["document"], "letter.txt"):
        shown = fits(server.send("GET", f"/show?document={name}&line=1&context=0"), "show")
        assert [line["text"] for line in shown["lines"]] == ["14 July 2017"]
    whole = fits(server.send("GET", "/show?document=letter.txt"), "show")
    assert "\n".join(line["text"] for line in whole["lines"]) == FILES["letter.txt"]


def test_citations_are_verified_against_the_files_of_the_store(server: Served, tmp_path: Path) -> None:
    answer = server.ask(QUESTION).json
    checks = server.send("POST", "/verify", {"answers": [answer]}).json["checks"]
    for check in checks:
        jsonschema.validate(check, schema("verify"))
    assert {check["verdict"] for check in checks} == {"same"}

    secret = tmp_path / "secret.txt"
    secret.write_text(answer["citations"][0]["quote"], encoding="utf-8")
    elsewhere = answer["citations"][0] | {"document": str(secret), "start": 0}
    (check,) = server.send("POST", "/verify", {"answers": [{"citations": [elsewhere]}]}).json["checks"]
    assert check["verdict"] == "missing"
    assert "no other file is read" in check["detail"]


def test_health_says_what_answers(server: Served) -> None:
    told = server.send("GET", "/health").json
    assert (told["status"], told["n_documents"], told["store"]["generation"]) == ("ok", 3, 1)


def test_eight_clients_get_identical_answers_to_identical_questions(server: Served) -> None:
    questions = [QUESTION, "how many posts were vacant?"] * 8

    def ask(question: str) -> tuple[str, str]:
        said = server.ask(question)
        while said.status == 503:
            time.sleep(float(said.headers["retry-after"]) / 10)
            said = server.ask(question)
        answer = fits(said, "answer")
        del answer["timings_ms"]
        return question, json.dumps(answer)

    with ThreadPoolExecutor(8) as clients:
        answers = set(clients.map(ask, questions))
    assert len(answers) == 2


# what is refused


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (b"{", 400, "not JSON"),
        (b'{"question": "\xff"}', 400, "not JSON"),
        (b'{"question": NaN}', 400, "NaN"),
        (b"[" * 50_000, 400, "nested too deep"),
        (b"[]", 422, "object"),
        (b"{}", 422, "question: it is missing"),
        (b'{"question": " \\u2003 "}', 422, "white space"),
        (b'{"question": "\\ud800"}', 422, "surrogate"),
        (b'{"question": 7}', 422, "expected text"),
        (b'{"question": "who?", "k": 0}', 422, "k: expected a whole number from 1 to 1000"),
        (b'{"question": "who?", "k": true}', 422, "k:"),
        (b'{"question": "who?", "k": 1.5}', 422, "k:"),
        (b'{"question": "who?", "after": "yesterday"}', 422, "after: expected 2017"),
        (b'{"question": "who?", "as_of": "2017-02-29"}', 422, "as_of: expected 2017"),
        (b'{"question": "who?", "depth": 3}', 422, "depth: no such field"),
        (b'{"question": "' + b"a" * 1001 + b'"}', 422, "1 to 1,000 characters"),
        (b'{"question": "' + b"a" * 70_000 + b'"}', 413, "64,000 bytes"),
    ],
)
def test_a_body_that_cannot_be_used_is_told_what_is_wrong(
    server: Served, body: bytes, status: int, told: str
) -> None:
    assert told in refused(server.send("POST", "/ask", body), status)


def test_a_body_of_another_kind_is_refused(server: Served) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    refused(server.send("POST", "/ask", b'{"question": "who?"}', form), 415)


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../../../../etc/passwd",
        "~root/.ssh",
        "~nobody-of-that-name/x",
        "%00",
        "..%2f",
        "",
        "%ff",
    ],
)
def test_only_documents_of_the_store_are_read_out(server: Served, name: str) -> None:
    said = server.send("GET", f"/show?document={name}")
    refused(said, 422 if name in ("", "%ff") and said.status == 422 else 404)


@pytest.mark.parametrize("path", ["/../etc/passwd", "//etc/passwd", "/static/../../x", "/ask/", "/page.html"])
def test_no_other_path_leads_anywhere(server: Served, path: str) -> None:
    refused(server.send("GET", path), 404)


def test_a_link_put_in_a_document_s_place_is_not_followed_to_other_words(server: Served) -> None:
    refused(server.send("GET", "/show?document=letter.txt&line=400"), 404)
    refused(server.send("GET", "/show?document=letter.txt&start=4000"), 404)
    refused(server.send("GET", "/show?document=letter.txt&line=1&line=2"), 422)
    refused(server.send("GET", "/show?document=letter.txt&path=x"), 422)


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.", "me@localhost", "[::1", "0.0.0.0", ""]
)
def test_a_foreign_host_name_is_refused(server: Served, host: str) -> None:
    refused(server.send("GET", "/sources", headers={"Host": host}), 421)


@pytest.mark.parametrize("host", ["localhost", "localhost:9000", "[::1]:80", "127.0.0.1"])
def test_every_name_of_this_machine_is_its_own(server: Served, host: str) -> None:
    assert server.send("GET", "/health", headers={"Host": host}).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "http://127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
    ],
)
def test_a_page_of_another_origin_may_not_ask(server: Served, headers: dict[str, str]) -> None:
    refused(server.send("GET", "/sources", headers=headers), 403)
    refused(server.send("POST", "/ask", {"question": QUESTION}, headers), 403)


def test_the_own_page_may_ask_and_a_link_may_lead_to_it(server: Served) -> None:
    host, port = server.address
    own = {"Origin": f"http://{host}:{port}", "Sec-Fetch-Site": "same-origin"}
    assert server.send("POST", "/ask", {"question": QUESTION}, own).status == 200
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert server.send("GET", "/", headers=followed).status == 200


def test_no_origin_is_ever_allowed(server: Served) -> None:
    for headers in ({}, {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}):
        said = server.send("OPTIONS", "/ask", headers=headers)
        assert said.status in (403, 405)
        assert not any(name.startswith("access-control") for name in said.headers)


@pytest.mark.parametrize("path", ["/", "/health", "/nowhere"])
def test_every_response_carries_the_security_headers(server: Served, path: str) -> None:
    headers = server.send("GET", path).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    rules = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"].startswith("'sha256-")
    assert "unsafe" not in headers["content-security-policy"]
    assert "server" not in headers


# fuzzed from its own description


def test_fuzzed_from_its_own_description_it_keeps_its_word(server: Served, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}openapi.json"),
            *("--checks", "all", "--max-examples", "8", "--phases", "examples,coverage,fuzzing"),
            *("--generation-deterministic", "--no-color"),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd=tmp_path,  # it keeps notes where it runs
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


# token and address


def test_with_a_token_only_those_who_know_it_are_answered(store: Path, tmp_path: Path) -> None:
    with serving(store, home=tmp_path, RAG_SERVE_TOKEN=TOKEN) as served:
        for given in ("", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer", TOKEN, "Bearer \xe9"):
            said = served.send("GET", "/sources", headers={"Authorization": given} if given else {})
            refused(said, 401)
            assert said.headers["www-authenticate"] == "Bearer"
        knows = {"Authorization": f"Bearer {TOKEN}"}
        assert served.send("GET", "/sources", headers=knows).status == 200
        assert served.send("GET", "/").status == 200
        described = served.send("GET", "/openapi.json", headers=knows).json
        assert described["security"] == [{"token": []}]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_an_address_others_can_reach_needs_a_token(host: str) -> None:
    with pytest.raises(UsageError, match="can be reached from other machines"):
        listen(host, 0, token=None)


def test_a_short_token_is_refused() -> None:
    with pytest.raises(UsageError, match="expected at least 16"):
        listen("127.0.0.1", 0, token="short")
    with pytest.raises(UsageError, match="expected at least 16"):
        listen("127.0.0.1", 0, token="")
    listen("0.0.0.0", 0, token=TOKEN).close()


def test_a_port_in_use_is_told_with_the_remedy(store: Path, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "rag", "serve", "--store", str(store), "--port", port],
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert f"port {port}" in done.stderr
    assert "--port" in done.stderr


def test_without_a_store_it_says_how_to_make_one(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rag", "serve", "--store", str(tmp_path / "none"), "--port", "0"],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "rag index" in done.stderr


# limits, generations, stopping


def test_too_many_at_once_are_sent_away_and_too_slow_ones_told(sample_store: Path, tmp_path: Path) -> None:
    with (
        serving(sample_store, "--queue", "2", "--time-limit", "0.3", home=tmp_path) as served,
        ThreadPoolExecutor(8) as clients,
    ):
        said = list(clients.map(lambda n: served.ask(f"what was decided in 20{n}?", k=1000), range(10, 18)))
        full = [one for one in said if one.status == 503]
        slow = [one for one in said if one.status == 504]
        assert full
        assert slow
        assert all(int(one.headers["retry-after"]) >= 1 for one in full)
        assert "0.3 seconds" in refused(slow[0], 504)
        end = time.monotonic() + 60
        while served.send("GET", "/health").json["n_waiting"]:  # work that nobody waits for ends too
            assert time.monotonic() < end
            time.sleep(0.1)
        assert served.send("GET", "/openapi.json").status == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_after_what_is_being_answered(
    sample_store: Path, tmp_path: Path, number: int
) -> None:
    with serving(sample_store, home=tmp_path) as served, ThreadPoolExecutor(1) as client:
        asked = client.submit(served.ask, "what was decided?", k=1000)
        end = time.monotonic() + 30
        while served.send("GET", "/health").json["n_waiting"] == 0 and not asked.done():
            assert time.monotonic() < end
        assert served.stop(number) == 0
        assert fits(asked.result(), "answer")["hits"]
        with pytest.raises(ConnectionRefusedError):
            served.send("GET", "/health")


def test_a_new_generation_answers_as_soon_as_it_is_committed(tmp_path: Path) -> None:
    docs, store = tmp_path / "docs", tmp_path / "store"
    docs.mkdir()
    (docs / "letter.txt").write_text(FILES["letter.txt"], encoding="utf-8")
    index([docs], store, Settings(store=store))
    with serving(store, home=tmp_path) as served:
        assert served.ask(QUESTION).json["store"]["generation"] == 1
        (docs / "minutes.md").write_text(FILES["minutes.md"], encoding="utf-8")
        index([docs], store, Settings(store=store))
        answer = served.ask("how many posts were vacant?").json
        assert answer["store"]["generation"] == 2
        assert "24" in answer["answer"]
        assert len(served.send("GET", "/sources").json["documents"]) == 2

        (store / CURRENT).write_text((store / CURRENT).read_text().replace("000002", "000009"))
        assert served.ask(QUESTION).json["store"]["generation"] == 2
        told = served.send("GET", "/health").json
        assert told["status"] == "behind"
        assert "000009" in told["problem"] or "9" in told["problem"]


class Opened:
    """Something a lane can open."""

    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


def test_a_lane_takes_so_many_and_gives_the_places_back(tmp_path: Path) -> None:
    lane = Lane(tmp_path, Opened, n_places=2)
    lane.start()
    opened = lane.opened
    go = threading.Event()

    async def used() -> None:
        first = asyncio.create_task(lane.run(lambda _: go.wait(30)))
        second = asyncio.create_task(lane.run(lambda _: 2))
        await asyncio.sleep(0.05)
        assert lane.n_waiting == 2
        with pytest.raises(LaneFullError):
            await lane.run(lambda _: 3)
        second.cancel()  # it has not begun, so its place is free at once
        await asyncio.sleep(0.05)
        assert lane.n_waiting == 1
        first.cancel()  # it has, so its place is not
        await asyncio.sleep(0.05)
        assert lane.n_waiting == 1
        assert not lane.close(0.05)
        go.set()

    asyncio.run(used())
    end = time.monotonic() + 10
    while not (opened and opened.closed):
        assert time.monotonic() < end
        time.sleep(0.01)
    assert lane.n_waiting == 0


def test_a_lane_keeps_what_is_open_where_the_newer_cannot_be(tmp_path: Path) -> None:
    opened: list[Opened] = []

    def open_it() -> Opened:
        if len(opened) == 1:
            opened.append(Opened())
            raise StoreDamagedError("torn")
        opened.append(Opened())
        return opened[-1]

    def current(number: int) -> None:
        (tmp_path / CURRENT).write_text(f"{number:06d} {number:064x}\n")

    lane = Lane(tmp_path, open_it, n_places=2)
    current(1)
    lane.start()
    current(2)
    assert asyncio.run(lane.run(lambda it: it)) is opened[0]
    assert lane.problem is not None
    assert asyncio.run(lane.run(lambda it: it)) is opened[0]  # and it is not tried at every request
    current(3)
    assert asyncio.run(lane.run(lambda it: it)) is opened[2]
    assert lane.problem is None
    assert opened[0].closed
    assert lane.close(10)
    assert opened[2].closed


def test_a_lane_at_a_tag_follows_the_tag_and_nothing_else(tmp_path: Path) -> None:
    opened: list[Opened] = []

    def open_it() -> Opened:
        opened.append(Opened())
        return opened[-1]

    def pin(path: Path, number: int) -> None:
        path.write_text(f"{number:06d} {number:064x}\n")

    (tmp_path / "tags").mkdir()
    tag = tmp_path / "tags" / "v1"
    pin(tag, 1)
    pin(tmp_path / CURRENT, 1)
    lane = Lane(tmp_path, open_it, n_places=2, at="v1")
    lane.start()
    pin(tmp_path / CURRENT, 2)
    assert asyncio.run(lane.run(lambda it: it)) is opened[0]
    pin(tag, 2)
    assert asyncio.run(lane.run(lambda it: it)) is opened[1]
    tag.unlink()
    assert asyncio.run(lane.run(lambda it: it)) is opened[1]  # what is open stays whole
    assert lane.close(10)


def called(
    app: Callable[..., Any], method: str, path: str, body: bytes
) -> tuple[int, bytes, BaseException | None]:
    """A request straight to an application: status, body, and what it let out to its server."""
    sent: list[dict[str, Any]] = []
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    escaped: BaseException | None = None
    try:
        asyncio.run(app(scope, receive, send))
    except Exception as error:
        escaped = error
    return sent[0]["status"], b"".join(part.get("body", b"") for part in sent), escaped


def test_a_defect_is_told_to_nobody_but_the_log(store: Path) -> None:
    server = Server(Settings(store=store), Limits(30.0, 4))
    server.start()
    assert server.reading.opened is not None
    server.reading.opened.close()  # its database is gone under it, which no request can bring about
    status, body, escaped = called(server.app(), "GET", "/sources", b"")
    assert server.close()
    assert status == 500
    assert json.loads(body)["title"] == "Internal Server Error"
    assert b"Traceback" not in body
    assert str(escaped) not in body.decode()
    assert escaped is not None  # uvicorn writes it to stderr


def test_the_help_of_other_commands_knows_nothing_of_servers() -> None:
    code = "import sys, rag.cli; print({'starlette', 'uvicorn', 'asyncio', 'http'} & set(sys.modules))"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd()
    )
    assert found.stdout.strip() == "set()"
