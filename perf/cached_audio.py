"""Counts GETs of cached audio for each second of processor time, beside servers that only send a file."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import msgspec

from perf.http_client import Connection, checked
from perf.machine import cpu_seconds
from perf.stack import Stack
from perf.static_servers import nginx_server, uvicorn_server

TEXT: Final = (
    "The harbour lay quiet in the early light, and the first boats had already left for the open sea. "
    "On the quay an old man mended his nets, as he had done every morning for more than forty years."
)
WAIT_SECONDS: Final = 60


@dataclass(frozen=True)
class Target:
    """A server that answers ``path`` with the audio, and the processes whose processor time counts."""

    name: str
    connect: Callable[[], Connection]
    path: str
    processes: list[int]

    async def load(self, seconds: float, concurrency: int, expected: bytes) -> dict[str, float]:
        """Asks for the audio again and again, on ``concurrency`` connections; returns answers per second."""
        end = time.perf_counter() + seconds
        done = 0

        async def work() -> None:
            nonlocal done
            async with self.connect() as connection:
                while time.perf_counter() < end:
                    if checked(await connection.ask("GET", self.path)).body != expected:
                        raise RuntimeError(f"{self.name} sent something else than the audio.")
                    done += 1

        before = [cpu_seconds(pid) for pid in self.processes]
        async with asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(work())
        used = [cpu_seconds(pid) - start for pid, start in zip(self.processes, before, strict=True)]
        measured = {f"{self.name}_per_second": done / seconds, f"{self.name}_per_cpu_second": done / max(used[0], 0.01)}
        if len(used) > 1:
            measured[f"{self.name}_per_cpu_second_with_postgres"] = done / max(sum(used), 0.01)
        return measured


@asynccontextmanager
async def targets(stack: Stack) -> AsyncIterator[tuple[list[Target], bytes]]:
    """Yields Lectern with a cached block, and static servers with the same bytes. Deletes the document at the end."""
    async with AsyncExitStack() as open_things:
        path = await open_things.enter_async_context(_stored_block(stack))
        audio = await _wait_until_stored(stack, path)
        folder = Path(open_things.enter_context(TemporaryDirectory(prefix="lectern-perf-")))
        file = folder / "audio.opus"
        file.write_bytes(audio)
        static = {
            "uvicorn": await open_things.enter_async_context(uvicorn_server(file)),
            "nginx": await open_things.enter_async_context(nginx_server(file)),
        }

        processes = [stack.processes["orchestrator"]]
        processes += [pid for name, pid in stack.processes.items() if name == "postgres"]
        found = [Target("lectern", stack.connection, path, processes)]
        for name, server in static.items():
            if server is not None:
                address, pid = server
                found.append(Target(name, partial(Connection, address), f"/{file.name}", [pid]))
        yield found, audio


@asynccontextmanager
async def _stored_block(stack: Stack) -> AsyncIterator[str]:
    body = msgspec.json.encode({"text": TEXT, "format": "text", "title": "Measured"})
    document = await _ask(stack, "POST", "/api/v1/documents", body)
    address = f"/api/v1/documents/{document['id']}"
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while document["status"] not in ("ready", "failed"):
                await asyncio.sleep(0.1)
                document = await _ask(stack, "GET", address)
        if document["status"] == "failed":
            raise RuntimeError(f"The document failed: {document['error']}")
        blocks = await _ask(stack, "GET", f"{address}/blocks")
        yield f"{address}/blocks/{blocks['items'][0]['id']}/audio?response_format=opus"
    finally:
        await _ask(stack, "DELETE", address)


async def _ask(stack: Stack, method: str, path: str, body: bytes = b"") -> Any:  # noqa: ANN401 - JSON
    async with stack.connection() as connection:
        answer = checked(await connection.ask(method, path, body))
    return msgspec.json.decode(answer.body) if answer.body else None


async def _wait_until_stored(stack: Stack, path: str) -> bytes:
    """A streamed answer has no length; one from the store has."""
    async with stack.connection() as connection, asyncio.timeout(WAIT_SECONDS):
        while True:
            answer = checked(await connection.ask("GET", path))
            if "content-length" in answer.headers:
                return answer.body
            await asyncio.sleep(0.1)
