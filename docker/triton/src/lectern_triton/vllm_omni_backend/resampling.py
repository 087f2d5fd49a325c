"""Resamples a recording to the engine's rate by a windowed sinc, without aliases."""

from fractions import Fraction
from typing import Final

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

REACH: Final = 16  # zero crossings of the sinc, on each side
EDGE: Final = 0.94  # of the lower rate's highest frequency, where the filter begins to fall
# The most sets of weights. All usual rates are exact with fewer; an unusual one is off by 3 millionths.
PHASES: Final = 640
BETA: Final = 9.0  # of the Kaiser window: what lies beyond is 90 dB down

Samples = npt.NDArray[np.int16]


def resampled(samples: Samples, rate: int, wanted: int) -> Samples:
    """Returns mono samples of `rate` Hz, resampled to `wanted` Hz."""
    if rate == wanted:
        return samples
    ratio = Fraction(rate, wanted).limit_denominator(PHASES)
    up, down = ratio.denominator, ratio.numerator
    cutoff = EDGE * min(1.0, wanted / rate)  # of the input's highest frequency
    half = int(np.ceil(REACH / cutoff))
    length = -(-samples.size * up // down)
    padded = np.concatenate([np.zeros(half), samples, np.zeros(half + down)])
    windows = sliding_window_view(padded, 2 * half)
    out = np.empty(length)
    offsets = np.arange(1 - half, half + 1)
    # Output n lies at n * down / up of the input: all n with the same remainder have the same weights.
    for first in range(min(up, length)):
        numbers = np.arange(first, length, up)
        before, fraction = numbers * down // up, first * down % up / up
        weights = cutoff * np.sinc(cutoff * (offsets - fraction)) * _kaiser((offsets - fraction) / half)
        out[first::up] = windows[before + 1] @ (weights / weights.sum())
    return np.clip(np.rint(out), -32_768, 32_767).astype(np.int16)


def _kaiser(place: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Returns the window's height at these places, from -1 to 1."""
    height: npt.NDArray[np.float64] = np.i0(BETA * np.sqrt(np.clip(1 - place**2, 0, None))) / np.i0(BETA)
    return height
