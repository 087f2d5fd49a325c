"""The audio of several segments, in order, a few of them made ahead, with the silence that is asked for between."""

from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Protocol

import numpy as np

from lectern.triton import Piece
from orchestrator.speech.making.synthesis import Listening
from orchestrator.speech.plan import Segment


class Bookkeeper(Protocol):
    """Is told of every segment that was heard to its end, and whether a model has worked for it."""

    def add(self, segment: Segment, seconds: float, *, made: bool) -> None: ...


async def pieces_of(
    segments: Sequence[Segment],
    listen: Callable[[Segment], Listening],
    *,
    ahead: int,
    bookkeeper: Bookkeeper | None = None,
) -> AsyncGenerator[tuple[int, Piece], None]:
    """Yields each piece with the place of its segment. Closing it lets go of what nobody else listens to.

    Raises what made a segment fail.
    """
    coming = iter(segments)
    window: deque[tuple[Segment, Listening]] = deque()

    def look_ahead() -> None:
        while len(window) <= ahead and (segment := next(coming, None)) is not None:
            window.append((segment, listen(segment)))

    try:
        look_ahead()
        place = 0
        while window:
            segment, listening = window[0]
            silence = segment.silence
            seconds = 0.0
            async for piece in listening.pieces():
                if silence:  # only now is the rate known, and that there is something to follow
                    nothing = np.zeros(silent_samples(silence, piece.sample_rate), np.int16)
                    yield place, Piece(nothing, piece.sample_rate, [])
                    silence = 0.0
                seconds += len(piece.audio) / piece.sample_rate
                yield place, piece
            if bookkeeper is not None:
                bookkeeper.add(segment, seconds, made=listening.made)
            listening.leave()
            window.popleft()
            place += 1
            look_ahead()
    finally:
        for _, listening in window:
            listening.leave()


def silent_samples(seconds: float, sample_rate: int) -> int:
    return round(seconds * sample_rate)
