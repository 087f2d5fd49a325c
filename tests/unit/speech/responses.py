"""Segments on the way that every response takes: made ahead and read in order, through one encoder in threads."""

import asyncio
from collections.abc import Sequence

from orchestrator.audio.formats import Sound
from orchestrator.audio.pcm import Samples
from orchestrator.lib.priority_threads import PriorityThreads
from orchestrator.speech.planner.segments import Segment
from orchestrator.speech.respond.audio_stream import stream
from orchestrator.speech.synthesis.segment_stream import stream_segments
from orchestrator.speech.synthesis.shared_synthesis import Subscription
from tests.unit.audio.sounds import cut
from tests.unit.speech.said import piece, segment
from tests.unit.speech.syntheses import ASKER, synthesis

PIECE = 2_205  # samples


def response(segments: Sequence[Samples], sound: Sound, rate: int, *, announced: bool = False) -> bytes:
    """The body of the response that says these segments."""

    async def body() -> bytes:
        threads = PriorityThreads(2)
        plans = [segment(str(number)) for number in range(len(segments))]
        total = sum(map(len, segments)) if announced else None
        try:
            audio = stream(stream_segments(plans, listen, ahead=2), sound, threads, total_samples=total)
            return b"".join([data async for data in audio])
        finally:
            threads.close()

    def listen(asked: Segment) -> Subscription:
        made = synthesis(asked.key)
        for samples in cut(segments[int(asked.text)], PIECE):
            made.add(piece(samples, rate=rate))
        made.end()
        return made.listen(ASKER)

    return asyncio.run(body())
