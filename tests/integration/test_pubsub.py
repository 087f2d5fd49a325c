"""Messages that are lost before the loss of the connection shows are caught up with too."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import pytest

from orchestrator.embedded.home import Home
from orchestrator.lib import database
from orchestrator.lib import pubsub as module
from orchestrator.lib.environment import Secret
from orchestrator.lib.pubsub import PubSub
from orchestrator.lib.settings import DatabaseSettings
from tests.integration.servers import database_url
from tests.stack import Stack

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("connected")]

LIMIT = 60.0  # seconds, against a hang
CHANNEL = "lectern_test"


class Proxy:
    """Between a client and Postgres. A stalled connection stays open and lets nothing through, as a cut cable."""

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._stalled: set[asyncio.StreamWriter] = set()
        self._clients: set[asyncio.StreamWriter] = set()

    def stall(self) -> None:
        """Stalls the connections that there are; later ones work."""
        self._stalled |= self._clients

    async def connect(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        from_server, server = await asyncio.open_connection(*self._target)
        self._clients.add(client)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._forward(reader, server, client))
                tasks.create_task(self._forward(from_server, client, client))
        except* OSError:
            pass  # either side may break off
        finally:
            server.close()
            client.close()

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, client: asyncio.StreamWriter
    ) -> None:
        while data := await reader.read(65_536):
            if client not in self._stalled:
                writer.write(data)
                await writer.drain()
        writer.close()


class Subscriber:
    def __init__(self, pubsub: PubSub) -> None:
        self.received: asyncio.Queue[str] = asyncio.Queue()
        self.since: asyncio.Queue[float] = asyncio.Queue()
        """From when on each gap was caught up with."""
        pubsub.subscribe(CHANNEL, self.received.put_nowait, self._catch_up)

    async def _catch_up(self, gap: float) -> None:
        self.since.put_nowait(time.monotonic() - gap)


@asynccontextmanager
async def subscribed(stack: Stack) -> AsyncIterator[tuple[PubSub, Subscriber, Proxy]]:
    """Yields once messages come."""
    parts = urlsplit(database_url(Home(stack.home)))
    proxy = Proxy(parts.hostname or "", parts.port or 5432)
    async with await asyncio.start_server(proxy.connect, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        user = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
        url = urlunsplit(parts._replace(netloc=f"{user}{host}:{port}"))
        pubsub = PubSub(DatabaseSettings(url=Secret(url)))
        subscriber = Subscriber(pubsub)
        listening = asyncio.create_task(pubsub.keep_listening())
        try:
            await until_received(pubsub, subscriber)
            yield pubsub, subscriber, proxy
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


async def until_received(pubsub: PubSub, subscriber: Subscriber) -> None:
    async with asyncio.timeout(LIMIT):
        while subscriber.received.empty():
            await pubsub.send(CHANNEL, "is anybody there?")
            await asyncio.sleep(0.05)
    while not subscriber.received.empty():
        subscriber.received.get_nowait()


async def test_a_gap_reaches_back_to_when_the_connection_last_worked(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in (("_PROBE", 0.5), ("_TIMEOUT", 2.0), ("_PAUSE", 0.1), ("_OVERLAP", 0.0)):
        monkeypatch.setattr(module, name, seconds)
    async with subscribed(stack) as (pubsub, subscriber, proxy):
        proxy.stall()
        sent_at = time.monotonic()
        await pubsub.send(CHANNEL, "lost")
        async with asyncio.timeout(LIMIT):
            since = await subscriber.since.get()
        assert since <= sent_at
        await until_received(pubsub, subscriber)


async def test_a_connection_that_the_server_ends_is_caught_up_with_and_replaced(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_OVERLAP", 0.0)
    async with subscribed(stack) as (pubsub, subscriber, _):
        ended_at = time.monotonic()
        await database.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = {}", module.APPLICATION
        )
        await pubsub.send(CHANNEL, "lost")
        async with asyncio.timeout(LIMIT):
            since = await subscriber.since.get()
        assert since <= ended_at
        await until_received(pubsub, subscriber)
