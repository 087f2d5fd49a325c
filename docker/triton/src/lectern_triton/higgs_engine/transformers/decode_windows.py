"""Decides which frames are decoded together, so that streamed audio is exactly that of the whole.

The sound of a frame depends on 10 frames to each side and none beyond: measured, the codec's decoder reaches 9.8. Where
a window ends depends on its number alone, so that the same request always gives the same samples.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

CONTEXT: Final = 10  # frames
SIZES: Final = (4, 8, 16)  # frames of the first windows, which are small so that something is heard soon
SIZE: Final = 25


@dataclass(frozen=True)
class DecodeWindow:
    """Frames `left` to `right` are decoded, and `first` to `last` of them are wanted."""

    first: int
    last: int
    left: int
    right: int


class DecodeWindows:
    def __init__(self) -> None:
        self._sizes = iter(SIZES)
        self._first = 0
        self._last = next(self._sizes)

    def ready(self, frames: int, *, ended: bool) -> Iterator[DecodeWindow]:
        """Yields the next windows that `frames` frames suffice for. `ended`: no more frames will come."""
        while (self._first if ended else self._last + CONTEXT - 1) < frames:
            last = min(self._last, frames)
            yield DecodeWindow(self._first, last, max(0, self._first - CONTEXT), min(frames, last + CONTEXT))
            self._first = last
            self._last = last + next(self._sizes, SIZE)
