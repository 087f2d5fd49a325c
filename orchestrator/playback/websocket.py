"""A playback over one WebSocket: the listener's messages in, the server's out, until either side ends it."""

import asyncio
from typing import Any, Final

import msgspec
from litestar import WebSocket
from litestar.exceptions import WebSocketDisconnect

from orchestrator.lib.errors.problem_details import summary
from orchestrator.lib.errors.problems import BadRequest, Problem, TooMany
from orchestrator.lib.rate_limit import RateLimit
from orchestrator.playback.playback import Playback
from orchestrator.playback.position_saver import PositionSaver
from orchestrator.playback.schemas import Again, AtPosition, ClientMessage, ErrorMessage, Stop

Socket = WebSocket[Any, Any, Any]

_DECODER: Final[msgspec.json.Decoder[ClientMessage]] = msgspec.json.Decoder(ClientMessage)
_EXAMPLE: Final = (
    'Send {"type": "position", "block": ID, "seconds": 1.5}, {"type": "retry", "block": ID} or {"type": "stop"}.'
)


async def converse(socket: Socket, playback: Playback, keeper: PositionSaver, rate_limit: RateLimit) -> None:
    """Returns when the client has left. Raises `TooMany` if it says too much."""
    tasks = [
        asyncio.create_task(work)
        for work in (_hear(socket, playback, keeper, rate_limit), _tell(socket, playback), keeper.keep_storing())
    ]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await keeper.finish()


async def _hear(socket: Socket, playback: Playback, keeper: PositionSaver, rate_limit: RateLimit) -> None:
    while (event := await socket.receive())["type"] == "websocket.receive":
        if not rate_limit.allows():
            raise TooMany("Too many messages: send where you are once a second, and when you jump.")
        try:
            _obey(_read(event.get("text")), playback, keeper)
        except Problem as problem:
            playback.outbox.put(ErrorMessage(summary(problem)))


def _read(text: str | None) -> ClientMessage:
    """Raises `BadRequest`."""
    if text is None:
        raise BadRequest(f"Messages are text, not binary. {_EXAMPLE}")
    try:
        return _DECODER.decode(text)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BadRequest(f"This message cannot be used: {str(error).rstrip('.')}. {_EXAMPLE}") from None


def _obey(message: ClientMessage, playback: Playback, keeper: PositionSaver) -> None:
    """Raises `NotFound`."""
    match message:
        case AtPosition(block=block, seconds=seconds):
            playback.move(block, seconds)
            keeper.at(block, seconds)
        case Again(block=block):
            playback.retry(block)
        case Stop():
            playback.stop()


async def _tell(socket: Socket, playback: Playback) -> None:
    while True:
        message = await playback.outbox.take()
        try:
            await socket.send_text(msgspec.json.encode(message).decode())
        except (OSError, WebSocketDisconnect):  # it left while this was on its way
            return
