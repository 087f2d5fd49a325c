"""How far a response is ahead of whoever listens to it while it comes."""

import time
from collections.abc import Callable
from typing import Final

_FASTEST: Final = 2.0  # at which people play what they hear
_LONGEST: Final = 10.0  # seconds; who has more stored may still jump, or want the whole file


class Lead:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began: float | None = None
        self._seconds = 0.0

    def add(self, seconds: float) -> None:
        """So much sound was sent."""
        if self._began is None:
            self._began = self._clock()
        self._seconds += seconds

    @property
    def slack(self) -> float:
        """Seconds within which even a hasty listener does not hear the end of what was sent."""
        if self._began is None:
            return 0.0
        return min(max(0.0, self._seconds / _FASTEST - (self._clock() - self._began)), _LONGEST)
