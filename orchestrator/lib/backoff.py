"""How long to wait before the next attempt."""

from collections.abc import Iterator
from itertools import count


def pause_after(failures: int, first: float, longest: float) -> float:
    """Returns the seconds to wait after so many failures in a row: ``first``, then each time twice as long."""
    return min(longest, first * 2.0 ** min(failures - 1, 30))


def backoff(first: float, longest: float) -> Iterator[float]:
    """Yields these pauses without end."""
    return (pause_after(failures, first, longest) for failures in count(1))
