"""How often to ask for something that the server finishes in its own time."""

import time
from collections.abc import Iterator
from typing import Final

_FIRST: Final = 0.05  # seconds
_LONGEST: Final = 1.0
_GROWTH: Final = 1.5


def delays(timeout: float) -> Iterator[float]:
    """Yields the seconds to wait after each question, until `timeout` seconds have passed."""
    end = time.monotonic() + timeout
    delay = _FIRST
    while (left := end - time.monotonic()) > 0:
        yield min(delay, left)
        delay = min(delay * _GROWTH, _LONGEST)
