"""How an open playback reaches its listener: a WebSocket both ways, or server-sent events one way."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

import msgspec
from litestar import WebSocket
from litestar.exceptions import WebSocketDisconnect

from orchestrator.lib.errors.problem_details import summary
from orchestrator.lib.errors.problems import BadRequest, Problem, TooMany
from orchestrator.lib.rate_limit import RateLimit
from orchestrator.playback.positions import PositionSaver
from orchestrator.playback.schemas import ClientMessage, ErrorMessage, PositionMessage, RetryMessage, StopMessage
from orchestrator.playback.session import PlaybackSession

Socket = WebSocket[Any, Any, Any]

EVENT_STREAM: Final = "text/event-stream"
_KEEP_ALIVE_SECONDS: Final = 15.0  # proxies close a connection that carries nothing for 30 or 60
_KEEP_ALIVE: Final = b": still here\n\n"

_DECODER: Final[msgspec.json.Decoder[ClientMessage]] = msgspec.json.Decoder(ClientMessage)
_EXAMPLE: Final = (
    'Send {"type": "position", "block": ID, "seconds": 1.5}, {"type": "retry", "block": ID} or {"type": "stop"}.'
)


async def serve_events(opened: AbstractAsyncContextManager[PlaybackSession]) -> AsyncGenerator[bytes, None]:
    """Yields the messages as server-sent events, and never ends by itself."""
    number = 0
    async with opened as session:
        while True:
            try:
                message = await asyncio.wait_for(session.send_queue.take(), _KEEP_ALIVE_SECONDS)
            except TimeoutError:
                yield _KEEP_ALIVE
            else:
                number += 1
                yield b"id: %d\ndata: %s\n\n" % (number, msgspec.json.encode(message))


async def serve_socket(socket: Socket, session: PlaybackSession, saver: PositionSaver, rate_limit: RateLimit) -> None:
    """Returns when the client has left. Raises `TooMany` if it sends too many messages."""
    tasks = [
        asyncio.create_task(work)
        for work in (_receive(socket, session, saver, rate_limit), _send(socket, session), saver.keep_saving())
    ]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await saver.finish()


async def _receive(socket: Socket, session: PlaybackSession, saver: PositionSaver, rate_limit: RateLimit) -> None:
    while (event := await socket.receive())["type"] == "websocket.receive":
        if not rate_limit.allows():
            raise TooMany("Too many messages: send where you are once a second, and when you jump.")
        try:
            _apply(_decode(event.get("text")), session, saver)
        except Problem as problem:
            session.send_queue.put(ErrorMessage(summary(problem)))


def _decode(text: str | None) -> ClientMessage:
    """Raises `BadRequest`."""
    if text is None:
        raise BadRequest(f"Messages are text, not binary. {_EXAMPLE}")
    try:
        return _DECODER.decode(text)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BadRequest(f"This message cannot be used: {str(error).rstrip('.')}. {_EXAMPLE}") from None


def _apply(message: ClientMessage, session: PlaybackSession, saver: PositionSaver) -> None:
    """Raises `NotFound`."""
    match message:
        case PositionMessage(block=block, seconds=seconds):
            session.move(block, seconds)
            saver.update(block, seconds)
        case RetryMessage(block=block):
            session.retry(block)
        case StopMessage():
            session.stop()


async def _send(socket: Socket, session: PlaybackSession) -> None:
    while True:
        message = await session.send_queue.take()
        try:
            await socket.send_text(msgspec.json.encode(message).decode())
        except (OSError, WebSocketDisconnect):  # the client left during the send
            return
