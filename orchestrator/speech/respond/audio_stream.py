"""The body of one audio response: pieces of samples, all through one muxer."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Final

from lectern.triton import Chunk
from orchestrator.audio.encoding import Encoder
from orchestrator.audio.formats import Sound
from orchestrator.lib.priority_threads import PriorityThreads
from orchestrator.speech.cache.audio_cache import AudioCache
from orchestrator.speech.planner.segments import Segment
from orchestrator.speech.respond.playout_buffer import Lead
from orchestrator.speech.synthesis.segment_stream import silent_samples
from orchestrator.speech.synthesis.silence import RATE, WORDLESS

_DECLARING: Final = ("wav", "mp3")  # whose header says how long the whole is, if that is known by then

Pieces = AsyncGenerator[tuple[int, Chunk], None]


async def stream(
    pieces: Pieces, sound: Sound, threads: PriorityThreads, *, total_samples: int | None = None
) -> AsyncGenerator[bytes, None]:
    """Yields bytes as they come, and closes the pieces with itself.

    If a piece fails after bytes have been sent, the response must not end as if it were whole: the exception passes
    through the server, which breaks the connection.
    """
    encoder: Encoder | None = None
    lead = Lead()
    async with aclosing(pieces):
        async for _, piece in pieces:
            if encoder is None:
                encoder = await threads.run(
                    Encoder,
                    sound.audio_format,
                    piece.sample_rate,
                    total_samples=total_samples,
                    wanted_rate=sound.sample_rate,
                )
            if data := await threads.encode(lead.slack, encoder.feed, piece.audio, piece.sample_rate):
                yield data
            seconds = len(piece.audio) / piece.sample_rate
            threads.encoded(seconds)
            lead.add(seconds)
        if encoder is not None and (data := await threads.encode(lead.slack, encoder.finish)):
            yield data


async def declared_samples(segments: Sequence[Segment], sound: Sound, audio_cache: AudioCache) -> int | None:
    """Samples of the whole, if the format declares them, every segment is kept and all have one rate."""
    if sound.audio_format not in _DECLARING:
        return None
    lengths = await _lengths(segments, audio_cache)
    if lengths is None or len({rate for _, rate in lengths}) > 1:
        return None
    return sum(samples for samples, _ in lengths)


async def kept_seconds(segments: Sequence[Segment], audio_cache: AudioCache) -> float | None:
    """Seconds of the whole, if every segment is kept."""
    lengths = await _lengths(segments, audio_cache)
    return None if lengths is None else sum(samples / rate for samples, rate in lengths)


async def _lengths(segments: Sequence[Segment], audio_cache: AudioCache) -> list[tuple[int, int]] | None:
    """Samples and rate of each, with the silence before it; stops at the first that is not kept."""
    lengths = []
    for segment in segments:
        length = (0, RATE) if segment is WORDLESS else await audio_cache.length(segment.key)
        if length is None:
            return None
        samples, rate = length
        lengths.append((samples + silent_samples(segment.silence, rate), rate))
    return lengths
