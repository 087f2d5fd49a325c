"""How long to wait before the next attempt."""

from collections.abc import Iterator


def backoff(first: float, longest: float, *, factor: float = 2.0) -> Iterator[float]:
    """Yields seconds without end: ``first``, then each time ``factor`` times as long, at most ``longest``."""
    pause = first
    while True:
        yield min(pause, longest)
        pause = min(pause * factor, longest)
