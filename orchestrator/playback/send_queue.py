"""The messages that wait to be sent to a listener."""

import asyncio
from collections import deque
from typing import Final

from orchestrator.playback.schemas import BlockMessage, ServerMessage

_LIMIT: Final = 200  # messages; in a longer queue, only the newest of each block stays


class SendQueue:
    """Never longer than the document has blocks, however slowly the listener reads."""

    def __init__(self) -> None:
        self._messages: deque[ServerMessage] = deque()
        self._not_empty = asyncio.Event()
        self._limit = _LIMIT

    def put(self, message: ServerMessage) -> None:
        self._messages.append(message)
        if len(self._messages) > self._limit:
            self._compact()
        self._not_empty.set()

    async def take(self) -> ServerMessage:
        while not self._messages:
            self._not_empty.clear()
            await self._not_empty.wait()
        return self._messages.popleft()

    def _compact(self) -> None:
        newest = {
            message.block if isinstance(message, BlockMessage) else type(message): message for message in self._messages
        }
        self._messages = deque(newest.values())
        # What stays may still be long; it must not be gone through again for every message.
        self._limit = max(_LIMIT, 2 * len(self._messages))
