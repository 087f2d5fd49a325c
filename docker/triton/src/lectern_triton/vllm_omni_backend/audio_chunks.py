"""Cuts the engine's audio into chunks of the contract, small at first."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from lectern_triton.higgs_engine.messages import RATE
from lectern_triton.voice_backend.voice import Chunk, Samples

FIRST: Final = RATE // 10  # samples, at most, of the first chunk
LONGEST: Final = RATE


class Chunker:
    """Makes the chunks of one segment."""

    def __init__(self) -> None:
        self._samples = 0

    def feed(self, samples: bytes) -> Iterator[Chunk]:
        """Takes the engine's next samples and yields the chunks that they complete."""
        coming: Samples = np.frombuffer(samples, "<i2").astype(np.int16, copy=False)
        first = 0
        while first < coming.size:
            last = first + (LONGEST if self._samples else FIRST)
            chunk = coming[first:last]
            self._samples += chunk.size
            first = last
            yield Chunk(chunk)
