"""What every request leaves behind, whatever becomes of it: an id in its response, a log line, a count and a time."""

import time
from typing import Final

import structlog
from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from orchestrator.lib import metrics
from orchestrator.lib.request_ids import ID_HEADER, request_id_of
from orchestrator.lib.websocket_access_log import follow_socket

_CLIENT_LEFT: Final = 499  # nginx's number for a client that closed before the answer was complete
_BROKEN: Final = 599  # ours: the answer had begun and could not be finished, so the connection was broken

log = structlog.stdlib.get_logger("lectern.request")


class AccessLog:
    """Outermost layer of the application, so that it also sees requests no route takes."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.WEBSOCKET:
            await follow_socket(self.app, scope, receive, send)
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
                MutableScopeHeaders.from_message(message)[ID_HEADER] = request_id
            await send(message)
            if message["type"] == "http.response.body":
                complete = not message.get("more_body", False)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, watched)
            except Exception:
                status, complete = _BROKEN, True
                raise
            finally:
                self._record(scope, status if complete else _CLIENT_LEFT, time.perf_counter() - started)

    @staticmethod
    def _record(scope: HTTPScope, status: int, seconds: float) -> None:
        # A path that no route takes has no template; its text must not become a label, as anyone can invent texts.
        path = scope.get("path_template") or "(none)"
        method = scope["method"]
        metrics.HTTP_REQUESTS.labels(method, path, status).inc()
        metrics.HTTP_SECONDS.labels(method, path).observe(seconds)
        quiet = path in ("/healthz", "/readyz", "/metrics")
        (log.debug if quiet else log.info)(
            "request", method=method, path=scope["path"], status=status, milliseconds=round(seconds * 1000, 2)
        )
