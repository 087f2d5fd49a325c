"""Silence in speech, found while the speech arrives."""

from typing import Final

import numpy as np
import numpy.typing as npt

STEP: Final = 0.005  # seconds
QUIET: Final = 30.0  # dB below the loudest step of late: the closure of a plosive or a pause, not a soft consonant
DECAY: Final = 6.0  # dB a second that the loudest step of late is forgotten by
FAINT: Final = 40.0  # dB, that is an RMS of 100: the loudest step of late counts as at least so loud
EDGE: Final = 6  # steps: a silence of up to twice as long is a closure (Byrd 1993: 50 to 70 ms) and belongs to a sound


class Pauses:
    """Tells for each step of a stream whether it lies inside a pause, more than `EDGE` steps away from any sound."""

    def __init__(self, rate: int) -> None:
        self.step = int(STEP * rate)  # samples
        self._loudest = FAINT
        self._rest = np.zeros(0, np.int16)
        self._quiet = 10**9  # steps since the last sound; nothing was heard in front of the stream
        self._pending = 0  # silent steps whose distance to the next sound is not known yet

    def feed(self, samples: npt.NDArray[np.int16]) -> bytes:
        """Takes more samples and returns what is known by now: a 1 for each step inside a pause, a 0 for others."""
        samples = np.concatenate([self._rest, samples])
        whole = samples.size // self.step * self.step
        self._rest = samples[whole:].copy()
        power = np.mean(samples[:whole].reshape(-1, self.step).astype(np.int64) ** 2, axis=1)
        inside = bytearray()
        for level in (10 * np.log10(power + 1)).tolist():
            self._loudest = max(level, self._loudest - DECAY * STEP, FAINT)
            self._quiet += 1
            if level >= self._loudest - QUIET:
                inside += bytes(self._pending + 1)
                self._quiet = self._pending = 0
            elif self._quiet <= EDGE:
                inside.append(0)
            elif self._pending < EDGE:
                self._pending += 1
            else:
                inside.append(1)
        return bytes(inside)

    def finish(self) -> bytes:
        """Returns the rest, less a part of a step at the end."""
        return b"\1" * self._pending
