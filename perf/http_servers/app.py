"""The ASGI app that every server under comparison runs. It tells, when asked, which of its clients have left, and how.

``python -m perf.http_servers.app PORT`` runs it as Lectern is run: uvicorn behind `orchestrator.lib.http_protocol`.
"""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, Final

Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]

BODY: Final = os.urandom(45_000)
CHUNK: Final = os.urandom(1_100)
CHUNKS: Final = 40
FLOOD: Final = 256  # MiB
LEFT_FILE: Final = "HTTP_SERVERS_LEFT"  # names the file to which the app writes what it was told at the end

left: list[str] = []


def told(what: str) -> None:
    left.append(f"{time.monotonic():.4f} {what}")
    if path := os.environ.get(LEFT_FILE):
        with Path(path).open("a") as file:
            file.write(what + "\n")


async def app(scope: Event, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] == "websocket":
        await _socket(receive, send)
    else:
        await _ROUTES.get(scope["path"], _bytes)(receive, send)


async def _lifespan(receive: Receive, send: Send) -> None:
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})


async def _answer(send: Send, body: bytes) -> None:
    headers = [(b"content-type", b"application/octet-stream"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _bytes(_: Receive, send: Send) -> None:
    await _answer(send, BODY)


async def _left(_: Receive, send: Send) -> None:
    await _answer(send, "\n".join(left).encode())


async def _echo(receive: Receive, send: Send) -> None:
    body = b""
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            told("echo")
            return
        body += event.get("body", b"")
        if not event.get("more_body", False):
            break
    await _answer(send, body)


async def _begin(send: Send, *headers: tuple[bytes, bytes]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"audio/ogg"), *headers]})


async def _stream(_: Receive, send: Send) -> None:
    await _begin(send)
    for _chunk in range(CHUNKS):
        await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _two_seconds(_: Receive, send: Send) -> None:
    await _begin(send)
    for _chunk in range(20):
        await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
        await asyncio.sleep(0.1)
    await send({"type": "http.response.body", "body": b""})


async def _forever(receive: Receive, send: Send) -> None:
    """As Litestar does: the stream is cancelled when the server says that the client has left."""
    await _begin(send)

    async def speak() -> None:
        try:
            while True:
                await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
                await asyncio.sleep(0.05)
        finally:
            told("stream")

    task = asyncio.ensure_future(speak())
    try:
        while (await receive())["type"] != "http.disconnect":
            pass
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _silent(receive: Receive, _: Send) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    told("silent")


async def _broken(_: Receive, send: Send) -> None:
    await _begin(send)
    await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
    await asyncio.sleep(0.05)
    raise RuntimeError("as is intended")


async def _short(_: Receive, send: Send) -> None:
    await _begin(send, (b"content-length", str(2 * len(CHUNK)).encode()))
    await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
    await asyncio.sleep(0.05)
    raise RuntimeError("as is intended")


async def _flood(_: Receive, send: Send) -> None:
    await _begin(send)
    for _chunk in range(16 * FLOOD):
        await send({"type": "http.response.body", "body": bytes(65_536), "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _socket(receive: Receive, send: Send) -> None:
    while True:
        event = await receive()
        if event["type"] == "websocket.connect":
            await send({"type": "websocket.accept", "subprotocol": "lectern", "headers": []})
        elif event["type"] == "websocket.disconnect":
            told(f"socket {event.get('code')}")
            return
        elif event.get("text") == "close":
            await send({"type": "websocket.close", "code": 4409, "reason": "Conflict - as asked"})
        else:
            await send({"type": "websocket.send", "text": event.get("text") or ""})


_ROUTES: Final = {
    "/echo": _echo,
    "/left": _left,
    "/stream": _stream,
    "/two-seconds": _two_seconds,
    "/forever": _forever,
    "/silent": _silent,
    "/broken": _broken,
    "/short": _short,
    "/flood": _flood,
}

if __name__ == "__main__":
    import uvicorn

    from orchestrator.lib.http_protocol import http_protocol
    from orchestrator.lib.settings import ServerSettings

    uvicorn.run(
        app,
        http=http_protocol(ServerSettings(request_seconds=2, max_connections=100)),
        timeout_keep_alive=2,
        port=int(sys.argv[1]),
        timeout_graceful_shutdown=3,
        ws_max_size=4096,
        access_log=False,
        log_level="warning",
        server_header=False,
    )
