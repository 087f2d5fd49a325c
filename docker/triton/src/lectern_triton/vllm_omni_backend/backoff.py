"""How long to wait before an engine is started again."""

from dataclasses import dataclass
from typing import Final

FIRST: Final = 1.0  # seconds
LONGEST: Final = 60.0
HEALTHY: Final = 60.0  # seconds: an engine that was ready for so long begins a new row of failures


@dataclass(slots=True)
class Backoff:
    """Twice as long after each failure in a row."""

    failures: int = 0

    def pause(self, ready_for: float) -> float:
        """Return the pause after an engine that was ready for so many seconds before it failed."""
        if ready_for >= HEALTHY:
            self.failures = 0
        self.failures += 1
        return float(min(FIRST * 2 ** min(self.failures - 1, 16), LONGEST))
