"""How often somebody may do something: so many times a second, and for a moment more."""

import time
from typing import Final

_BURST: Final = 5.0  # seconds' worth


class RateLimit:
    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._most = max(1.0, per_second * _BURST)
        self._left = self._most
        self._at = time.monotonic()

    def allows(self) -> bool:
        """Once more; counts it if so."""
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
