"""What waits to be sent to a listener."""

import asyncio
from collections import deque
from typing import Final

from orchestrator.playback.schemas import BlockMessage, ServerMessage

_MANY: Final = 200  # messages, beyond which a listener is told only the newest of each block


class Outbox:
    """Never longer than the document has blocks, however slowly it is read."""

    def __init__(self) -> None:
        self._messages: deque[ServerMessage] = deque()
        self._news = asyncio.Event()
        self._longest = _MANY

    def put(self, message: ServerMessage) -> None:
        self._messages.append(message)
        if len(self._messages) > self._longest:
            self._shorten()
        self._news.set()

    async def take(self) -> ServerMessage:
        while not self._messages:
            self._news.clear()
            await self._news.wait()
        return self._messages.popleft()

    def _shorten(self) -> None:
        newest = {
            message.block if isinstance(message, BlockMessage) else type(message): message for message in self._messages
        }
        self._messages = deque(newest.values())
        # So that a long rest is not gone through again for every message.
        self._longest = max(_MANY, 2 * len(self._messages))
