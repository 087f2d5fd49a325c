"""Answers with a file in memory: validators, 304 and byte ranges (RFC 9110, 13 and 14).

A request for several ranges gets the whole file, as the RFC allows.
"""

import re
from typing import Any, Final

from litestar import Request, Response
from litestar.status_codes import (
    HTTP_200_OK,
    HTTP_206_PARTIAL_CONTENT,
    HTTP_304_NOT_MODIFIED,
    HTTP_416_REQUESTED_RANGE_NOT_SATISFIABLE,
)

_RANGE: Final = re.compile(r"bytes=(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))", re.IGNORECASE)


def file_response(
    request: Request[Any, Any, Any], data: bytes, *, media_type: str, etag: str, headers: dict[str, str]
) -> Response[bytes]:
    """Answers GET and HEAD. ``etag`` is a strong validator, in its quotes."""
    headers = {**headers, "etag": etag, "accept-ranges": "bytes"}
    if has_already(request, etag):
        return Response(b"", status_code=HTTP_304_NOT_MODIFIED, headers=headers)
    asked = request.headers.get("range") if request.headers.get("if-range", etag) == etag else None
    bounds = _bounds(asked, len(data)) if asked and request.method == "GET" else None
    if bounds is None:
        return Response(data, status_code=HTTP_200_OK, media_type=media_type, headers=headers)
    first, last = bounds
    if first > last:
        headers["content-range"] = f"bytes */{len(data)}"
        return Response(b"", status_code=HTTP_416_REQUESTED_RANGE_NOT_SATISFIABLE, headers=headers)
    headers["content-range"] = f"bytes {first}-{last}/{len(data)}"
    return Response(
        data[first : last + 1], status_code=HTTP_206_PARTIAL_CONTENT, media_type=media_type, headers=headers
    )


def has_already(request: Request[Any, Any, Any], etag: str) -> bool:
    """Returns whether If-None-Match names this etag; by weak comparison, as the RFC says for this header."""
    offered = ",".join(request.headers.getall("if-none-match", []))
    return offered.strip() == "*" or etag in [one.strip().removeprefix("W/") for one in offered.split(",")]


def _bounds(asked: str, size: int) -> tuple[int, int] | None:
    """Returns the first and the last byte, or None if the header is no single range and is ignored.

    If no byte of the range is in the file, the first is greater than the last.
    """
    found = _RANGE.fullmatch(asked.strip())
    if found is None:
        return None
    if found[3] is not None:
        length = int(found[3])
        return (max(0, size - length), size - 1) if length else (size, size - 1)
    first, last = int(found[1]), int(found[2]) if found[2] else size - 1
    return None if found[2] and first > last else (first, min(last, size - 1))
