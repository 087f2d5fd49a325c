"""Another tempo for the chunks of a segment, behind the model that made them."""

from collections import deque

import lectern_contract as contract
from lectern.time_stretch import Stretcher
from lectern.triton.errors import InvalidRequest
from lectern.triton.types import Chunk, Mark, Speeds


def split_speed(speed: float, speeds: Speeds, model: str) -> tuple[float, float]:
    """Returns the speed to ask the model for, and the tempo of the rest. Raises InvalidRequest."""
    if not contract.MIN_SPEED <= speed <= contract.MAX_SPEED:  # which NaN is not either
        message = f"the speed is {speed:g}: it must lie between {contract.MIN_SPEED:g} and {contract.MAX_SPEED:g}"
        raise InvalidRequest(message, model=model)
    return contract.split_speed(speed, speeds)


class ChunkStretcher:
    """Stretches the chunks of one segment, which a pause in seconds may follow.

    A word is told of as soon as its time is final.
    """

    def __init__(self, tempo: float, pause: float = 0.0) -> None:
        self._tempo = tempo
        self._pause = pause
        self._stretcher: Stretcher | None = None  # until the sample rate is known
        self._rate = 0
        self._fed = 0  # samples
        self._marks: deque[Mark] = deque()  # whose times are not final

    def feed(self, chunk: Chunk) -> Chunk:
        """Returns what is final by now, which may be nothing."""
        if self._stretcher is None:
            self._rate = chunk.sample_rate
            self._stretcher = Stretcher(self._tempo, self._rate, round(self._pause * self._rate))
        self._marks.extend(chunk.marks)
        self._fed += chunk.audio.size
        audio = self._stretcher.feed(chunk.audio)
        return Chunk(audio, self._rate, self._placed(self._stretcher, self._stretcher.settled))

    def end(self) -> Chunk | None:
        """Returns the rest; None if nothing was fed."""
        if self._stretcher is None:
            return None
        audio = self._stretcher.flush()
        return Chunk(audio, self._rate, self._placed(self._stretcher, None))

    def _placed(self, stretcher: Stretcher, settled: int | None) -> list[Mark]:
        placed = []
        while self._marks and (settled is None or self._marks[0][1] <= settled):
            first, last, start, end = self._marks.popleft()
            first, last = (stretcher.position(min(sample, self._fed)) for sample in (first, last))
            placed.append(Mark(first, last, start, end))
        return placed
