"""Time stretching: changes the speed of speech and keeps its pitch.

The algorithm is WSOLA (Verhelst and Roelands 1993): overlapping frames are placed further apart, or closer, than they
were taken. Each is taken from where it fits the end of the output best.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

FRAME: Final = 0.024  # seconds
SEARCH: Final = 0.008  # seconds to both sides: a period of the lowest voices

Samples = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float32]


def stretched_length(samples: int, tempo: float) -> int:
    """Returns how many samples come out of a `Stretcher` for those that went in."""
    return round(samples / tempo)


class Stretcher:
    """Stretches one stream of mono samples. A tempo of 2 is twice as fast.

    The output does not depend on how the input is cut into chunks.
    """

    def __init__(self, tempo: float, rate: int) -> None:
        self._tempo = tempo
        self._hop = int(FRAME * rate) // 2
        self._search = int(SEARCH * rate)
        self._window = np.hanning(2 * self._hop + 1)[:-1].astype(np.float32)
        self._waiting: Floats = np.zeros(self._search, np.float32)  # input from `_origin` on
        self._origin = -self._search
        self._taken = 0  # samples put in
        self._made = 0  # samples given out
        self._frames = 0
        self._tail: Floats = np.zeros(self._hop, np.float32)  # second half of the last frame, windowed
        self._expected: Floats | None = None  # what followed the last frame where it was taken

    @property
    def settled(self) -> int:
        """How many samples of the input have a final position in the output."""
        return self._taken

    def position(self, sample: int) -> int:
        """Returns where a sample of the input is heard in the output. It is final for those that are `settled`."""
        return stretched_length(sample, self._tempo)

    def feed(self, samples: Samples) -> Samples:
        """Takes more input and returns the output that is final by now."""
        self._taken += samples.size
        self._waiting = np.concatenate([self._waiting, samples.astype(np.float32)])
        return self._give(self._lay())

    def flush(self) -> Samples:
        """Returns the rest. The whole output has `stretched_length` samples."""
        missing = stretched_length(self._taken, self._tempo) - self._made
        self._waiting = np.concatenate(
            [self._waiting, np.zeros((4 + math.ceil(self._tempo)) * self._hop + 2 * self._search, np.float32)]
        )
        laid = [*self._lay(), self._tail]
        return self._give([np.concatenate([*laid, np.zeros(missing, np.float32)])[:missing]])

    def _give(self, laid: list[Floats]) -> Samples:
        samples = np.concatenate(laid) if laid else np.zeros(0, np.float32)
        self._made += samples.size
        return np.clip(np.rint(samples), -32768, 32767).astype(np.int16)

    def _lay(self) -> list[Floats]:
        """Places all frames whose search range is complete, and returns the output that no later frame overlaps."""
        laid: list[Floats] = []
        hop, search = self._hop, self._search
        ahead = search + hop * max(3, math.ceil(self._tempo))  # samples; less could lay more than the whole output
        while True:
            middle = int(self._frames * hop * self._tempo) - self._origin  # of the range of starts, in `_waiting`
            if middle + ahead > self._waiting.size:
                break
            start = middle
            if self._expected is not None:
                region = self._waiting[middle - search : middle + search + hop]
                start += int(np.argmax(np.correlate(region, self._expected, mode="valid"))) - search
            frame = self._waiting[start : start + 2 * hop] * self._window
            laid.append(self._tail + frame[:hop])
            self._tail = frame[hop:]
            self._expected = self._waiting[start + hop : start + 2 * hop]
            self._frames += 1
        keep = max(0, int(self._frames * hop * self._tempo) - search - self._origin)
        self._waiting = self._waiting[keep:]
        self._origin += keep
        return laid
