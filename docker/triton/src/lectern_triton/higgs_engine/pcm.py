"""Converts a model's audio to PCM."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

SCALE: Final = 32_768  # as int16 is read back


def to_pcm(audio: NDArray[np.float32]) -> bytes:
    """Returns audio from -1 to 1 as int16, little-endian, clipped. Raises FloatingPointError for values like NaN."""
    if not np.isfinite(audio).all():
        raise FloatingPointError("the model made audio that is not a number")
    return np.rint(audio * SCALE).clip(-SCALE, SCALE - 1).astype("<i2").tobytes()
