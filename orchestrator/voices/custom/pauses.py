"""Where a recording has speech in it, by its level alone."""

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from orchestrator.audio.pcm import EMPTY, FULL_SCALE, Samples

_FRAME: Final = 0.02  # seconds
_MARGIN: Final = 5  # frames that stay before the first sound and after the last
_BELOW: Final = 35.0  # dB under its loud parts: quieter is a pause
_FLOOR: Final = -65.0  # dBFS: quieter is one always
_LOUD: Final = 95  # percentile of the levels


class Trimmed(msgspec.Struct, frozen=True):
    """``samples`` without the silence around them; ``spoken`` is the share of them that is no pause."""

    samples: Samples
    spoken: float


def trimmed(samples: Samples, rate: int) -> Trimmed:
    """No samples where there is only silence."""
    size = round(rate * _FRAME)
    levels = _levels(samples, size)
    if not len(levels):
        return Trimmed(EMPTY, 0.0)
    sounding = np.flatnonzero(levels > max(_FLOOR, float(np.percentile(levels, _LOUD)) - _BELOW))
    if not len(sounding):
        return Trimmed(EMPTY, 0.0)
    first, last = int(sounding[0]), int(sounding[-1])
    kept = samples[max(0, first - _MARGIN) * size : (last + 1 + _MARGIN) * size]
    return Trimmed(kept.copy(), len(sounding) / (last + 1 - first))


def _levels(samples: Samples, size: int) -> npt.NDArray[np.float64]:
    """Of each frame, in dB below full scale."""
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    power = np.array([np.mean((frame / FULL_SCALE) ** 2) for frame in frames])
    levels: npt.NDArray[np.float64] = 10 * np.log10(power + 1e-12)
    return levels
