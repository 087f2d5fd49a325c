"""A rate limit: a number of calls a second, with a burst (a token bucket)."""

import time
from typing import Final

_BURST: Final = 5.0  # seconds' worth of calls


class RateLimit:
    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._capacity = max(1.0, per_second * _BURST)
        self._tokens = self._capacity
        self._updated_at = time.monotonic()

    def allows(self) -> bool:
        """Returns whether one call more is allowed, and counts it if so."""
        now = time.monotonic()
        self._tokens = min(self._capacity, self._tokens + (now - self._updated_at) * self._per_second)
        self._updated_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
