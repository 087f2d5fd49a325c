"""While the database is away, a segment is made all the same."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from orchestrator.embedded.home import Home
from orchestrator.lib import database
from orchestrator.lib.environment import Secret
from orchestrator.lib.leases import Leases
from orchestrator.lib.settings import DatabaseSettings
from tests.integration.servers import database_url
from tests.stack import Stack


class Line:
    """A way to a server, which can be cut."""

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def laid(self) -> AsyncIterator[int]:
        """Yields the port of its near end."""
        self._server = await asyncio.start_server(self._carry, "127.0.0.1")
        try:
            yield self._server.sockets[0].getsockname()[1]
        finally:
            await self.cut()

    async def cut(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._to)
        for one, other in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(self._copy(one, other))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError):
                while data := await reader.read(65_536):
                    writer.write(data)
                    await writer.drain()
        finally:
            writer.close()


@pytest.mark.anyio
async def test_nobody_waits_for_a_lease_while_the_database_is_away(stack: Stack) -> None:
    url = urlsplit(database_url(Home(stack.home)))
    line = Line(str(url.hostname), url.port or 5432)
    async with line.laid() as port:
        near = url._replace(netloc=url.netloc.replace(f":{url.port}", f":{port}")).geturl()
        async with database.pool(DatabaseSettings(url=Secret(near))):
            leases = Leases()
            async with leases.hold(uuid4().hex) as contended:
                assert not contended
            await line.cut()
            async with asyncio.timeout(60), leases.hold(uuid4().hex) as contended:
                assert not contended
