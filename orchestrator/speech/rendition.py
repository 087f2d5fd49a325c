"""How a segment is heard: the tempo and the pause that it is given behind the cache, so that one synthesis serves all.

A model speaks at speeds of its own (`speeds` in its card). What a request asks for beyond them is the tempo, which no
key has.
"""

from collections.abc import AsyncIterator, Callable
from typing import Final, ParamSpec, TypeVar

import msgspec
import numpy as np

from lectern.time_stretch import Stretcher, stretched_length
from lectern.triton import Chunk
from lectern.triton.tempo import ChunkStretcher
from orchestrator.audio.pcm import Samples
from orchestrator.lib.priority_threads import PriorityThreads
from orchestrator.speech.cache.segment_file import CachedAudio, Length

P = ParamSpec("P")
R = TypeVar("R")


class Rendition(msgspec.Struct, frozen=True):
    """A ``tempo`` of 2 is twice as fast. The ``pause`` behind the segment is in seconds, whatever the tempo.

    What is said fast may last a little longer, and then takes the time of its pauses.
    """

    tempo: float = 1.0
    pause: float = 0.0

    @property
    def prefix(self) -> str:
        """Stands in names before the format, such as ``1.5x.0.8s.``, and is empty for audio as the model made it."""
        tempo = "" if self.tempo == 1 else f"{_decimal(self.tempo)}x."
        return tempo + (f"{_decimal(self.pause)}s." if self.pause else "")

    def length(self, made: Length) -> Length:
        """Returns how long is what is heard of so much made by the model."""
        samples = made.samples if self.tempo == 1 else stretched_length(made.samples, self.tempo)
        return Length(samples + silent_samples(self.pause, made.sample_rate), made.sample_rate)

    def of(self, audio: CachedAudio) -> Samples:
        """Returns what is heard of the audio, as ``stream`` does."""
        if self == AS_MADE:
            return audio.samples
        if self.tempo == 1:
            return np.concatenate([audio.samples, _silence(self.pause, audio.sample_rate)])
        stretcher = Stretcher(self.tempo, audio.sample_rate, silent_samples(self.pause, audio.sample_rate))
        return np.concatenate([stretcher.feed(audio.samples), stretcher.flush()])

    async def stream(
        self, chunks: AsyncIterator[Chunk], threads: PriorityThreads, slack: Callable[[], float] | None = None
    ) -> AsyncIterator[Chunk]:
        """Yields what is heard of a segment.

        ``slack``: seconds until the next of it is needed, to be encoded; None: it is not encoded now.
        """

        async def run(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
            if slack is None:  # which must not count as the cost of audio that never comes
                return await threads.run(work, *args, **kwargs)
            return await threads.encode(slack(), work, *args, **kwargs)

        rate: int | None = None
        stretcher = ChunkStretcher(self.tempo, self.pause) if self.tempo != 1 else None
        async for chunk in chunks:
            rate = chunk.sample_rate
            heard = chunk if stretcher is None else await run(stretcher.feed, chunk)
            if heard.audio.size or heard.marks:
                yield heard
        if stretcher is not None:
            if (rest := await run(stretcher.end)) is not None:
                yield rest
        elif self.pause and rate is not None:
            yield Chunk(_silence(self.pause, rate), rate, [])


AS_MADE: Final = Rendition()
LONGEST_PAUSE: Final = 60.0  # seconds; no name has a longer one


def silent_samples(seconds: float, sample_rate: int) -> int:
    return round(seconds * sample_rate)


def _silence(seconds: float, sample_rate: int) -> Samples:
    return np.zeros(silent_samples(seconds, sample_rate), np.int16)


def _decimal(number: float) -> str:
    """Returns the only spelling of a number with up to three decimals."""
    return f"{number:.3f}".rstrip("0").rstrip(".")
