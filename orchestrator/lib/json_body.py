"""Reads a JSON body; what cannot be read is the sender's mistake, never a failure of the server."""

from typing import Any

from litestar import Request
from litestar.exceptions import SerializationException

from orchestrator.lib.errors import BadRequest


class JsonRequest(Request[Any, Any, Any]):
    async def json(self) -> Any:  # noqa: ANN401 - JSON
        """Raises `BadRequest`."""
        try:
            return await super().json()
        except UnicodeDecodeError as error:
            raise BadRequest(f"The body is not valid UTF-8 at byte {error.start}. Send JSON in UTF-8.") from None
        except RecursionError:
            raise BadRequest("The body is nested too deeply.") from None
        except SerializationException as error:
            raise BadRequest(f"The body is not valid JSON: {error.__cause__ or error}.") from None
