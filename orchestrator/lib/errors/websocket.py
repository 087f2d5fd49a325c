"""Answers errors in a WebSocket: a message with the problem, then a close code of 4000 plus the HTTP status.

A browser tells a page nothing about a refused handshake, so the handshake is always completed first.
"""

from typing import Any, Final

import msgspec
import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator.lib.errors.problem_details import summary
from orchestrator.lib.errors.problems import Problem

PROTOCOL: Final = "lectern"  # a browser that offers subprotocols gives up if the server takes none
_FIRST_CODE: Final = 4000
_MAX_REASON: Final = 123  # bytes of UTF-8, by RFC 6455
_STATE_KEY: Final = "problem"

log = structlog.stdlib.get_logger("lectern.errors")


def chosen_protocol(scope: Scope) -> str | None:
    return PROTOCOL if scope["type"] == ScopeType.WEBSOCKET and PROTOCOL in scope["subprotocols"] else None


def error_message(error: Exception) -> str:
    return msgspec.json.encode({"type": "error", "error": summary(error)}).decode()


async def refuse(scope: Scope, receive: Receive, send: Send, problem: Problem) -> None:
    """Completes the handshake, tells the problem and closes."""
    await receive()
    await send({"type": "websocket.accept", "subprotocol": chosen_protocol(scope), "headers": []})
    await send({"type": "websocket.send", "bytes": None, "text": error_message(problem)})
    await send(_close(summary(problem), problem))


async def note_problem(error: Exception, scope: Scope) -> None:
    """A hook of Litestar's. Stores the error: Litestar itself would close every WebSocket with 4500."""
    if scope["type"] == ScopeType.WEBSOCKET:
        scope["state"][_STATE_KEY] = error


class WebSocketProblems:
    """A layer around the application, which also answers where no route does."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.WEBSOCKET:
            await self.app(scope, receive, send)
            return
        accepted = False

        async def send_with_problem(message: Message) -> None:
            nonlocal accepted
            error = scope["state"].pop(_STATE_KEY, None) if message["type"] == "websocket.close" else None
            if error is None:
                accepted = accepted or message["type"] == "websocket.accept"
                await send(message)
                return
            if not accepted:
                await send({"type": "websocket.accept", "subprotocol": chosen_protocol(scope), "headers": []})
            await send({"type": "websocket.send", "bytes": None, "text": error_message(error)})
            await send(_close(summary(error), error))

        await self.app(scope, receive, send_with_problem)


def _close(problem: dict[str, Any], error: Exception) -> Message:
    if problem["status"] >= 500:  # noqa: PLR2004
        log.error("socket failed", status=problem["status"], detail=problem["detail"], exc_info=error)
    reason = problem["detail"].encode()
    if len(reason) > _MAX_REASON:
        reason = reason[: _MAX_REASON - 3].decode(errors="ignore").encode() + "…".encode()
    return {"type": "websocket.close", "code": _FIRST_CODE + problem["status"], "reason": reason.decode()}
