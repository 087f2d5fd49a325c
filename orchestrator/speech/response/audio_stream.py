"""The body of one audio response: chunks of samples, all through one encoder."""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Final

from lectern.triton import Chunk
from orchestrator.audio.encoding import Encoder
from orchestrator.audio.formats import Sound
from orchestrator.lib.priority_threads import PriorityThreads
from orchestrator.speech.cache.segment_file import Length
from orchestrator.speech.response.cached_lengths import fitted
from orchestrator.speech.synthesis.segment_stream import SegmentChunks

_FASTEST: Final = 2.0  # speed at which people play what they hear
_LONGEST: Final = 10.0  # seconds; a listener who has more stored may still jump, or want the whole file


async def audio_stream(
    chunks: SegmentChunks,
    sound: Sound,
    threads: PriorityThreads,
    buffer: "PlayoutBuffer | None" = None,
    *,
    declarable: Callable[[], Awaitable[list[Length] | None]] | None = None,
) -> AsyncGenerator[bytes, None]:
    """Yields bytes as they come, and closes the chunks with itself.

    ``buffer`` is told of what is sent.

    ``declarable`` returns the length of each segment, which the header declares, or None if they are not known.

    If a chunk fails after bytes have been sent, the response must not end as if it were whole: the exception passes
    through the server, which breaks the connection.
    """

    def begin(chunk: Chunk, lengths: list[Length] | None) -> tuple[Encoder, bytes]:
        total = None if lengths is None else sum(length.samples for length in lengths)
        begun = Encoder(sound.audio_format, chunk.sample_rate, total_samples=total, wanted_rate=sound.sample_rate)
        return begun, begun.feed(chunk.audio)

    encoder: Encoder | None = None
    buffer = buffer or PlayoutBuffer()
    async with aclosing(chunks):
        lengths = await declarable() if declarable is not None else None
        async with aclosing(chunks if lengths is None else fitted(chunks, lengths)) as heard:
            async for _, chunk in heard:
                if encoder is None:
                    encoder, data = await threads.encode(buffer.slack, begin, chunk, lengths)
                else:
                    data = await threads.encode(buffer.slack, encoder.feed, chunk.audio, chunk.sample_rate)
                if data:
                    yield data
                seconds = len(chunk.audio) / chunk.sample_rate
                threads.count_encoded(seconds)
                buffer.add(seconds)
        if encoder is not None and (data := await threads.encode(buffer.slack, encoder.finish)):
            yield data


class PlayoutBuffer:
    """How much of the response its listener still has to hear, who plays it while it comes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began: float | None = None
        self._seconds = 0.0

    def add(self, seconds: float) -> None:
        """Counts seconds of audio that were sent."""
        if self._began is None:
            self._began = self._clock()
        self._seconds += seconds

    @property
    def slack(self) -> float:
        """Seconds within which even a hasty listener does not come to the end of what was sent."""
        if self._began is None:
            return 0.0
        return min(max(0.0, self._seconds / _FASTEST - (self._clock() - self._began)), _LONGEST)
