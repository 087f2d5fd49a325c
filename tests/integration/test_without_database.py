"""While the database is away, speech goes on: with keys that were valid before, without leases, and it is counted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest

from orchestrator.embedded.home import Home
from orchestrator.lib import database
from orchestrator.lib.environment import Secret
from orchestrator.lib.leases import Leases
from orchestrator.lib.settings import DatabaseSettings
from tests.integration.servers import database_url, web_server
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


@pytest.mark.anyio
async def test_speech_goes_on_without_the_database_and_is_written_down(stack: Stack, tmp_path: Path) -> None:
    url = urlsplit(database_url(Home(stack.home)))
    line = Line(str(url.hostname), url.port or 5432)
    store = tmp_path / "store"
    async with line.laid() as port:
        near = url._replace(netloc=url.netloc.replace(f":{url.port}", f":{port}")).geturl()
        server = web_server(stack, tmp_path / "web.log", DATABASE_URL=near, STORE_URL=store.as_uri())
        address = await asyncio.to_thread(server.__enter__)
        try:
            headers = {"authorization": f"Bearer {stack.api_key}"}
            async with httpx.AsyncClient(base_url=address, headers=headers, timeout=120, trust_env=False) as api:

                async def speak() -> httpx.Response:
                    text = f"Nobody counts {uuid4().hex} now."
                    return await api.post("/v1/audio/speech", json={"model": "hum", "voice": "hum", "input": text})

                assert (await speak()).status_code == 200
                await line.cut()
                for _ in range(3):
                    assert (answer := await speak()).status_code == 200, (
                        answer.text,
                        (tmp_path / "web.log").read_text()[-3000:],
                    )
                assert list((store / "usage").iterdir())
                unknown = await api.get("/v1/models", headers={"authorization": "Bearer unknown"})
                assert unknown.status_code == 503
        finally:
            await asyncio.to_thread(server.__exit__, None, None, None)
