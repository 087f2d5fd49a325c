"""Segments on the way that every response takes: made ahead and read in order, through one encoder in threads."""

import asyncio
from collections.abc import Sequence

from orchestrator.audio.formats import Sound
from orchestrator.audio.pcm import Samples
from orchestrator.lib.priority_threads import PriorityThreads
from orchestrator.speech.admission.admission_controller import Ticket
from orchestrator.speech.cache.segment_file import Length
from orchestrator.speech.planner.script import Segment
from orchestrator.speech.response.audio_stream import audio_stream
from orchestrator.speech.synthesis.segment_stream import stream_segments
from orchestrator.speech.synthesis.shared_synthesis import Subscription
from tests.unit.audio.sounds import cut
from tests.unit.speech.said import chunk, segment
from tests.unit.speech.syntheses import subscribe as open_subscription
from tests.unit.speech.syntheses import synthesis

CHUNK = 2_205  # samples


def response(segments: Sequence[Samples], sound: Sound, rate: int, *, declared: Sequence[int] | None = None) -> bytes:
    """The body of the response that says these segments, of which so many samples were declared."""

    async def body() -> bytes:
        threads = PriorityThreads(2)
        plans = [segment(str(number)) for number in range(len(segments))]

        async def lengths() -> list[Length]:
            return [Length(samples, rate) for samples in declared or []]

        try:
            chunks = stream_segments(plans, subscribe, threads=threads, ahead=2)
            audio = audio_stream(chunks, sound, threads, declarable=None if declared is None else lengths)
            return b"".join([data async for data in audio])
        finally:
            threads.close()

    def subscribe(asked: Segment, _: Ticket | None) -> Subscription:
        made = synthesis(asked.key)
        for samples in cut(segments[int(asked.text)], CHUNK):
            made.add(chunk(samples, rate=rate))
        made.end()
        return open_subscription(made)

    return asyncio.run(body())
