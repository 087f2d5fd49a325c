"""Time stretching: changes the speed of speech and keeps its pitch, for speeds that a model does not support itself.

The algorithm is WSOLA (Verhelst and Roelands 1993): overlapping frames are placed further apart, or closer, than they
were taken. Each is taken from where it fits the end of the output best.
"""

import numpy as np
import numpy.typing as npt

FRAME = 0.024  # seconds
SEARCH = 0.008  # seconds to both sides: a period of the lowest voices

Floats = npt.NDArray[np.float32]


class Stretcher:
    """Stretches one stream of int16 samples, given as bytes, by a factor."""

    def __init__(self, factor: float, rate: int) -> None:
        self._factor = factor
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

    def feed(self, pcm: bytes) -> bytes:
        """Takes more input and returns the output that is final by now."""
        samples = np.frombuffer(pcm, np.int16)
        self._taken += samples.size
        self._waiting = np.concatenate([self._waiting, samples.astype(np.float32)])
        return self._give(self._lay())

    def flush(self) -> bytes:
        """Returns the rest. The whole output is `factor` times as long as the input, to the sample."""
        missing = round(self._taken * self._factor) - self._made
        self._waiting = np.concatenate([self._waiting, np.zeros(4 * self._hop + 2 * self._search, np.float32)])
        laid = [*self._lay(), self._tail]
        return self._give([np.concatenate([*laid, np.zeros(missing, np.float32)])[:missing]])

    def _give(self, laid: list[Floats]) -> bytes:
        samples = np.concatenate(laid) if laid else np.zeros(0, np.float32)
        self._made += samples.size
        return np.clip(np.rint(samples), -32768, 32767).astype(np.int16).tobytes()

    def _lay(self) -> list[Floats]:
        """Places all frames whose search range is complete, and returns the output that no later frame overlaps."""
        laid: list[Floats] = []
        hop, search = self._hop, self._search
        while True:
            middle = int(self._frames * hop / self._factor) - self._origin  # of the range of starts, in `_waiting`
            if middle + search + 3 * hop > self._waiting.size:
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
        keep = max(0, int(self._frames * hop / self._factor) - search - self._origin)
        self._waiting = self._waiting[keep:]
        self._origin += keep
        return laid
