"""What every answer says to browsers: how it may be used, and by pages of which origins (CORS).

Nobody is known by a cookie here, only by a key that a page has to send itself, so a strange page can do no harm by
itself. But a key that somebody has given to a page is of use only to the origins that the operator has named.
"""

from typing import Final
from urllib.parse import urlsplit

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send, WebSocketScope

from orchestrator.lib.errors.problem_details import summary
from orchestrator.lib.errors.problems import Forbidden
from orchestrator.lib.errors.websocket import refuse

Header = tuple[bytes, bytes]

ALWAYS: Final[list[Header]] = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]
# A route may set these itself.
_UNLESS_SET: Final[dict[bytes, bytes]] = {
    b"cache-control": b"no-store",  # all answers but those of cached audio are somebody's own, and change
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
}
_PREFLIGHT: Final[list[Header]] = [
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE"),
    # The star stands for all but Authorization: OpenAI's client sends a dozen headers of its own.
    (b"access-control-allow-headers", b"Authorization, Content-Type, Range, If-Range, If-None-Match, *"),
    (b"access-control-max-age", b"7200"),
]
_EXPOSED: Final[Header] = (
    b"access-control-expose-headers",
    (
        b"X-Request-ID, Retry-After, ETag, Accept-Ranges, Content-Range, Content-Location, X-Lectern-Characters,"
        b" X-Lectern-Seconds, X-Lectern-Cost, X-Lectern-Estimated-Seconds, X-Lectern-Estimated-Cost"
    ),
)


class ResponseHeaders:
    """A layer around the application. ``origins`` are exact, such as ``https://reader.example.com``."""

    def __init__(self, app: ASGIApp, origins: frozenset[str]) -> None:
        self.app = app
        self._origins = origins
        self._always = [*ALWAYS, (b"cross-origin-resource-policy", b"cross-origin" if origins else b"same-origin")]
        if origins:
            self._always.append((b"vary", b"Origin"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            await self._answer(scope, receive, send)
        elif scope["type"] == ScopeType.WEBSOCKET:
            await self._open(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _answer(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        origin = _header(scope, b"origin")
        cors = self._cors(origin) if origin is not None else []
        always = self._always

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message["headers"])
                names = {name for name, _ in headers}
                headers += always
                headers += cors
                headers += [header for header in _UNLESS_SET.items() if header[0] not in names]
                message["headers"] = headers
            await send(message)

        if scope["method"] == "OPTIONS" and origin is not None and _header(scope, b"access-control-request-method"):
            await self._preflight(origin, send_with_headers)
        else:
            await self.app(scope, receive, send_with_headers)

    def _cors(self, origin: str) -> list[Header]:
        return [(b"access-control-allow-origin", origin.encode("latin-1")), _EXPOSED] if self._allows(origin) else []

    def _allows(self, origin: str) -> bool:
        return origin.lower() in self._origins

    async def _preflight(self, origin: str, send: Send) -> None:
        status, headers, body = 204, _PREFLIGHT, b""
        if not self._allows(origin):
            problem = _forbidden(origin)
            status, body = problem.status, msgspec.json.encode(summary(problem))
            headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _open(self, scope: WebSocketScope, receive: Receive, send: Send) -> None:
        """Browsers let any page open a WebSocket, and leave it to the server to look where the page is from."""
        origin = _header(scope, b"origin")
        if origin is None or self._allows(origin) or _same_host(origin, _header(scope, b"host") or ""):
            await self.app(scope, receive, send)
        else:
            await refuse(scope, receive, send, _forbidden(origin))


def _forbidden(origin: str) -> Forbidden:
    return Forbidden(f"Pages of {origin} may not use this server: its operator can name them in LECTERN_CORS_ORIGINS.")


def _header(scope: Scope, wanted: bytes) -> str | None:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), None)


def _same_host(origin: str, host: str) -> bool:
    return urlsplit(origin).netloc.lower() == host.lower()
