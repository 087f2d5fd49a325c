"""Cuts the silence behind the last sound of a segment: the pauses between segments are the caller's."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from lectern_contract import SILENCE_BEHIND
from lectern_triton.voice_backend.voice import Chunk, Mark, Samples

QUIET: Final = 10 ** (-45 / 20)  # of the loudest sample: breath and the room's noise are quieter
FAINTEST: Final = 16  # anything quieter is silence, however quiet the rest is
FADE: Final = 0.01  # seconds, where something is cut


def silence_level(loudest: int) -> int:
    """Returns the level up to which a sample is silence, from that of the loudest sample."""
    return max(FAINTEST, int(loudest * QUIET))


def without_trailing_silence(chunks: Iterable[Chunk], rate: int) -> Iterator[Chunk]:
    """Yields the chunks without most of the silence at the end. Silence inside comes with the sound behind it.

    Audio that is silent throughout stays as it is.
    """
    fade = round(FADE * rate)
    kept = round(SILENCE_BEHIND * rate)
    held: Samples = np.zeros(0, np.int16)  # what may be silence at the end
    marks: deque[Mark] = deque()
    given = loudest = owed = 0
    for chunk in chunks:
        held = np.concatenate([held, chunk.audio])
        marks.extend(chunk.marks)
        level = np.abs(held.astype(np.int32))
        loudest = max(loudest, int(level.max(initial=0)))
        loud = np.flatnonzero(level > silence_level(loudest))
        if loud.size:
            end = int(loud[-1]) + 1
            sure, held = np.split(held, [end + kept - fade])
            owed = end + kept - sure.size
            given += sure.size
            known = [marks.popleft() for _ in range(sum(last <= given for _, last, _, _ in marks))]
            yield Chunk(sure, tuple(known))
    rest = held if given == 0 else held[:owed].copy()
    if rest.size < held.size:
        rest[-fade:] = (rest[-fade:] * np.linspace(1, 0, fade, dtype=np.float32)).astype(np.int16)
    given += rest.size
    yield Chunk(rest, tuple((min(first, given), min(last, given), start, end) for first, last, start, end in marks))
