"""How a WebSocket learns what went wrong: a message with the problem, then a close code of 4000 and the HTTP status.

A browser tells a page nothing of a handshake that was refused, so the handshake is always completed first.
"""

from typing import Any, Final

import msgspec
import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator.lib.errors.problem_details import summary

PROTOCOL: Final = "lectern"  # a browser gives up where it offered subprotocols and none is taken
_FIRST_CODE: Final = 4000
_LONGEST_REASON: Final = 123  # bytes of UTF-8, by RFC 6455
_NOTED: Final = "problem"

log = structlog.stdlib.get_logger("lectern.errors")


def chosen_protocol(scope: Scope) -> str | None:
    return PROTOCOL if scope["type"] == ScopeType.WEBSOCKET and PROTOCOL in scope["subprotocols"] else None


def error_message(error: Exception) -> str:
    return msgspec.json.encode({"type": "error", "error": summary(error)}).decode()


async def note_problem(error: Exception, scope: Scope) -> None:
    """A hook of Litestar's, whose own answer to any exception in a WebSocket is the close code 4500."""
    if scope["type"] == ScopeType.WEBSOCKET:
        scope["state"][_NOTED] = error


class WebSocketProblems:
    """Around the application, so that it also answers where no route does."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.WEBSOCKET:
            await self.app(scope, receive, send)
            return
        accepted = False

        async def telling(message: Message) -> None:
            nonlocal accepted
            error = scope["state"].pop(_NOTED, None) if message["type"] == "websocket.close" else None
            if error is None:
                accepted = accepted or message["type"] == "websocket.accept"
                await send(message)
                return
            if not accepted:
                await send({"type": "websocket.accept", "subprotocol": chosen_protocol(scope), "headers": []})
            await send({"type": "websocket.send", "bytes": None, "text": error_message(error)})
            await send(_close(summary(error), error))

        await self.app(scope, receive, telling)


def _close(problem: dict[str, Any], error: Exception) -> Message:
    if problem["status"] >= 500:  # noqa: PLR2004
        log.error("socket failed", status=problem["status"], detail=problem["detail"], exc_info=error)
    reason = problem["detail"].encode()
    if len(reason) > _LONGEST_REASON:
        reason = reason[: _LONGEST_REASON - 3].decode(errors="ignore").encode() + "…".encode()
    return {"type": "websocket.close", "code": _FIRST_CODE + problem["status"], "reason": reason.decode()}
