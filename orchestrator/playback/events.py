"""A playback as server-sent events."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from typing import Final

import msgspec

from orchestrator.playback.playback import Playback

CONTENT_TYPE: Final = "text/event-stream"
_SILENCE: Final = 15.0  # seconds; proxies give up on a connection that carries nothing for 30 or 60
_STILL_HERE: Final = b": still here\n\n"


async def events(opened: AbstractAsyncContextManager[Playback]) -> AsyncGenerator[bytes, None]:
    """Never ends by itself."""
    number = 0
    async with opened as playback:
        while True:
            try:
                message = await asyncio.wait_for(playback.outbox.take(), _SILENCE)
            except TimeoutError:
                yield _STILL_HERE
            else:
                number += 1
                yield b"id: %d\ndata: %s\n\n" % (number, msgspec.json.encode(message))
