"""Publish and subscribe between processes, by Postgres' LISTEN and NOTIFY: only connected ones get a message."""

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
_PROBE: Final = 10.0  # seconds between checks of the connection
_TIMEOUT: Final = 5.0  # seconds for any answer of the database
_PAUSE: Final = 1.0  # seconds before the next attempt to connect
_OVERLAP: Final = 5.0  # seconds added to a gap, between the clock of a transaction and the delivery of its message

log = structlog.stdlib.get_logger("lectern.pubsub")


class _Channel(msgspec.Struct, frozen=True):
    name: str
    receive: Callable[[str], None]
    catch_up: Callable[[float], Awaitable[None]]


class PubSub:
    """Has its own connection, as the pool takes a connection back after each statement. Reconnects by itself."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self._settings = settings
        self._channels: list[_Channel] = []
        self._worked_at: float | None = None
        """When the connection was last known to work: what was sent later may be lost without a sign."""

    def subscribe(
        self, name: str, receive: Callable[[str], None], catch_up: Callable[[float], Awaitable[None]]
    ) -> None:
        """``receive`` gets each payload; ``catch_up`` gets the seconds of a gap in which messages were lost."""
        self._channels.append(_Channel(name, receive, catch_up))

    async def send(self, name: str, payload: str) -> None:
        """Sends at most 8,000 bytes to every subscribed process, this one included."""
        await run("SELECT pg_notify({}, {})", name, payload)

    async def keep_listening(self) -> None:
        """Runs until cancelled."""
        while True:
            try:
                await self._listen()
            except Exception as error:  # a failed connection must not end this task
                if is_outage(error):
                    log.warning("pubsub is disconnected", error=str(error))
                else:
                    log.exception("pubsub is disconnected")
            await asyncio.sleep(_PAUSE)

    async def _listen(self) -> None:
        """Returns when the connection is lost."""
        connection = await asyncpg.connect(
            self._settings.url.reveal(),
            timeout=_TIMEOUT,
            command_timeout=_TIMEOUT,
            server_settings={
                "application_name": APPLICATION
            },  # tells it from the pool's connections in pg_stat_activity
        )
        try:
            lost = asyncio.Event()
            connection.add_termination_listener(lambda _: lost.set())
            for channel in self._channels:
                await connection.add_listener(channel.name, _callback(channel.receive))
            listening_since = time.monotonic()
            if self._worked_at is not None:
                gap = listening_since - self._worked_at + _OVERLAP
                for channel in self._channels:
                    await channel.catch_up(gap)
            self._worked_at = listening_since
            while not lost.is_set():
                try:
                    await asyncio.wait_for(lost.wait(), _PROBE)
                except TimeoutError:
                    asked_at = time.monotonic()
                    await connection.execute("SELECT 1")
                    self._worked_at = asked_at
        finally:
            connection.terminate()  # nothing is left to do on it


def _callback(receive: Callable[[str], None]) -> Callable[..., None]:
    def callback(_connection: Any, _pid: int, _channel: str, payload: object) -> None:  # noqa: ANN401 - asyncpg's
        receive(str(payload))

    return callback
