"""Which frames are decoded together, so that a stream sounds exactly as the whole would.

A frame's sound depends on 10 frames to each side and on none beyond: measured, the codec's decoder reaches 9.8. Where a
window ends depends on nothing but its number, so that the same request gives the same samples.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

CONTEXT: Final = 10  # frames
SIZES: Final = (4, 8, 16)  # frames: the first are small, so that something is heard soon
SIZE: Final = 25


@dataclass(frozen=True)
class Window:
    """Frames `first` to `last` are wanted, `left` to `right` are decoded."""

    first: int
    last: int
    left: int
    right: int


class Windows:
    def __init__(self) -> None:
        self._sizes = iter(SIZES)
        self._first = 0
        self._last = next(self._sizes)

    def of(self, frames: int, *, ended: bool) -> Iterator[Window]:
        """Give those that so many frames make possible and that were not given yet; `ended`: no more will come."""
        while (self._first if ended else self._last + CONTEXT - 1) < frames:
            last = min(self._last, frames)
            yield Window(self._first, last, max(0, self._first - CONTEXT), min(frames, last + CONTEXT))
            self._first = last
            self._last = last + next(self._sizes, SIZE)
