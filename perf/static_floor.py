"""The least that a Python server can do for a GET: read a file, send it. Run by uvicorn, as Lectern is."""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Event = MutableMapping[str, Any]
PATH = os.environ["STATIC_FLOOR_FILE"]


async def app(scope: Event, receive: Callable[[], Awaitable[Event]], send: Callable[[Event], Awaitable[None]]) -> None:  # noqa: ARG001
    if scope["type"] != "http":
        raise RuntimeError("This serves HTTP only.")
    with open(PATH, "rb") as file:  # noqa: ASYNC230, PTH123 - a small file in the page cache, read as fast as can be
        body = file.read()
    headers = [(b"content-type", b"audio/ogg"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
