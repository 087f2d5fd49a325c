"""The access log: each request and each WebSocket gets an id, a log line and metrics, however it ends."""

import asyncio
import re
import time
from functools import cache
from typing import Final

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, ReceiveMessage, Scope, Send, WebSocketScope
from prometheus_client import Counter, Histogram

from orchestrator.lib import metrics
from orchestrator.lib.ids import new_id

REFUSED: Final = "refused"  # in a request's state: the status with which its connection was ended meanwhile
_ID_HEADER: Final = b"x-request-id"
_ACCEPTED_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_CLIENT_LEFT: Final = 499  # nginx's number for a client that closed before the answer was complete
_BROKEN: Final = 599  # our own number: the answer had begun and could not be finished, so the connection was broken

# Close codes that a client, or its loss, usually has. Any other is of the client's choice and must not become a label.
_USUAL_CLOSE_CODES: Final = {1000, 1001, 1005, 1006, 1012}
_SERVER_FAILED: Final = 1011
_LOST: Final = 1006  # without a word

log = structlog.stdlib.get_logger("lectern.request")
socket_log = structlog.stdlib.get_logger("lectern.socket")


class AccessLog:
    """The outermost layer of the application, which also sees the requests that no route takes."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.WEBSOCKET:
            await _log_socket(self.app, scope, receive, send)
            return
        if scope["type"] != ScopeType.HTTP:
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0
        complete = False
        request_id = request_id_of(scope)

        async def watched(message: Message) -> None:
            nonlocal status, complete
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (_ID_HEADER, request_id.encode())]
            await send(message)
            if message["type"] == "http.response.body":
                complete = not message.get("more_body", False)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, watched)
            except (Exception, asyncio.CancelledError):  # it failed, or the server stops and has waited long enough
                status, complete = _BROKEN, True
                raise
            finally:
                refused = scope["state"].get(REFUSED)
                self._record(scope, refused or (status if complete else _CLIENT_LEFT), time.perf_counter() - started)

    @staticmethod
    def _record(scope: HTTPScope, status: int, seconds: float) -> None:
        # A path that no route takes has no template, and must not become a label: anyone can invent paths.
        path = scope.get("path_template") or "(none)"
        method = scope["method"]
        requests, durations = _metrics(method, path, status)
        requests.inc()
        durations.observe(seconds)
        quiet = path in ("/healthz", "/readyz", "/metrics")
        (log.debug if quiet else log.info)(
            "request", method=method, path=scope["path"], status=status, milliseconds=round(seconds * 1000, 2)
        )


@cache
def _metrics(method: str, path: str, status: int) -> tuple[Counter, Histogram]:
    return metrics.HTTP_REQUESTS.labels(method, path, status), metrics.HTTP_SECONDS.labels(method, path)


async def _log_socket(app: ASGIApp, scope: WebSocketScope, receive: Receive, send: Send) -> None:
    started = time.perf_counter()
    code: int | str | None = None
    request_id = request_id_of(scope)

    async def received() -> ReceiveMessage:
        nonlocal code
        message = await receive()
        if message["type"] == "websocket.disconnect" and code is None:
            code = message["code"] if message["code"] in _USUAL_CLOSE_CODES else "client"
        return message

    async def sent(message: Message) -> None:
        nonlocal code
        if message["type"] == "websocket.accept":
            message["headers"] = [*message.get("headers", []), (_ID_HEADER, request_id.encode())]
        if message["type"] == "websocket.close" and code is None:
            code = message["code"]
        try:
            await send(message)
        except OSError:  # as the ASGI specification has it, once the client has left
            code = code or _LOST
            raise

    with structlog.contextvars.bound_contextvars(request_id=request_id):
        try:
            await app(scope, received, sent)
        except Exception:
            code = code or _SERVER_FAILED
            raise
        finally:
            path = scope.get("path_template") or "(none)"
            metrics.SOCKETS.labels(path, code or _LOST).inc()
            socket_log.info(
                "socket", path=scope["path"], code=code or _LOST, seconds=round(time.perf_counter() - started, 2)
            )


def request_id_of(scope: Scope) -> str:
    """Returns the id in the request's header if it is a plain token, else a new one; the same at every call."""
    state = scope.setdefault("state", {})
    if "request_id" not in state:
        offered = next((value.decode("latin-1") for name, value in scope["headers"] if name == _ID_HEADER), "")
        state["request_id"] = offered if _ACCEPTED_ID.fullmatch(offered) else str(new_id())
    return str(state["request_id"])
