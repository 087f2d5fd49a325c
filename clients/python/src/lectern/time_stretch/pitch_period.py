"""The period of a voice."""

from typing import Final

import numpy as np
import numpy.typing as npt

LOWEST: Final = 65  # Hz, the lowest voices of men
HIGHEST: Final = 400  # Hz, the highest of women and children
COARSE: Final = 8_000  # Hz, the rate of the first search
SHORTER: Final = 0.1  # how much more alike twice the period must be than the period: it always is as much alike
FAINT: Final = 7.0  # samples' RMS; keeps the noise of a pause from deciding

Floats = npt.NDArray[np.float64]


class PeriodSearch:
    """Finds the lag at which a sound is most like itself, by normalised correlation (Rabiner 1977)."""

    def __init__(self, rate: int) -> None:
        self._coarse = max(1, rate // COARSE)  # samples
        self.shortest = rate // HIGHEST
        self.longest = rate // LOWEST
        self.window = self.longest  # samples that are compared

    def forward(self, sound: Floats) -> int:
        """Returns the lag, in samples, of what comes later than the first `window` of these `window + longest`."""
        whole = sound[: sound.size // self._coarse * self._coarse]
        folded = whole.reshape(-1, self._coarse).mean(axis=1)
        window = self.window // self._coarse
        lag = self._coarse * best_lag(folded, window, self.shortest // self._coarse, folded.size - window)
        first, last = max(lag - self._coarse, self.shortest), min(lag + self._coarse, self.longest)
        return best_lag(sound, self.window, first, last)

    def backward(self, sound: Floats) -> int:
        """Returns the lag of what came before the last `window` of these `window + longest`."""
        return self.forward(sound[::-1])


def best_lag(sound: Floats, window: int, first: int, last: int) -> int:
    """Returns the lag, from `first` to `last`, at which `sound` is most like its first `window` samples."""
    later = sound[first : last + window]
    alike = np.correlate(later, sound[:window], mode="valid")
    energy = np.concatenate([[0], np.cumsum(later**2)])
    alike = alike / np.sqrt(energy[window:] - energy[:-window] + window * FAINT**2)
    lags = np.arange(first, last + 1)
    return first + int(np.argmax(alike * (1 - SHORTER * lags / last)))
