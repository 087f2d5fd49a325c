"""Makes each segment once: from the store, else by joining whoever makes it already, else by asking Triton."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Final

import numpy as np
import structlog

from lectern import triton
from lectern.triton import AsyncTriton, Mark, Piece
from orchestrator.lib import metrics
from orchestrator.lib.errors import BadRequest, Busy, ModelFailed, Problem, TooSlow, Unavailable
from orchestrator.lib.store import StoreFailed
from orchestrator.speech.leases import Leases
from orchestrator.speech.plan import Segment
from orchestrator.speech.synthesis import Listening, Synthesis
from orchestrator.speech.variants import Variant, Variants

_KEEPING_SECONDS: Final = 5.0  # at the end of the process, for audio that is still on its way to the store

log = structlog.stdlib.get_logger("lectern.speech")


class Synthesizer:
    """Owns every synthesis of this process. `close` ends those that are left."""

    def __init__(
        self,
        client: AsyncTriton,
        variants: Variants,
        leases: Leases,
        *,
        deadline: float,
        on_audio: Callable[[str], None],
    ) -> None:
        """`on_audio` is told the model whenever some audio has come of it."""
        self._triton = client
        self._on_audio = on_audio
        self._variants = variants
        self._leases = leases
        self._deadline = deadline
        self._in_flight: dict[str, Synthesis] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def listen(self, segment: Segment) -> Listening:
        """Joins the synthesis in flight or starts one; returns at once."""
        synthesis = self._in_flight.get(segment.key)
        if synthesis is None:
            synthesis = Synthesis(segment.key, self._abandon)
            self._in_flight[segment.key] = synthesis
            task = asyncio.create_task(self._provide(segment, synthesis), name=f"segment {segment.key[:8]}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            synthesis.stop = task.cancel
        else:
            metrics.SEGMENTS.labels(segment.model, "merged").inc()
        return synthesis.listen()

    async def close(self) -> None:
        """Stops what is being spoken; what has been spoken is still kept."""
        for synthesis in list(self._in_flight.values()):
            if not synthesis.ended:
                synthesis.stop()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_KEEPING_SECONDS)

    def _abandon(self, synthesis: Synthesis) -> None:
        # Out of the table first: whoever asks for the segment now must not join what is about to stop.
        if self._in_flight.get(synthesis.key) is synthesis:
            del self._in_flight[synthesis.key]
        synthesis.stop()

    async def _provide(self, segment: Segment, synthesis: Synthesis) -> None:
        try:
            if not await self._replay(segment, synthesis, "store"):
                async with self._leases.hold(segment.key) as contended:
                    # Another process may have finished it since we looked.
                    if not await self._replay(segment, synthesis, "awaited" if contended else "store"):
                        await self._make(segment, synthesis)
        except asyncio.CancelledError:
            metrics.SYNTHESES_CANCELLED.labels(segment.model).inc()
            synthesis.end(Unavailable("The server is stopping. Try again in a moment."))
            raise
        except Exception as error:
            if synthesis.ended:
                log.exception("audio was spoken but not kept", segment=segment.key)
            synthesis.end(_explain(error))  # every listener raises it
        finally:
            if self._in_flight.get(segment.key) is synthesis:
                del self._in_flight[segment.key]

    async def _replay(self, segment: Segment, synthesis: Synthesis, source: str) -> bool:
        variant = await self._variants.read(segment.key)
        if variant is None:
            return False
        metrics.SEGMENTS.labels(segment.model, source).inc()
        synthesis.add(Piece(variant.samples, variant.sample_rate, variant.marks))
        synthesis.end()
        return True

    async def _make(self, segment: Segment, synthesis: Synthesis) -> None:
        started = time.perf_counter()
        first = True
        async with aclosing(self._speak(segment)) as pieces:
            async for piece in pieces:
                synthesis.add(piece)
                if piece.audio.size:
                    self._on_audio(segment.model)
                if first and synthesis.pieces:
                    metrics.FIRST_AUDIO.labels(segment.model).observe(time.perf_counter() - started)
                    first = False
        variant = _joined(synthesis.pieces)
        synthesis.end()  # listeners need not wait for the store
        metrics.SEGMENTS.labels(segment.model, "made").inc()
        metrics.AUDIO_SECONDS.labels(segment.model).inc(len(variant.samples) / variant.sample_rate)
        await self._keep(segment, variant)

    def _speak(self, segment: Segment) -> AsyncGenerator[Piece, None]:
        return self._triton.speak(
            segment.model,
            segment.text,
            voice=segment.voice,
            language=segment.language,
            speed=segment.speed,
            deadline=self._deadline,
        )

    async def _keep(self, segment: Segment, variant: Variant) -> None:
        try:
            await self._variants.write(segment.key, variant)
        except StoreFailed:
            # It was heard and can be made again: a full disk must not take the voice away.
            metrics.STORE_FAILURES.inc()
            log.exception("audio could not be kept", segment=segment.key)


def _joined(pieces: list[Piece]) -> Variant:
    if not any(len(piece.audio) for piece in pieces):
        raise ModelFailed("The speech model answered without any audio.")
    marks = [Mark(*mark) for piece in pieces for mark in piece.marks]
    return Variant(np.concatenate([piece.audio for piece in pieces]), pieces[0].sample_rate, marks)


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
