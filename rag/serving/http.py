"""The assistant over HTTP: a handful of endpoints, each one call of what the other commands call."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import socket
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from importlib import resources
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from rag import __version__
from rag.assistant import Assistant
from rag.checks.verify import Cited, check, citations_in
from rag.citations import freshness
from rag.errors import DocumentNotFoundError, RagError, StoreError, UsageError
from rag.output.json_lines import search_to_json, show_to_json, to_json
from rag.serving import openapi
from rag.serving.fields import Field, faults, from_query
from rag.serving.guard import Guard, is_loopback
from rag.serving.lane import Lane, LaneFullError
from rag.serving.shelf import Shelf, about, chosen_lines, not_held, path_of
from rag.settings import Settings
from rag.store import Store
from rag.text.sinks import UNSEEN, json_line

LEAST_TOKEN_CHARS = 16  # a random token of these has some 96 bits
RETRY_SECONDS = 1  # a question takes a tenth of that, and the line is short
STOP_SECONDS = 5  # past the time limit, for what is still being read when the server stops
_WARMING = "what is this about?"  # any question: the first run of a model is the slowest


@dataclass(frozen=True, slots=True)
class Limits:
    """What a server takes on.

    ``seconds`` is the time a request may take, waiting included; ``n_waiting`` how many requests may be in
    line or at work before more are sent away.
    """

    seconds: float
    n_waiting: int
    body_bytes: int = 64_000  # the longest question, and room for the rest
    verify_bytes: int = 16_000_000  # some two thousand answers


class ProblemError(Exception):
    """A request that cannot be answered, and why."""

    def __init__(self, status: int, detail: str, hint: str = "") -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.hint = hint


class Json(Response):
    """A response in JSON, with no character in it that a terminal acts on."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        """The body."""
        return json_line(content).encode("utf-8")


class Server:
    """The endpoints over one store: questions in one lane, documents read out in another."""

    def __init__(
        self, settings: Settings, limits: Limits, *, token: str | None = None, at: str | None = None
    ) -> None:
        self._settings = settings
        self._at = at  # the tag that is served, if not the newest generation
        self._limits = limits
        self._ask_fields = openapi.ask_fields(settings.retrieval)
        self._search_fields = openapi.search_fields(settings.retrieval)
        self._described = openapi.document(settings.retrieval, with_token=token is not None)
        self._page = page()
        self._token = token
        self.asking = Lane(settings.store, self._open_assistant, n_places=limits.n_waiting, at=at)
        self.reading = Lane(settings.store, self._open_shelf, n_places=limits.n_waiting, at=at)

    @property
    def time_limit(self) -> float:
        """Seconds that a request may take."""
        return self._limits.seconds

    def _open_assistant(self) -> Assistant:
        assistant = Assistant.open(settings=self._settings, at=self._at)
        assistant.ask(_WARMING)
        return assistant

    def _open_shelf(self) -> Shelf:
        # the assistant's opening checked it
        return Shelf(Store.open(self._settings.store, verify=False, at=self._at))

    def start(self) -> None:
        """Open the store and the models; raises what opening them raises."""
        self.asking.start()
        self.reading.start()

    def close(self) -> bool:
        """Let go of both; False when work goes on that cannot be ended."""
        ended = [self.asking.close(STOP_SECONDS), self.reading.close(STOP_SECONDS)]
        return all(ended)

    def app(self, *, only_loopback: bool = True) -> ASGIApp:
        """The whole as an ASGI application."""
        inner = Starlette(
            routes=[
                Route("/", self._timed(self._show_page), methods=["GET"]),
                Route("/ask", self._timed(self._ask), methods=["POST"]),
                Route("/search", self._timed(self._search), methods=["POST"]),
                Route("/verify", self._timed(self._verify), methods=["POST"]),
                Route("/show", self._timed(self._show), methods=["GET"]),
                Route("/sources", self._timed(self._sources), methods=["GET"]),
                Route("/health", self._timed(self._health), methods=["GET"]),
                Route("/openapi.json", self._timed(self._describe), methods=["GET"]),
            ],
            exception_handlers={
                ProblemError: _problem_response,
                RagError: _rag_error_response,
                HTTPException: _http_error_response,
                Exception: _defect_response,  # the traceback goes to stderr, never out
            },
        )
        inner.router.redirect_slashes = False
        return Guard(
            inner,
            refuse=lambda status, detail, hint: problem(status, detail, hint),
            policy=policy(self._page),
            token=self._token,
            only_loopback=only_loopback,
        )

    def _timed(
        self, handler: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """The handler with the time limit around it, its waiting in line included."""

        async def endpoint(request: Request) -> Response:
            try:
                async with asyncio.timeout(self._limits.seconds):
                    return await handler(request)
            except TimeoutError:
                raise ProblemError(
                    504, f"not answered within {self._limits.seconds:g} seconds", "ask again, or for less"
                ) from None
            except LaneFullError:
                raise ProblemError(503, "too many requests wait", "ask again in a moment") from None
            except ClientDisconnect:
                return Response(status_code=400)  # nobody is there to read it

        return endpoint

    async def _ask(self, request: Request) -> Response:
        given = await _given(request, self._ask_fields, self._limits.body_bytes)

        def ask(assistant: Assistant) -> dict[str, Any]:
            return to_json(assistant.ask(**given), path_of(assistant.store))

        return Json(await self.asking.run(ask))

    async def _search(self, request: Request) -> Response:
        given = await _given(request, self._search_fields, self._limits.body_bytes)

        def search(assistant: Assistant) -> dict[str, Any]:
            hits = assistant.search(**given)
            about_it = about(assistant.store, assistant.shards)
            return search_to_json(given["query"], hits, path_of(assistant.store), about_it)

        return Json(await self.asking.run(search))

    async def _show(self, request: Request) -> Response:
        given = _query(request, openapi.SHOW)

        def show(shelf: Shelf) -> dict[str, Any]:
            document = shelf.document(given["document"])
            return show_to_json(
                document,
                chosen_lines(document, given),
                freshness(document.path, document.sha256),
                about(shelf.store),
            )

        return Json(await self.reading.run(show))

    async def _verify(self, request: Request) -> Response:
        _query(request, ())
        cited = _cited(await _body(request, self._limits.verify_bytes))
        max_bytes = self._settings.passages.max_file_mb * 1_000_000

        unheard = threading.Event()

        def verify(shelf: Shelf) -> list[dict[str, Any]]:
            own = [one for one in cited if one.document in shelf.ids]
            held = check(own, max_bytes=max_bytes, roots=shelf.store.manifest.roots)
            checked: list[dict[str, Any]] = []
            for one in cited:
                if unheard.is_set():  # the time ran out: thousands of files may be left to read
                    break
                checked.append((next(held) if one.document in shelf.ids else not_held(one)).to_json())
            return checked

        try:
            return Json({"checks": await self.reading.run(verify)})
        finally:
            unheard.set()

    async def _sources(self, request: Request) -> Response:
        _query(request, ())
        return Json(
            await self.reading.run(lambda shelf: {"documents": shelf.sources, "store": about(shelf.store)})
        )

    async def _health(self, request: Request) -> Response:
        _query(request, ())
        assistant = self.asking.opened
        if assistant is None:
            raise ProblemError(503, "the store is not open")
        told = self.asking.problem or self.reading.problem
        manifest = assistant.store.manifest
        return Json(
            {
                "status": "ok" if told is None else "behind",
                "version": __version__,
                "store": about(assistant.store),
                "n_documents": manifest.n_documents,
                "n_passages": manifest.n_passages,
                "n_waiting": self.asking.n_waiting + self.reading.n_waiting,
                "problem": None if told is None else told.message,
            }
        )

    async def _describe(self, request: Request) -> Response:
        _query(request, ())
        return Json(self._described)

    async def _show_page(self, request: Request) -> Response:
        return Response(self._page, media_type="text/html")


# what a request says


async def _body(request: Request, max_bytes: int) -> dict[str, Any]:
    """The body's JSON object."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
    if kind != "application/json":
        raise ProblemError(415, f"expected application/json, got {kind or 'no content type'!r}")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > max_bytes:
            raise ProblemError(413, f"the body has more than {max_bytes:,} bytes")
    try:
        given = json.loads(body.decode("utf-8"), parse_constant=_no_number, parse_float=_number)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        raise ProblemError(400, f"the body is not JSON in UTF-8: {reason}") from None
    if not isinstance(given, dict):
        raise ProblemError(422, "the body: expected a JSON object")
    return given


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


def _number(text: str) -> float:
    """A number as JSON schema takes it: 5.0 is a whole one.

    >>> _number("5.0"), _number("1.5")
    (5, 1.5)
    """
    value = float(text)
    return int(value) if value.is_integer() else value


async def _given(request: Request, fields: Sequence[Field], max_bytes: int) -> dict[str, Any]:
    """The body's fields, all as they should be."""
    _query(request, ())
    return _checked(await _body(request, max_bytes), fields)


def _query(request: Request, fields: Sequence[Field]) -> dict[str, Any]:
    """The query's fields, all as they should be and each there once."""
    pairs = request.query_params.multi_items()
    given = dict(pairs)
    if len(given) != len(pairs):
        raise ProblemError(422, "a field of the query is there more than once")
    return _checked(from_query(given, fields), fields)


def _checked(given: dict[str, Any], fields: Sequence[Field]) -> dict[str, Any]:
    wrong = faults(given, fields)
    if wrong:
        raise ProblemError(422, "; ".join(wrong)[:2000], "GET /openapi.json describes every field")
    return given


def _cited(given: Mapping[str, Any]) -> list[Cited]:
    """Every citation to verify, in order; the number of its answer, from 1, stands for a line."""
    answers = given.get("answers")
    if not isinstance(answers, list) or len(given) > 1:
        raise ProblemError(422, "expected a list under 'answers', and nothing else")
    cited: list[Cited] = []
    for number, answer in enumerate(answers, start=1):
        try:
            found = citations_in(answer, number)
            if any(one.start < 0 or one.end < 1 for one in found):
                raise TypeError("'start' counts from 0, and 'end' is past a character")
        except (KeyError, TypeError) as error:
            what = f"no {error}" if isinstance(error, KeyError) else str(error)
            raise ProblemError(
                422, f"answers[{number - 1}]: {what}", "send answers as /ask gave them"
            ) from None
        cited += found
    return cited


# what goes wrong


def problem(status: int, detail: str, hint: str = "") -> Response:
    """The problem as JSON (RFC 9457)."""
    told = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    headers = {"retry-after": str(RETRY_SECONDS)} if status == 503 else None
    return Json(told | ({"hint": hint} if hint else {}), status, media_type=openapi.PROBLEM, headers=headers)


def _problem_response(_: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return problem(error.status, error.detail, error.hint)


def _rag_error_response(_: Request, error: Exception) -> Response:
    assert isinstance(error, RagError)
    known = ((UsageError, 422), (DocumentNotFoundError, 404), (StoreError, 503))
    status = next((status for kind, status in known if isinstance(error, kind)), 500)
    return problem(status, error.message, error.hint)


def _http_error_response(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    made = problem(error.status_code, error.detail)
    made.headers.update(error.headers or {})
    return made


def _defect_response(_: Request, error: Exception) -> Response:
    return problem(500, "the server failed at this; its own log says why")


def page() -> str:
    """The page to read in, with the characters it must not show as they are."""
    text = resources.files("rag").joinpath("serving", "page.html").read_text(encoding="utf-8")
    return text.replace("@UNSEEN@", "".join(c if c == "-" else f"\\u{{{ord(c):x}}}" for c in UNSEEN))


def policy(page: str) -> str:
    """The Content-Security-Policy that lets a page run its own script and style, and ask its own server.

    >>> policy("<style>a{}</style><script>1</script>").count("sha256-")
    2
    """

    def allowed(tag: str) -> str:
        found = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        sums = (base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode() for text in found)
        return " ".join(f"'sha256-{one}'" for one in sums) or "'none'"

    return (
        f"default-src 'none'; script-src {allowed('script')}; style-src {allowed('style')}; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )


# a server at an address


def listen(host: str, port: int, *, token: str | None) -> socket.socket:
    """A socket that takes connections at the address.

    Raises UsageError where the address is not this machine's own and no token protects it, where the token
    is short, or where the address cannot be had.
    """
    if token is not None and len(token) < LEAST_TOKEN_CHARS:
        raise UsageError(
            f"the token has {len(token)} characters; expected at least {LEAST_TOKEN_CHARS}",
            'python -c "import secrets; print(secrets.token_urlsafe())"  # makes one',
        )
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise UsageError(
            f"{host} is no address to listen at: {error}", "rag serve --host 127.0.0.1"
        ) from None
    if token is None and not all(is_loopback(str(address[4][0])) for address in found):
        raise UsageError(
            f"{host} can be reached from other machines, and everyone there could read your documents",
            "leave --host out, or protect it with --token",
        )
    family, kind, protocol, _, address = found[0]
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen()
    except OSError as error:
        listening.close()
        reason = error.strerror or str(error)
        raise UsageError(f"cannot listen at {host}, port {port}: {reason}", "name another --port") from None
    return listening


def url_of(listening: socket.socket) -> str:
    """Where a person opens the page."""
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def serve(server: Server, listening: socket.socket) -> None:
    """Answer at the socket until SIGTERM or Ctrl-C; what is being answered then is finished first."""
    host = str(listening.getsockname()[0])
    config = uvicorn.Config(
        server.app(only_loopback=is_loopback(host)),
        http="h11",
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,  # questions are nobody's business
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=int(server.time_limit) + STOP_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listening])
