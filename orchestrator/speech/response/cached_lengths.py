"""How long a response is, known before its first sample because all its segments are cached."""

from collections.abc import Sequence

from orchestrator.speech.cache.audio_cache import AudioCache
from orchestrator.speech.cache.segment_file import Length
from orchestrator.speech.planner.script import SILENT_RATE, WORDLESS, Segment
from orchestrator.speech.synthesis.segment_stream import silent_samples


class CachedLengths:
    """Asks the cache once, when something of it is first needed: the answer is the same for all of one response."""

    def __init__(self, segments: Sequence[Segment], cache: AudioCache) -> None:
        self._segments = segments
        self._cache = cache
        self._found: dict[str, Length] | None = None

    async def of(self, segments: Sequence[Segment] | None = None) -> list[Length] | None:
        """Returns the length of each segment of the response, or of these, with the silence before it.

        None unless all of them are cached.
        """
        if self._found is None:
            keys = [segment.key for segment in self._segments if segment is not WORDLESS]
            self._found = await self._cache.lookup(keys) if keys else {}
        lengths = []
        for segment in self._segments if segments is None else segments:
            speech = Length(0, SILENT_RATE) if segment is WORDLESS else self._found.get(segment.key)
            if speech is None:
                return None
            silence = silent_samples(segment.silence, speech.sample_rate)
            lengths.append(Length(silence + speech.samples, speech.sample_rate))
        return lengths

    async def seconds(self) -> float | None:
        lengths = await self.of()
        return None if lengths is None else sum(length.seconds for length in lengths)

    async def samples(self) -> int | None:
        """Returns those of the whole; None also if its segments have several rates."""
        lengths = await self.of()
        if lengths is None or len({length.sample_rate for length in lengths}) > 1:
            return None
        return sum(length.samples for length in lengths)
