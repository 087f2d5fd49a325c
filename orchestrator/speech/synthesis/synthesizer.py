"""Synthesizes each segment once: reads it from the cache, else joins the synthesis in flight, else asks Triton."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import aclosing
from functools import partial
from typing import Final

import numpy as np
import structlog

from lectern import triton
from lectern.triton import AsyncTriton, Chunk, Mark
from orchestrator.accounts.requester import Requester
from orchestrator.billing.meter import Hold, Meter, Uncounted
from orchestrator.guard.reports import Reports
from orchestrator.lib import metrics
from orchestrator.lib.backoff import backoff
from orchestrator.lib.errors.problems import BadRequest, Busy, ModelFailed, Problem, TooSlow, Unavailable
from orchestrator.lib.leases import Leases
from orchestrator.lib.object_store import StoreFailed
from orchestrator.speech.admission.admission_controller import AdmissionController, Ticket
from orchestrator.speech.cache.audio_cache import AudioCache
from orchestrator.speech.cache.segment_file import CachedAudio
from orchestrator.speech.planner.script import Segment
from orchestrator.speech.synthesis.shared_synthesis import SharedSynthesis, Subscription

_FIRST_CHUNK: Final = 0.25  # seconds of cached audio; each further chunk is twice as long
_STORING_SECONDS: Final = 5.0  # at the end of the process, for audio that is still on its way to the store
_RELOAD_SECONDS: Final = 15.0  # for which every request may wait for a model that is lost
_RETRY_SECONDS: Final = 5  # after which to try again, if nobody knows when the model is back
_BUSY_PAUSES: Final = (0.1, 1.0)  # seconds before a busy model is asked again: the first and the longest
# Errors by which a dead process of a model shows; other errors would only come again.
_LOST: Final = (triton.Unreachable, triton.NotFound, triton.Cancelled, triton.ModelLost)

log = structlog.stdlib.get_logger("lectern.speech")


class Synthesizer:
    """Owns every synthesis of this process. `close` ends those that are left."""

    def __init__(
        self,
        client: AsyncTriton,
        cache: AudioCache,
        leases: Leases,
        admission: AdmissionController,
        meter: Meter,
        models: Reports,
    ) -> None:
        """``models``: what their last probes found."""
        self._triton = client
        self._models = models
        self._cache = cache
        self._leases = leases
        self._admission = admission
        self._meter = meter
        self._in_flight: dict[str, SharedSynthesis] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def is_in_flight(self, segment: Segment) -> bool:
        """Whether to join it would cost no model any time."""
        return segment.key in self._in_flight

    def listen(
        self, segment: Segment, requester: Requester, ticket: Ticket | None = None, *, metered: Requester | None
    ) -> Subscription:
        """Joins the synthesis in flight or starts one, and returns at once. Everything that is heard passes here.

        ``ticket``: its own, if it has one. ``metered``: for whom it is counted, also where nobody listens to it yet;
        None if the same response has counted it before.
        """
        hold = Uncounted() if metered is None else self._hold(segment, metered)
        ticket = ticket or self._admission.expect(
            segment.model, requester, segment.estimated_seconds, tempo=segment.tempo
        )
        synthesis = self._in_flight.get(segment.key)
        if synthesis is not None:
            metrics.SEGMENTS.labels(segment.model, "merged").inc()
            synthesis.ticket.join(requester, ticket)
            return synthesis.subscribe(requester, hold, segment.rendition, joined=True)
        synthesis = SharedSynthesis(segment.key, ticket, self._abandon)
        self._in_flight[segment.key] = synthesis
        task = asyncio.create_task(self._provide(segment, synthesis), name=f"segment {segment.key[:8]}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # A task that is cancelled before its first step never takes it, and would not give up its ticket.
        task.add_done_callback(lambda _: ticket.drop())
        synthesis.stop = task.cancel
        return synthesis.subscribe(requester, hold, segment.rendition)

    def deliver(self, segment: Segment, requester: Requester, seconds: float) -> None:
        """Counts cached audio that its listener gets as a whole file, without a stream of samples."""
        self._hold(segment, requester).settle("cached", seconds=seconds, made_seconds=0.0)

    async def flush_usage(self) -> None:
        """Returns when what was heard so far is written down."""
        await self._meter.flush()

    def _hold(self, segment: Segment, requester: Requester) -> Hold:
        characters = len(segment.text)
        return self._meter.hold(requester, segment_key=segment.key, model=segment.model, characters=characters)

    async def close(self) -> None:
        """Stops what is still being synthesized; what is complete is stored."""
        for synthesis in list(self._in_flight.values()):
            if not synthesis.ended:
                synthesis.stop()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_STORING_SECONDS)

    def _abandon(self, synthesis: SharedSynthesis) -> None:
        # Out of the table first: a request for the segment must not join what is about to stop.
        if self._in_flight.get(synthesis.key) is synthesis:
            del self._in_flight[synthesis.key]
        synthesis.stop()

    async def _provide(self, segment: Segment, synthesis: SharedSynthesis) -> None:
        try:
            if not await self._replay(segment, synthesis, "store"):
                waits = partial(synthesis.reach, "waiting")
                async with self._leases.hold(segment.key, on_wait=waits) as contended:
                    # Another process may have finished it since we looked.
                    synthesis.awaited = contended
                    if not await self._replay(segment, synthesis, "awaited" if contended else "store", leased=True):
                        waits()
                        async with synthesis.ticket.slot():
                            synthesis.reach("making")
                            await self._make(segment, synthesis)
                        await self._store(segment, synthesis)
        except asyncio.CancelledError:
            metrics.SYNTHESES_CANCELLED.labels(segment.model).inc()
            synthesis.end(Unavailable("The server is stopping. Try again in a moment."))
            raise
        except Exception as error:
            if synthesis.ended:
                log.exception("audio was spoken but not stored", segment=segment.key)
            synthesis.end(_explain(error))  # every subscriber raises it
        finally:
            synthesis.reach("uncached")  # if it is not cached by now
            if self._in_flight.get(segment.key) is synthesis:
                del self._in_flight[segment.key]

    async def _replay(self, segment: Segment, synthesis: SharedSynthesis, source: str, *, leased: bool = False) -> bool:
        """Returns whether the segment was cached."""
        audio = await self._cache.read(segment.key, leased=leased)
        if audio is None:
            return False
        metrics.SEGMENTS.labels(segment.model, source).inc()
        for chunk in cut_growing(audio):
            synthesis.add(chunk)
        synthesis.end()
        synthesis.reach("cached")
        return True

    async def _make(self, segment: Segment, synthesis: SharedSynthesis) -> None:
        """Asks a model that failed before its first chunk once more; one that was lost as soon as it speaks again."""
        synthesis.made = True
        try:
            await self._speak_when_free(segment, synthesis)
        except (*_LOST, triton.ModelFailure) as error:
            if synthesis.chunks:
                raise
            log.warning("asking again", model=segment.model, error=str(error))
            metrics.RETRIED.labels(segment.model).inc()
            if isinstance(error, _LOST):
                await self._wait_until_it_speaks(segment.model, synthesis.ticket)
            await self._speak_when_free(segment, synthesis)

    async def _speak_when_free(self, segment: Segment, synthesis: SharedSynthesis) -> None:
        """Asks a busy model again: several processes may share a Triton, whose own queue may be full."""
        for pause in backoff(*_BUSY_PAUSES):
            try:
                await self._speak(segment, synthesis)
            except triton.Busy:
                if synthesis.chunks or min(synthesis.ticket.left, synthesis.ticket.patience) <= pause:
                    raise
                await asyncio.sleep(pause)
            else:
                return

    async def _wait_until_it_speaks(self, model: str, ticket: Ticket) -> None:
        """Waits while the model is expected back within the time that the request may wait.

        Raises `Unavailable` with the time after which to come again, as soon as it is expected later.
        """
        loop, models = asyncio.get_running_loop(), self._models
        lost_at = models.now()
        until = loop.time() + min(ticket.left, max(_RELOAD_SECONDS, ticket.patience))

        def settled() -> bool:
            return models.spoke_since(model, lost_at) or (models.back_in(model) or 0.0) > until - loop.time()

        await models.wait_urgently(settled, until - loop.time())
        if not models.spoke_since(model, lost_at):
            back_in = models.back_in(model)
            raise Unavailable(
                f"The model '{model}' is not loaded at the moment. Try again after the time that the Retry-After header"
                " says.",
                retry_after=_RETRY_SECONDS if back_in is None else max(1, math.ceil(back_in)),
            )

    async def _speak(self, segment: Segment, synthesis: SharedSynthesis) -> None:
        started = time.perf_counter()
        first = True
        answer = self._triton.speak(
            segment.model,
            segment.text,
            voice=segment.voice,
            language=segment.language,
            speed=segment.speed,
            speeds=(segment.speed, segment.speed),  # it is one of the model's own
            lexicon=segment.lexicon,
            markup=segment.markup,
            reference=segment.reference,
            lane=synthesis.ticket.lane,
            deadline=synthesis.ticket.left,
        )
        async with aclosing(answer) as chunks:
            async for chunk in chunks:
                synthesis.add(chunk)
                if chunk.audio.size:
                    self._models.heard(segment.model)
                if first and synthesis.chunks:
                    metrics.FIRST_AUDIO.labels(segment.model).observe(time.perf_counter() - started)
                    first = False
        if not any(len(chunk.audio) for chunk in synthesis.chunks):
            raise ModelFailed("The speech model answered without any audio.")
        synthesis.end()  # subscribers need not wait for the store
        metrics.SEGMENTS.labels(segment.model, "made").inc()

    async def _store(self, segment: Segment, synthesis: SharedSynthesis) -> None:
        audio = _joined(synthesis.chunks)
        metrics.AUDIO_SECONDS.labels(segment.model).inc(len(audio.samples) / audio.sample_rate)
        try:
            await self._cache.write(segment.key, audio)
        except StoreFailed:
            # It was heard and can be made again: a full disk must not take the voice away.
            metrics.STORE_FAILURES.inc()
            log.exception("audio could not be stored", segment=segment.key)
        else:
            synthesis.reach("cached")


def cut_growing(audio: CachedAudio) -> Iterator[Chunk]:
    """Yields chunks that grow, so that the encoder has the first one ready at once; each mark with its word's start."""
    marks = deque(audio.marks)
    begin, size = 0, round(_FIRST_CHUNK * audio.sample_rate)
    while begin < len(audio.samples):
        end = begin + size
        last = end >= len(audio.samples)
        within: list[Mark] = []
        while marks and (last or marks[0].first_sample < end):
            within.append(marks.popleft())
        yield Chunk(audio.samples[begin:end], audio.sample_rate, within)
        begin, size = end, 2 * size


def _joined(chunks: list[Chunk]) -> CachedAudio:
    marks = [Mark(*mark) for chunk in chunks for mark in chunk.marks]
    return CachedAudio(np.concatenate([chunk.audio for chunk in chunks]), chunks[0].sample_rate, marks)


def _explain(error: Exception) -> Exception:
    """Returns a model's error as the problem that the requester is told."""
    if not isinstance(error, triton.TritonError):
        return error
    if isinstance(error, triton.InvalidRequest):
        return BadRequest(f"The model refused this: {error}")
    log.warning("no speech", model=error.model, error=repr(error))
    return next(
        (problem() for kind, problem in _PROBLEMS.items() if isinstance(error, kind)), ModelFailed(retry_after=5)
    )


def _unreachable() -> Problem:
    return Unavailable("The speech model is not reachable at the moment. Try again in some seconds.", retry_after=5)


_PROBLEMS: Final[dict[type[triton.TritonError], Callable[[], Problem]]] = {
    triton.Busy: lambda: Busy(retry_after=2),
    triton.DeadlineExceeded: lambda: TooSlow("The speech model did not answer in time. Try again a little later."),
    triton.Unreachable: _unreachable,
    triton.NotFound: _unreachable,
    triton.Cancelled: _unreachable,
}
