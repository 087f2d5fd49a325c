"""How long to go on asking a server that says that it cannot answer now."""

import random
import time
from http import HTTPStatus
from typing import Final

import httpx

from lectern.rest.answers import retry_after

_BUSY: Final = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
_UNSAID: Final = 1.0  # seconds, if the server does not say when to come again
_SHORTEST: Final = 0.1
_SPREAD: Final = 1.25  # so that those who were sent away together do not come back together


class Patience:
    """Of one request."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def delay(self, response: httpx.Response) -> float | None:
        """The seconds after which to ask again; None for an answer to make do with."""
        if response.status_code not in _BUSY:
            return None
        said = retry_after(response)
        delay = max(_SHORTEST, _UNSAID if said is None else said) * random.uniform(1.0, _SPREAD)  # noqa: S311
        return delay if time.monotonic() + delay < self._end else None
