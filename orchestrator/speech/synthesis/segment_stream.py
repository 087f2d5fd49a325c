"""The audio of several segments, in order, a few of them made ahead, with the silence that is asked for between."""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from typing import Protocol

import numpy as np
import structlog

from lectern.triton import Chunk
from orchestrator.lib.errors.problems import Problem
from orchestrator.speech.planner.segments import Segment
from orchestrator.speech.synthesis.shared_synthesis import Subscription

log = structlog.stdlib.get_logger("lectern.speech")


class Bookkeeper(Protocol):
    """Is told of every segment that was heard to its end, and whether a model has worked for it."""

    def add(self, segment: Segment, seconds: float, *, made: bool) -> None: ...


async def stream_segments(
    segments: Sequence[Segment],
    listen: Callable[[Segment], Subscription],
    *,
    ahead: int,
    bookkeeper: Bookkeeper | None = None,
    skips: tuple[type[Problem], ...] = (),
) -> AsyncGenerator[tuple[int, Chunk], None]:
    """Yields each piece with the place of its segment. Closing it lets go of what nobody else listens to.

    Raises what made a segment fail. One that fails by what ``skips`` names is left out from there on, and what comes
    behind it is heard; if no segment was whole, the first failure is raised at the end.
    """
    coming = iter(segments)
    window: deque[tuple[Segment, Subscription]] = deque()

    def look_ahead() -> None:
        while len(window) <= ahead and (segment := next(coming, None)) is not None:
            window.append((segment, listen(segment)))

    failure: Problem | None = None
    whole = 0
    try:
        look_ahead()
        place = 0
        while window:
            segment, listening = window[0]
            try:
                async for piece in _after_silence(segment.silence, listening.pieces()):
                    yield place, piece
            except skips as problem:
                log.warning("left out", segment=segment.key, place=place, model=segment.model, detail=problem.detail)
                failure = failure or problem
            else:
                whole += 1
                if bookkeeper is not None:
                    bookkeeper.add(segment, listening.seconds, made=listening.made)
            listening.leave()
            window.popleft()
            place += 1
            look_ahead()
        if failure is not None and not whole:
            raise failure
    finally:
        for _, listening in window:
            listening.leave()


async def _after_silence(silence: float, pieces: AsyncIterator[Chunk]) -> AsyncIterator[Chunk]:
    async for piece in pieces:
        if silence:  # only now is the rate known, and that there is something to follow
            yield Chunk(np.zeros(silent_samples(silence, piece.sample_rate), np.int16), piece.sample_rate, [])
            silence = 0.0
        yield piece


def silent_samples(seconds: float, sample_rate: int) -> int:
    return round(seconds * sample_rate)
