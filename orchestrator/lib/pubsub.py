"""What processes tell each other through Postgres: a few words to whoever listens at that moment."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import asyncpg
import msgspec
import structlog

from orchestrator.lib.database import is_outage, run
from orchestrator.lib.settings import DatabaseSettings

APPLICATION: Final = "lectern-pubsub"
_PROBE: Final = 10.0  # seconds between looks whether the connection still carries anything
_PATIENCE: Final = 5.0  # for any answer of the database
_PAUSE: Final = 1.0  # before the next attempt to connect
_OVERLAP: Final = 5.0  # seconds that a gap is made longer by: what was said while it was noticed counts too

log = structlog.stdlib.get_logger("lectern.pubsub")


class _Channel(msgspec.Struct, frozen=True):
    name: str
    hear: Callable[[str], None]
    catch_up: Callable[[float], Awaitable[None]]


class PubSub:
    """A connection of its own, as one of the pool is given back after each statement. It reconnects by itself."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self._settings = settings
        self._channels: list[_Channel] = []
        self._deaf_since: float | None = None

    def subscribe(self, name: str, hear: Callable[[str], None], catch_up: Callable[[float], Awaitable[None]]) -> None:
        """``catch_up`` is called with the length in seconds of a time in which nothing could be heard."""
        self._channels.append(_Channel(name, hear, catch_up))

    async def send(self, name: str, payload: str) -> None:
        """At most 8,000 bytes. The sender's own process hears it too."""
        await run("SELECT pg_notify({}, {})", name, payload)

    async def keep_listening(self) -> None:
        """Runs for as long as the process does."""
        while True:
            try:
                await self._listen()
            except Exception as error:  # this task must outlive whatever one connection brings
                if is_outage(error):
                    log.warning("pubsub are not heard", error=str(error))
                else:
                    log.exception("pubsub are not heard")
            self._deaf_since = self._deaf_since or time.monotonic()
            await asyncio.sleep(_PAUSE)

    async def _listen(self) -> None:
        """Until the connection is lost."""
        connection = await asyncpg.connect(
            self._settings.url.reveal(),
            timeout=_PATIENCE,
            command_timeout=_PATIENCE,
            server_settings={"application_name": APPLICATION},  # to be told from the pool's in pg_stat_activity
        )
        try:
            lost = asyncio.Event()
            connection.add_termination_listener(lambda _: lost.set())
            for channel in self._channels:
                await connection.add_listener(channel.name, _told(channel.hear))
            if self._deaf_since is not None:
                gap = time.monotonic() - self._deaf_since + _OVERLAP
                for channel in self._channels:
                    await channel.catch_up(gap)
                self._deaf_since = None
            while not lost.is_set():
                try:
                    await asyncio.wait_for(lost.wait(), _PROBE)
                except TimeoutError:
                    await connection.execute("SELECT 1")
        finally:
            connection.terminate()  # there is nothing to finish on it


def _told(hear: Callable[[str], None]) -> Callable[..., None]:
    def told(_connection: Any, _pid: int, _channel: str, payload: object) -> None:  # noqa: ANN401 - asyncpg's
        hear(str(payload))

    return told
