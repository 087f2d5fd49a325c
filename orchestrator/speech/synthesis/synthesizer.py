"""Makes each segment once: from the store, else by joining whoever makes it already, else by asking Triton."""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from itertools import chain, repeat
from typing import Final

import numpy as np
import structlog

from lectern import triton
from lectern.triton import AsyncTriton, Chunk, Mark
from orchestrator.lib import metrics
from orchestrator.lib.errors.problems import BadRequest, Busy, ModelFailed, Problem, TooSlow, Unavailable
from orchestrator.lib.leases import Leases
from orchestrator.lib.store import StoreFailed
from orchestrator.speech.admission.controller import AdmissionController, Requester, Ticket
from orchestrator.speech.cache.audio_cache import AudioCache, CachedAudio
from orchestrator.speech.planner.segments import Segment
from orchestrator.speech.synthesis.shared_synthesis import SharedSynthesis, Subscription

_KEEPING_SECONDS: Final = 5.0  # at the end of the process, for audio that is still on its way to the store
_RECOVERY_SECONDS: Final = 12.0  # within which a watchdog finds a dead model and loads it anew
_RECOVERY_PAUSE: Final = 0.25
_BUSY_PAUSES: Final = (0.1, 0.2, 0.5, 1.0)  # seconds before a busy model is asked again, the last one repeated
# Also how a model's process that died shows; what fails for another reason fails again, and at once.
_LOST: Final = (triton.Unreachable, triton.NotFound, triton.Cancelled, triton.ModelFailure)

log = structlog.stdlib.get_logger("lectern.speech")


class Synthesizer:
    """Owns every synthesis of this process. `close` ends those that are left."""

    def __init__(
        self,
        client: AsyncTriton,
        audio_cache: AudioCache,
        leases: Leases,
        gate: AdmissionController,
        *,
        on_audio: Callable[[str], None],
    ) -> None:
        """`on_audio` is told the model whenever some audio has come of it."""
        self._triton = client
        self._on_audio = on_audio
        self._cache = audio_cache
        self._leases = leases
        self._admission = gate
        self._in_flight: dict[str, SharedSynthesis] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def makes(self, segment: Segment) -> bool:
        """Whether it is in flight, so that joining it costs no model any time."""
        return segment.key in self._in_flight

    def listen(self, segment: Segment, requester: Requester, way: Ticket | None = None) -> Subscription:
        """Joins the synthesis in flight or starts one; returns at once.

        ``way``: for the first segment of a response, what the gate let it in with.
        """
        synthesis = self._in_flight.get(segment.key)
        joined = synthesis is not None
        if synthesis is None:
            way = way or self._admission.expect(segment.model, requester, segment.estimated_seconds)
            synthesis = SharedSynthesis(segment.key, way, self._abandon)
            self._in_flight[segment.key] = synthesis
            task = asyncio.create_task(self._provide(segment, synthesis), name=f"segment {segment.key[:8]}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            # A task that is cancelled before its first step never takes it, and would not give up its turn.
            task.add_done_callback(lambda _: way.drop())
            synthesis.stop = task.cancel
        else:
            metrics.SEGMENTS.labels(segment.model, "merged").inc()
            synthesis.way.promote(requester, needed=False)
            synthesis.way.patient_until = max(
                synthesis.way.patient_until, math.inf if way is None else way.patient_until
            )
            if way is not None:
                way.drop()
        return synthesis.listen(requester, joined=joined)

    async def close(self) -> None:
        """Stops what is being spoken; what has been spoken is still kept."""
        for synthesis in list(self._in_flight.values()):
            if not synthesis.ended:
                synthesis.stop()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_KEEPING_SECONDS)

    def _abandon(self, synthesis: SharedSynthesis) -> None:
        # Out of the table first: whoever asks for the segment now must not join what is about to stop.
        if self._in_flight.get(synthesis.key) is synthesis:
            del self._in_flight[synthesis.key]
        synthesis.stop()

    async def _provide(self, segment: Segment, synthesis: SharedSynthesis) -> None:
        try:
            if not await self._replay(segment, synthesis, "store"):
                in_line = partial(synthesis.reach, "waiting")
                async with self._leases.hold(segment.key, on_wait=in_line) as contended:
                    # Another process may have finished it since we looked.
                    if not await self._replay(segment, synthesis, "awaited" if contended else "store", leased=True):
                        in_line()
                        async with synthesis.way.slot():
                            synthesis.reach("making")
                            await self._make(segment, synthesis)
                        await self._keep(segment, synthesis)
        except asyncio.CancelledError:
            metrics.SYNTHESES_CANCELLED.labels(segment.model).inc()
            synthesis.end(Unavailable("The server is stopping. Try again in a moment."))
            raise
        except Exception as error:
            if synthesis.ended:
                log.exception("audio was spoken but not kept", segment=segment.key)
            synthesis.end(_explain(error))  # every listener raises it
        finally:
            synthesis.reach("unkept")  # if it is not kept by now
            if self._in_flight.get(segment.key) is synthesis:
                del self._in_flight[segment.key]

    async def _replay(self, segment: Segment, synthesis: SharedSynthesis, source: str, *, leased: bool = False) -> bool:
        variant = await self._cache.read(segment.key, leased=leased)
        if variant is None:
            return False
        metrics.SEGMENTS.labels(segment.model, source).inc()
        synthesis.add(Chunk(variant.samples, variant.sample_rate, variant.marks))
        synthesis.end()
        synthesis.reach("kept")
        return True

    async def _make(self, segment: Segment, synthesis: SharedSynthesis) -> None:
        """A model that was lost before it said anything is asked once more, as soon as it speaks again."""
        synthesis.made = True
        try:
            await self._insist(segment, synthesis)
        except _LOST as error:
            if synthesis.pieces:
                raise
            log.warning("model lost", model=segment.model, error=str(error))
            metrics.RETRIED.labels(segment.model).inc()
            await self._until_it_speaks(segment.model)
            await self._insist(segment, synthesis)

    async def _insist(self, segment: Segment, synthesis: SharedSynthesis) -> None:
        """Several processes may share a Triton, which then refuses what no gate has.

        Whoever has heard nothing yet is told so at once, unless they may wait to be let in; a response that has begun
        waits and asks again.
        """
        for pause in chain(_BUSY_PAUSES, repeat(_BUSY_PAUSES[-1])):
            try:
                await self._hear(segment, synthesis)
            except triton.Busy:
                left = min(synthesis.way.left, synthesis.way.patient_until - asyncio.get_running_loop().time())
                if synthesis.pieces or left <= pause:
                    raise
                await asyncio.sleep(pause)
            else:
                return

    async def _until_it_speaks(self, model: str) -> None:
        """Returns also when it does not: the attempt that follows then says why."""
        limit = time.monotonic() + _RECOVERY_SECONDS
        while (left := limit - time.monotonic()) > 0:
            try:
                await self._triton.probe(model, timeout=left)
            except triton.TritonError:
                await asyncio.sleep(min(left, _RECOVERY_PAUSE))
            else:
                return

    async def _hear(self, segment: Segment, synthesis: SharedSynthesis) -> None:
        started = time.perf_counter()
        first = True
        async with aclosing(self._speak(segment, synthesis.way)) as pieces:
            async for piece in pieces:
                synthesis.add(piece)
                if piece.audio.size:
                    self._on_audio(segment.model)
                if first and synthesis.pieces:
                    metrics.FIRST_AUDIO.labels(segment.model).observe(time.perf_counter() - started)
                    first = False
        if not any(len(piece.audio) for piece in synthesis.pieces):
            raise ModelFailed("The speech model answered without any audio.")
        synthesis.end()  # listeners need not wait for the store
        metrics.SEGMENTS.labels(segment.model, "made").inc()

    def _speak(self, segment: Segment, way: Ticket) -> AsyncGenerator[Chunk, None]:
        return self._triton.speak(
            segment.model,
            segment.text,
            voice=segment.voice,
            language=segment.language,
            speed=segment.speed,
            lexicon=segment.lexicon,
            markup=segment.markup,
            reference=segment.reference,
            lane=way.lane,
            deadline=way.left,
        )

    async def _keep(self, segment: Segment, synthesis: SharedSynthesis) -> None:
        variant = _joined(synthesis.pieces)
        metrics.AUDIO_SECONDS.labels(segment.model).inc(len(variant.samples) / variant.sample_rate)
        try:
            await self._cache.write(segment.key, variant)
        except StoreFailed:
            # It was heard and can be made again: a full disk must not take the voice away.
            metrics.STORE_FAILURES.inc()
            log.exception("audio could not be kept", segment=segment.key)
        else:
            synthesis.reach("kept")


def _joined(pieces: list[Chunk]) -> CachedAudio:
    marks = [Mark(*mark) for piece in pieces for mark in piece.marks]
    return CachedAudio(np.concatenate([piece.audio for piece in pieces]), pieces[0].sample_rate, marks)


def _explain(error: Exception) -> Exception:
    """A model's error in the words of whoever asked."""
    if not isinstance(error, triton.TritonError):
        return error
    if isinstance(error, triton.InvalidRequest):
        return BadRequest(f"The model refused this: {error}")
    log.warning("no speech", model=error.model, error=repr(error))
    return next((answer() for kind, answer in _ANSWERS.items() if isinstance(error, kind)), ModelFailed(retry_after=5))


def _unreachable() -> Problem:
    return Unavailable("The speech model is not reachable at the moment. Try again in some seconds.", retry_after=5)


_ANSWERS: Final[dict[type[triton.TritonError], Callable[[], Problem]]] = {
    triton.Busy: lambda: Busy(retry_after=2),
    triton.DeadlineExceeded: lambda: TooSlow("The speech model did not answer in time. Try again a little later."),
    triton.Unreachable: _unreachable,
    triton.NotFound: _unreachable,
    triton.Cancelled: _unreachable,
}
