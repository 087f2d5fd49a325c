"""What every WebSocket leaves behind, as `request_trail` has it for requests: an id, a log line, a count."""

import time
from typing import Final

import structlog
from litestar.datastructures import MutableScopeHeaders
from litestar.types import ASGIApp, Message, Receive, ReceiveMessage, Send, WebSocketScope

from orchestrator.lib import metrics
from orchestrator.lib.request_ids import ID_HEADER, request_id_of

# What a client, or the loss of it, closes with. Others are anybody's choice and must not each become a label.
_USUAL: Final = {1000, 1001, 1005, 1006, 1012}
_BROKEN: Final = 1011  # the server failed

log = structlog.stdlib.get_logger("lectern.socket")


async def follow_socket(app: ASGIApp, scope: WebSocketScope, receive: Receive, send: Send) -> None:
    started = time.perf_counter()
    code: int | str | None = None
    request_id = request_id_of(scope)

    async def received() -> ReceiveMessage:
        nonlocal code
        message = await receive()
        if message["type"] == "websocket.disconnect" and code is None:
            code = message["code"] if message["code"] in _USUAL else "client"
        return message

    async def sent(message: Message) -> None:
        nonlocal code
        if message["type"] == "websocket.accept":
            message.setdefault("headers", [])
            MutableScopeHeaders.from_message(message)[ID_HEADER] = request_id
        if message["type"] == "websocket.close" and code is None:
            code = message["code"]
        await send(message)

    with structlog.contextvars.bound_contextvars(request_id=request_id):
        try:
            await app(scope, received, sent)
        except Exception:
            code = code or _BROKEN
            raise
        finally:
            path = scope.get("path_template") or "(none)"
            metrics.SOCKETS.labels(path, code or 1006).inc()
            log.info("socket", path=scope["path"], code=code or 1006, seconds=round(time.perf_counter() - started, 2))
