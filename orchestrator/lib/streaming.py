"""An audio stream as an HTTP response."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from litestar import Request, Response
from litestar.response import Stream
from litestar.response.base import ASGIResponse

from orchestrator.lib.disconnects import unless_client_leaves


async def begin(
    request: Request[Any, Any, Any],
    body: AsyncGenerator[bytes, None],
    content_type: str,
    headers: dict[str, str] | None = None,
) -> Stream:
    """Answers once there is a first byte to send, so that whatever fails before that gets a status of its own."""

    async def first_bytes() -> bytes:
        return await anext(body, b"")

    try:
        first = await unless_client_leaves(request, first_bytes())
    except BaseException:
        await body.aclose()
        raise
    # As a header: Litestar's Stream prefers the media type of the route, which only says that it is some audio.
    return Stream(_continued(first, body), headers={**(headers or {}), "content-type": content_type})


class HeadersOnly(Response[None]):
    """For HEAD where the length of what GET would send is not known yet: no Content-Length rather than a wrong one."""

    def to_asgi_response(self, app: Any, request: Request[Any, Any, Any], **options: Any) -> ASGIResponse:  # noqa: ANN401
        return super().to_asgi_response(app, request, **{**options, "is_head_response": True})


async def _continued(first: bytes, body: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(body):
        yield first
        async for data in body:
            yield data
