"""Plain static file servers, started for one run: how fast the audio of the cache could be sent at best."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

START_SECONDS: Final = 20
FILE_VARIABLE: Final = "STATIC_SERVER_FILE"
NGINX_CONFIGURATION: Final = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off; sendfile on; keepalive_requests 100000000;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; root {folder}; }}
}}
"""

Event = MutableMapping[str, Any]
App = Callable[[Event, Callable[[], Awaitable[Event]], Callable[[Event], Awaitable[None]]], Awaitable[None]]


def app() -> App:
    """Returns the least that a Python server can do for a GET: read a file, send it."""
    path = os.environ[FILE_VARIABLE]

    async def serve(
        scope: Event,
        receive: Callable[[], Awaitable[Event]],  # noqa: ARG001
        send: Callable[[Event], Awaitable[None]],
    ) -> None:
        if scope["type"] != "http":
            raise RuntimeError("This serves HTTP only.")
        with open(path, "rb") as file:  # noqa: ASYNC230, PTH123 - a small file in the page cache, read as fast as can be
            body = file.read()
        headers = [(b"content-type", b"audio/ogg"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return serve


@asynccontextmanager
async def uvicorn_server(file: Path) -> AsyncIterator[tuple[str, int]]:
    """Yields address and process of a ten-line ASGI app, run by uvicorn as Lectern is."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", "perf.static_servers:app", "--port", str(port)]
    options = ["--no-access-log", "--log-level", "warning", "--loop", "uvloop", "--http", "httptools"]
    async with _running([*command, *options], port, {FILE_VARIABLE: str(file)}) as server:
        yield server


@asynccontextmanager
async def nginx_server(file: Path) -> AsyncIterator[tuple[str, int] | None]:
    """Yields address and process of an nginx that serves the file's folder; None where nginx is not installed."""
    binary = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if binary is None:
        yield None
        return
    port = free_port()
    configuration = file.parent / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    configuration.write_text(user + NGINX_CONFIGURATION.format(folder=file.parent, port=port))
    async with _running([binary, "-p", str(file.parent), "-c", str(configuration)], port, {}) as server:
        yield server


@asynccontextmanager
async def _running(command: list[str], port: int, environment: dict[str, str]) -> AsyncIterator[tuple[str, int]]:
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **environment}, stdin=subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(START_SECONDS):
            while not await _answers(port):
                if process.returncode is not None:
                    raise RuntimeError(f"{command[0]} ended with status {process.returncode} before it served.")
                await asyncio.sleep(0.05)
        yield f"127.0.0.1:{port}", process.pid
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
