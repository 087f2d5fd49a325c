"""Cuts what the engine makes into pieces of the contract: small at first, at the speed that is asked for."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from lectern_triton.higgs_engine.wire import RATE
from lectern_triton.voice_backend.protocol import Chunk, Samples
from lectern_triton.voice_backend.stretch import Stretcher
from lectern_triton.voice_backend.words import find_words, share

FIRST: Final = RATE // 10  # samples, at most, of the first piece
LONGEST: Final = RATE


class Pieces:
    """The pieces of one segment."""

    def __init__(self, text: str, speed: float) -> None:
        self._text = text
        self._stretcher = Stretcher(1 / speed, RATE) if speed != 1 else None
        self._samples = 0

    @property
    def seconds(self) -> float:
        """Of all pieces so far."""
        return self._samples / RATE

    def of(self, samples: bytes) -> Iterator[Chunk]:
        """Take the next samples of the engine."""
        yield from self._cut(self._stretcher.feed(samples) if self._stretcher else samples)

    def last(self) -> Iterator[Chunk]:
        """Nothing more comes. The marks share the whole out by length: nothing is known of the words."""
        if self._stretcher:
            yield from self._cut(self._stretcher.flush())
        yield Chunk(np.empty(0, np.int16), tuple(share(find_words(self._text), 0, self._samples)))

    def _cut(self, raw: bytes) -> Iterator[Chunk]:
        samples: Samples = np.frombuffer(raw, "<i2").astype(np.int16, copy=False)
        first = 0
        while first < samples.size:
            last = first + (LONGEST if self._samples else FIRST)
            piece = samples[first:last]
            self._samples += piece.size
            first = last
            yield Chunk(piece)
