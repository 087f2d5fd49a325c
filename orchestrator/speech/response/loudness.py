"""Brings a whole response to a loudness, which is known only once all of it has been synthesized."""

from collections.abc import Callable
from contextlib import aclosing

from lectern.triton import Chunk
from orchestrator.audio.loudness import LoudnessMeter, amplified
from orchestrator.lib.priority_threads import PriorityThreads
from orchestrator.speech.synthesis.segment_stream import SegmentChunks


async def leveled(
    chunks: SegmentChunks, again: Callable[[], SegmentChunks], loudness: float, threads: PriorityThreads
) -> SegmentChunks:
    """Reads everything twice, rather than keep hours of samples in memory: the second time it comes from the cache.

    ``loudness`` is in LUFS. Raises what made a segment fail, before the first chunk.
    """
    meter = LoudnessMeter()
    async with aclosing(chunks):
        async for _, chunk in chunks:
            await threads.run(meter.feed, chunk.audio, chunk.sample_rate)
    factor = await threads.run(meter.gain_to, loudness)
    async with aclosing(again()) as repeated:
        async for index, chunk in repeated:
            yield index, Chunk(amplified(chunk.audio, factor), chunk.sample_rate, chunk.marks)
