"""When to send a request again: to a busy server, and to a server that still prepares a document."""

import random
import time
from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

import httpx

from lectern.rest.responses import retry_after

_BUSY: Final = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
_DEFAULT_DELAY: Final = 1.0  # seconds, where the server names none
_LEAST_DELAY: Final = 0.1
_JITTER: Final = 1.25  # so that clients that were sent away together do not come back together

_FIRST_POLL: Final = 0.05  # seconds
_LONGEST_POLL: Final = 1.0
_POLL_GROWTH: Final = 1.5


class Retry:
    """Retries of one request, for `timeout` seconds in all."""

    def __init__(self, timeout: float) -> None:
        self._end = time.monotonic() + timeout

    def delay(self, response: httpx.Response) -> float | None:
        """Returns the seconds after which to send the request again; None when this response is the last."""
        if response.status_code not in _BUSY:
            return None
        requested = retry_after(response)
        delay = max(_LEAST_DELAY, _DEFAULT_DELAY if requested is None else requested) * random.uniform(1.0, _JITTER)  # noqa: S311
        return delay if time.monotonic() + delay < self._end else None


def polling_delays(timeout: float) -> Iterator[float]:
    """Yields the seconds to wait after each request, until `timeout` seconds have passed."""
    end = time.monotonic() + timeout
    delay = _FIRST_POLL
    while (left := end - time.monotonic()) > 0:
        yield min(delay, left)
        delay = min(delay * _POLL_GROWTH, _LONGEST_POLL)
