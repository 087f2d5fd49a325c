"""Reads a body, above all JSON. One that cannot be read is the sender's mistake, never a failure of the server."""

import re
from collections.abc import AsyncGenerator
from typing import Any, Final

from litestar import Request
from litestar.exceptions import InternalServerException, SerializationException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge

from orchestrator.lib.errors.problems import BadRequest, TooLarge
from orchestrator.lib.streaming import ClientLeft

JSON_BODY: Final = "lectern.json_body"  # the key in a request's scope; read when an error is answered

# Escapes of JSON: a surrogate pair, half of one, any other. No match can begin inside another escape.
_ESCAPE: Final = re.compile(
    rb"\\(?:u[Dd][89ABab][0-9A-Fa-f]{2}\\u[Dd][C-Fc-f][0-9A-Fa-f]{2}|(?P<half>u[Dd][89A-Fa-f][0-9A-Fa-f]{2})|.)",
    re.DOTALL,
)


class JsonRequest(Request[Any, Any, Any]):
    async def stream(self) -> AsyncGenerator[bytes, None]:
        """Raises `TooLarge`, or `ClientLeft` if the connection is closed before the body is complete."""
        try:
            async for part in super().stream():
                yield part
        except RequestEntityTooLarge:
            limit = self.route_handler.resolve_request_max_body_size()
            raise TooLarge(f"The request body is larger than {limit:,} bytes, the most accepted here.") from None
        except InternalServerException as error:
            if "disconnected" in error.detail:
                raise ClientLeft from None
            raise

    async def json(self) -> Any:  # noqa: ANN401 - JSON
        """Raises `BadRequest`, and what `stream` raises."""
        try:
            body = await super().json()
        except UnicodeDecodeError:
            raise BadRequest(_not_utf8(await self.body())) from None
        except RecursionError:
            raise BadRequest("The body is nested too deeply.") from None
        except SerializationException as error:
            detail = _half_of_a_pair(await self.body()) or f"The body is not valid JSON: {error.__cause__ or error}."
            raise BadRequest(detail) from None
        self.scope[JSON_BODY] = body  # type: ignore[typeddict-unknown-key]
        return body


def _not_utf8(body: bytes) -> str:
    where = ""
    try:
        body.decode()
    except UnicodeDecodeError as error:  # the parser counts from the start of the string that it was in
        where = f" at byte {error.start}"
    return f"The body is not valid UTF-8{where}. Send JSON in UTF-8."


def _half_of_a_pair(body: bytes) -> str | None:
    """Returns a message if the body has half a surrogate pair, which the parser takes for the end of the body."""
    for found in _ESCAPE.finditer(body):
        if found["half"]:
            half, where = found[0].decode(), found.start()
            return f"The body has {half}, half of a surrogate pair, at byte {where}. Send whole Unicode characters."
    return None
