"""The audio of several segments in order as it is heard, some of them synthesized ahead."""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence

import numpy as np
import structlog

from lectern.triton import Chunk
from orchestrator.lib.errors.problems import Problem
from orchestrator.lib.priority_threads import PriorityThreads
from orchestrator.speech.admission.admission_controller import Ticket
from orchestrator.speech.planner.script import SILENT_RATE, WORDLESS, Segment
from orchestrator.speech.rendition import AS_MADE, silent_samples
from orchestrator.speech.synthesis.shared_synthesis import Subscription

SegmentChunks = AsyncGenerator[tuple[int, Chunk], None]  # each chunk with the index of its segment

log = structlog.stdlib.get_logger("lectern.speech")


async def stream_segments(
    segments: Sequence[Segment],
    subscribe: Callable[[Segment, Ticket | None], Subscription],
    *,
    threads: PriorityThreads,
    ahead: int,
    slack: Callable[[], float] | None = None,
    as_made: bool = False,
    admit: Callable[[], Awaitable[Ticket | None]] | None = None,
    on_heard: Callable[[Segment, Subscription], object] = lambda _, __: None,
    on_end: Callable[[], Awaitable[None]] | None = None,
    skips: tuple[type[Problem], ...] = (),
) -> SegmentChunks:
    """Yields the chunks of all segments. Closing it lets go of what nobody else listens to.

    ``ahead`` segments are synthesized ahead of the one that is yielded. ``slack``: see `Rendition.stream`. ``as_made``:
    nobody hears it, so its tempo and pauses are left out. ``admit`` is asked before the first one, and its ticket goes
    to that. ``on_heard`` is told of each segment that came to its end; ``on_end`` is awaited after all.

    Raises what ``admit`` or a synthesis raises. A segment that fails by one of ``skips`` is left out from there on, and
    the next ones follow; if none was whole, the first failure is raised at the end.
    """
    ticket = await admit() if admit is not None else None
    coming = iter(segments)
    window: deque[tuple[Segment, Subscription]] = deque()

    def look_ahead() -> None:
        nonlocal ticket
        while len(window) <= ahead and (segment := next(coming, None)) is not None:
            window.append((segment, subscribe(segment, ticket)))
            ticket = None

    failure: Problem | None = None
    whole = 0
    index = 0
    try:
        look_ahead()
        while window:
            segment, subscription = window[0]
            try:
                rendition = AS_MADE if as_made else segment.rendition
                heard = rendition.stream(subscription.chunks(), threads, slack)
                async for chunk in _after_silence(segment.silence, heard):
                    yield index, chunk
            except skips as problem:
                log.warning("left out", segment=segment.key, index=index, model=segment.model, detail=problem.detail)
                failure = failure or problem
            else:
                whole += 1
                on_heard(segment, subscription)
            subscription.close()
            window.popleft()
            index += 1
            look_ahead()
        if failure is not None and not whole:
            raise failure
        if on_end is not None:
            await on_end()
    finally:
        for _, subscription in window:
            subscription.close()


async def stream_silence() -> SegmentChunks:
    """The audio of a script without words."""
    yield 0, Chunk(np.zeros(silent_samples(WORDLESS.silence, SILENT_RATE), np.int16), SILENT_RATE, [])


async def _after_silence(silence: float, chunks: AsyncIterator[Chunk]) -> AsyncIterator[Chunk]:
    async for chunk in chunks:
        if silence:  # only now is the rate known, and that there is something to follow
            yield Chunk(np.zeros(silent_samples(silence, chunk.sample_rate), np.int16), chunk.sample_rate, [])
            silence = 0.0
        yield chunk
