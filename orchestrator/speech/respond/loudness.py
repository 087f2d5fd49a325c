"""Brings a whole recording to a loudness, which is known only once all of it has been made."""

from collections.abc import Callable
from contextlib import aclosing

from lectern.triton import Chunk
from orchestrator.audio.loudness import LoudnessMeter, amplified
from orchestrator.lib.priority_threads import PriorityThreads
from orchestrator.speech.respond.audio_stream import Pieces


async def leveled(pieces: Pieces, again: Callable[[], Pieces], loudness: float, threads: PriorityThreads) -> Pieces:
    """Hears everything twice, rather than keep hours of samples in memory: the second time it comes from the store.

    ``loudness`` is in LUFS. Raises what made a segment fail, before the first piece.
    """
    meter = LoudnessMeter()
    async with aclosing(pieces):
        async for _, piece in pieces:
            await threads.run(meter.feed, piece.audio, piece.sample_rate)
    factor = await threads.run(meter.gain_to, loudness)
    async with aclosing(again()) as repeated:
        async for place, piece in repeated:
            yield place, Chunk(amplified(piece.audio, factor), piece.sample_rate, piece.marks)
