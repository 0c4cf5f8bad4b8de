"""The door: what every request has to pass before anything reads it, and what every answer carries.

* The Host header is one of ours, else somebody else's name points at this address (DNS rebinding).
* Whatever changes something comes from our own page: the Origin is exactly ours. A script with a bearer token has none.
* A body is small and arrives in time.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from controller.panel.problems import problem_response
from controller.panel.settings import PanelSettings

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
_YEAR_S = 31_536_000


class Gate:
    """ASGI middleware.

    Args:
        app: What lies behind.
        settings: Origins, hosts and limits.
        refused: Called with the status of every request that does not pass.
    """

    def __init__(self, app: ASGIApp, settings: PanelSettings, refused: Callable[[int], None]) -> None:
        self._app = app
        self._settings = settings
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        reason = self._reason(scope, headers)
        if scope["type"] == "websocket":
            if reason:
                self._refused(403)
                await send({"type": "websocket.close", "code": 4403, "reason": reason[1]})
                return
            await self._app(scope, receive, send)
            return
        outgoing = self._dressed(scope, send)
        if reason:
            self._refused(reason[0])
            await problem_response(*reason)(scope, receive, outgoing)
            return
        if scope["method"] in _SAFE:
            await self._app(scope, receive, outgoing)
            return
        body = await self._body(receive)
        if isinstance(body, int):
            self._refused(body)
            await problem_response(body, self._about_body(body), {"connection": "close"})(
                scope, receive, outgoing
            )
            return
        await self._app(scope, _Read(body, receive), outgoing)

    def _reason(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        if headers.get("host", "") not in self._settings.hosts:
            return (
                400,
                f"this is not the name of the panel (allowed: {', '.join(sorted(self._settings.hosts))})",
            )
        changing = scope["type"] == "websocket" or scope["method"] not in _SAFE
        origin = headers.get("origin")
        scripted = origin is None and (
            headers.get("authorization", "").startswith("Bearer ")
            or (scope["type"] == "websocket" and b"ticket=" in scope.get("query_string", b""))
        )
        if changing and not scripted and origin not in self._settings.origins:
            return 403, f"Origin {origin or 'missing'} (allowed: {', '.join(sorted(self._settings.origins))})"
        length = headers.get("content-length", "0")
        if length.isdigit() and int(length) > self._settings.body_bytes:
            return 413, self._about_body(413)
        return None

    async def _body(self, receive: Receive) -> bytes | int:
        """The whole body, or the status of why not."""
        body = b""
        try:
            async with asyncio.timeout(self._settings.body_s):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return 400
                    body += bytes(message.get("body", b""))
                    if len(body) > self._settings.body_bytes:
                        return 413
                    if not message.get("more_body", False):
                        return body
        except TimeoutError:
            return 408

    def _about_body(self, status: int) -> str:
        if status == HTTPStatus.REQUEST_TIMEOUT:
            return f"the body did not arrive within {self._settings.body_s:g} s"
        return f"the body is larger than allowed: at most {self._settings.body_bytes} bytes"

    def _dressed(self, scope: Scope, send: Send) -> Send:
        async def outgoing(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if self._settings.secure:
                    headers["strict-transport-security"] = f"max-age={_YEAR_S}"
                if scope["path"].startswith("/api/"):
                    headers["cache-control"] = "no-store"
            await send(message)

        return outgoing


class _Read:
    """A body that has been read, to be received once more."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}
