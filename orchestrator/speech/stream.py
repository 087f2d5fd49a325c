"""The body of one audio response: its segments in order, a few made ahead, all through one muxer."""

from collections import deque
from collections.abc import AsyncGenerator, Sequence
from typing import Final

from orchestrator.speech.audio.encoding import Encoder
from orchestrator.speech.audio.formats import AudioFormat
from orchestrator.speech.plan import Segment
from orchestrator.speech.synthesis import Listening
from orchestrator.speech.synthesizer import Synthesizer
from orchestrator.speech.threads import EncoderThreads
from orchestrator.speech.variants import Variants

_DECLARING: Final = ("wav", "mp3")  # whose header says how long the whole is, if that is known by then


async def stream(
    segments: Sequence[Segment],
    audio_format: AudioFormat,
    *,
    synthesizer: Synthesizer,
    variants: Variants,
    threads: EncoderThreads,
    ahead: int,
) -> AsyncGenerator[bytes, None]:
    """Yields bytes as they come. Closing it lets go of everything that nobody else listens to.

    Raises what made a segment fail. If bytes have been sent by then, the response must not end as if it were whole:
    the exception passes through the server, which breaks the connection.
    """
    coming = iter(segments)
    window: deque[Listening] = deque()

    def look_ahead() -> None:
        while len(window) <= ahead and (segment := next(coming, None)) is not None:
            window.append(synthesizer.listen(segment))

    encoder: Encoder | None = None
    total = await _known_length(segments, variants) if audio_format in _DECLARING else None
    try:
        look_ahead()
        while window:
            async for piece in window[0].pieces():
                if encoder is None:
                    encoder = await threads.run(Encoder, audio_format, piece.sample_rate, total_samples=total)
                if data := await threads.run(encoder.feed, piece.audio, piece.sample_rate):
                    yield data
            window.popleft().leave()
            look_ahead()
        if encoder is not None and (data := await threads.run(encoder.finish)):
            yield data
    finally:
        for listening in window:
            listening.leave()


async def _known_length(segments: Sequence[Segment], variants: Variants) -> int | None:
    """Samples of the whole, if every segment is kept and all have one rate."""
    samples = 0
    rates = set()
    for segment in segments:
        length = await variants.length(segment.key)
        if length is None:
            return None
        samples += length[0]
        rates.add(length[1])
    return samples if len(rates) == 1 else None
