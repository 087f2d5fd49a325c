"""How long a response is, known before its first sample because all its segments are cached."""

from collections.abc import Sequence
from contextlib import aclosing
from typing import Final

import numpy as np

from lectern.triton import Chunk
from orchestrator.lib.errors.problems import ModelFailed
from orchestrator.speech.cache.audio_cache import AudioCache
from orchestrator.speech.cache.segment_file import Length
from orchestrator.speech.planner.script import SILENT_RATE, WORDLESS, Segment
from orchestrator.speech.rendition import silent_samples
from orchestrator.speech.synthesis.segment_stream import SegmentChunks

_QUIET: Final = 100  # of 32,768: nothing louder than this is speech


class CachedLengths:
    """Asks the cache once, when something of it is first needed: the answer is the same for all of one response."""

    def __init__(self, segments: Sequence[Segment], cache: AudioCache) -> None:
        self._segments = segments
        self._cache = cache
        self._found: dict[str, Length] | None = None

    async def of(self, segments: Sequence[Segment] | None = None) -> list[Length] | None:
        """Returns the length of each segment of the response, or of these, as it is heard.

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
            heard = segment.rendition.length(speech)
            silence = silent_samples(segment.silence, heard.sample_rate)
            lengths.append(Length(silence + heard.samples, heard.sample_rate))
        return lengths

    async def seconds(self) -> float | None:
        lengths = await self.of()
        return None if lengths is None else sum(length.seconds for length in lengths)

    async def declarable(self) -> list[Length] | None:
        """Returns the length of each segment if one header can declare them all: None also at several rates."""
        lengths = await self.of()
        return None if lengths is None or len({length.sample_rate for length in lengths}) > 1 else lengths


async def fitted(chunks: SegmentChunks, declared: Sequence[Length]) -> SegmentChunks:
    """Yields as many samples of each segment as were declared, so that the file is what its header says.

    Only a segment that turned out unreadable and was made anew may differ. Silence follows one that is shorter, or that
    was left out. Of one that is longer, silence at its end is cut. Speech is not: the response breaks, and the next one
    declares the new length.
    """
    index, left = 0, declared[0].samples
    async with aclosing(chunks):
        async for of, chunk in chunks:
            while index < of:
                if left:
                    yield index, _silence(left, declared[index].sample_rate)
                index += 1
                left = declared[index].samples
            excess = chunk.audio[left:]
            if chunk.sample_rate != declared[index].sample_rate or np.any(np.abs(excess.astype(int)) > _QUIET):
                raise ModelFailed("A segment was made anew and does not fit the length that was declared. Ask again.")
            left -= len(chunk.audio) - len(excess)
            yield index, Chunk(chunk.audio[: len(chunk.audio) - len(excess)], chunk.sample_rate, chunk.marks)
        if missing := left + sum(length.samples for length in declared[index + 1 :]):
            yield index, _silence(missing, declared[index].sample_rate)


def _silence(samples: int, sample_rate: int) -> Chunk:
    return Chunk(np.zeros(samples, np.int16), sample_rate, [])
