"""PubSub that a client left while its answer was still being prepared.

Litestar watches for this only once a response has begun; until then nobody reads the connection.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, ClassVar, TypeVar

from litestar import Request

from orchestrator.lib.errors.problems import Problem

R = TypeVar("R")


class ClientLeft(Problem):
    """The client closed the connection before the answer began."""

    status: ClassVar[int] = 499
    title: ClassVar[str] = "Client closed request"
    slug: ClassVar[str] = "client-left"


async def unless_client_leaves(request: Request[Any, Any, Any], work: Coroutine[Any, Any, R]) -> R:
    """Cancels the work and raises `ClientLeft` as soon as the connection closes. The body must have been read."""
    task = asyncio.ensure_future(work)
    watch = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait((task, watch), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise ClientLeft
    finally:
        watch.cancel()
        task.cancel()
        await asyncio.gather(task, watch, return_exceptions=True)


async def _left(request: Request[Any, Any, Any]) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
