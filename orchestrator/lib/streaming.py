"""Streamed responses, and the cancellation of work whose client has left."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import aclosing
from typing import Any, ClassVar, Self, TypeVar, cast

from litestar import Request, Response
from litestar.response import Stream
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from orchestrator.lib.errors.problems import Problem

R = TypeVar("R")


async def begin(
    request: Request[Any, Any, Any],
    body: AsyncGenerator[bytes, None],
    content_type: str,
    headers: dict[str, str] | None = None,
) -> Stream:
    """Answers once there is a first byte to send, so that an error before that has its own status."""

    async def first_bytes() -> bytes:
        return await anext(body, b"")

    try:
        first = await unless_client_leaves(request, first_bytes())
    except BaseException:
        await body.aclose()
        raise
    # As a header: Litestar's Stream prefers the media type of the route, which is only audio in general.
    return _ClosingStream(_Peeked(first, body), body, headers={**(headers or {}), "content-type": content_type})


class HeadersOnly(Response[None]):
    """Answers HEAD without a Content-Length, where the length of the GET body is not known yet."""

    def to_asgi_response(self, app: Any, request: Request[Any, Any, Any], **options: Any) -> ASGIResponse:  # noqa: ANN401
        return super().to_asgi_response(app, request, **{**options, "is_head_response": True})


class _ClosingStream(Stream):
    """Closes its body at the end. Litestar leaves that to the garbage collector, also when a client has left."""

    def __init__(self, content: AsyncIterator[bytes], body: AsyncGenerator[bytes, None], **options: Any) -> None:  # noqa: ANN401
        super().__init__(content, **options)
        self._body = body

    def to_asgi_response(self, app: Any, request: Request[Any, Any, Any], **options: Any) -> ASGIResponse:  # noqa: ANN401
        made = super().to_asgi_response(app, request, **options)

        async def closing(scope: Scope, receive: Receive, send: Send) -> None:
            async with aclosing(self._body):
                await made(scope, receive, send)

        return cast("ASGIResponse", closing)


class _Peeked:
    """A body whose first item has been read already."""

    def __init__(self, first: bytes, rest: AsyncIterator[bytes]) -> None:
        self._first: bytes | None = first
        self._rest = rest

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        first, self._first = self._first, None
        if first is not None:
            return first
        await asyncio.sleep(0)  # sending to a client that reads fast, or has left, waits for nothing, nor may the body
        return await anext(self._rest)


class ClientLeft(Problem):
    """The client closed the connection before the answer began."""

    status: ClassVar[int] = 499
    title: ClassVar[str] = "Client closed request"
    slug: ClassVar[str] = "client-left"


async def unless_client_leaves(request: Request[Any, Any, Any], work: Coroutine[Any, Any, R]) -> R:
    """Cancels the work and raises `ClientLeft` as soon as the connection closes. The body must have been read.

    Litestar itself notices that only once a response has begun.
    """
    task = asyncio.ensure_future(work)
    watch = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait((task, watch), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise ClientLeft
    finally:
        watch.cancel()
        task.cancel()
        await asyncio.gather(task, watch, return_exceptions=True)


async def _disconnected(request: Request[Any, Any, Any]) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
