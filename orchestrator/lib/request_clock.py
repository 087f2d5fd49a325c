"""How long a client may take for its request, and for reading the answer."""

import asyncio
from collections.abc import Callable
from typing import Literal

from orchestrator.lib.settings import ServerSettings

Part = Literal["beginning", "head", "body"]


class RequestClock:
    """Each part of a request has `request_seconds`, and a body as long as it comes at `min_body_rate` besides.

    A request that comes at once, as nearly all do, starts no timer.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, settings: ServerSettings, out_of_time: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._settings = settings
        self._out_of_time = out_of_time
        self._timer: asyncio.TimerHandle | None = None
        self._awaited: tuple[int, Part] | None = None
        self._since = 0.0
        self.body = 0
        """Bytes of the request's body so far."""
        self._reader: asyncio.TimerHandle | None = None

    def wait_for(self, request: int, part: Part) -> None:
        """Goes on with the time of this part of this request, if it has begun; ``request`` is its number."""
        if self._awaited == (request, part) and self._timer is not None:
            return
        self.stop()
        self._awaited = request, part
        self._since = self._loop.time()
        self._timer = self._loop.call_later(self._settings.request_seconds, self._expire)

    def wait_for_reader(self, give_up: Callable[[], None]) -> None:
        """``give_up`` is called unless the client reads on before long."""
        self.reader_is_back()
        self._reader = self._loop.call_later(self._settings.stalled_seconds, give_up)

    def reader_is_back(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            self._reader = None

    def stop(self) -> None:
        """Waits no more for the request."""
        self._awaited = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        self._timer = None
        allowed = self._settings.request_seconds + self.body / self._settings.min_body_rate
        left = self._since + allowed - self._loop.time()
        if self._awaited is not None and self._awaited[1] == "body" and left > 0:
            self._timer = self._loop.call_later(left, self._expire)
        else:
            self._out_of_time()
