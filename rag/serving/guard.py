"""Who may ask: the Host named, the page asking, the token; and the headers on every response."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OPEN = "/"  # the page holds no data and asks for the token, so it is read without one
_HOST = re.compile(r"[A-Za-z0-9.\-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")
_HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}

Refuse = Callable[[int, str, str], Response]  # from status, detail and hint


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine itself.

    >>> [is_loopback(host) for host in ("localhost", "127.8.0.1", "::1", "0.0.0.0", "example.org")]
    [True, True, True, False, False]
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.casefold() == "localhost"


class Guard:
    """Lets through what this server's own page and programs on this machine send.

    A page of another origin is refused even where a browser would only hide the answer from it. With
    ``only_loopback`` the Host header must name this machine: a foreign name that was made to point here
    (DNS rebinding) is refused. ``token`` (None: none is asked for) is compared in constant time.
    """

    def __init__(
        self, app: ASGIApp, *, refuse: Refuse, policy: str, token: str | None, only_loopback: bool
    ) -> None:
        self._app = app
        self._refuse = refuse
        self._headers = _HEADERS | {"content-security-policy": policy}
        self._token = None if token is None else _digest(token)
        self._only_loopback = only_loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or have it answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        refusal = self._refusal(Headers(scope=scope), scope["path"])
        await (refusal or self._app)(scope, receive, guarded)

    def _refusal(self, headers: Headers, path: str) -> Response | None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_ours(hosts[0]):
            return self._refuse(421, "the Host header does not name this server", "ask for http://localhost")
        if not _same_origin(headers, hosts[0], path):
            return self._refuse(403, "pages of another origin may not ask", "open the server's own page")
        if self._token is not None and path != OPEN and not self._knows_token(headers):
            refused = self._refuse(
                401, "the token is missing or not the right one", "send Authorization: Bearer TOKEN"
            )
            refused.headers["www-authenticate"] = "Bearer"
            return refused
        return None

    def _is_ours(self, host: str) -> bool:
        if not _HOST.fullmatch(host):
            return False
        return not self._only_loopback or is_loopback(urlsplit(f"//{host}").hostname or "")

    def _knows_token(self, headers: Headers) -> bool:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        assert self._token is not None
        return hmac.compare_digest(_digest(given.strip()), self._token) and scheme.casefold() == "bearer"


def _digest(token: str) -> bytes:
    """The token's SHA-256: equal lengths, so that comparing tells nothing of the token's own."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _same_origin(headers: Headers, host: str, path: str) -> bool:
    """Whether no page of another origin asks; a link to the page may stand anywhere."""
    for origin in headers.getlist("origin"):
        if origin.casefold() not in (f"http://{host}".casefold(), f"https://{host}".casefold()):
            return False
    if headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
        return True
    return path == OPEN and headers.get("sec-fetch-mode") == "navigate"
