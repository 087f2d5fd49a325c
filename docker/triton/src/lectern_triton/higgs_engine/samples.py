"""A model's audio as it goes over the wire."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

SCALE: Final = 32_768  # as int16 is read back


def packed(audio: NDArray[np.float32]) -> bytes:
    """``audio`` from -1 to 1; what is louder is clipped. Raises FloatingPointError for what is not a number."""
    if not np.isfinite(audio).all():
        raise FloatingPointError("the model made audio that is not a number")
    return np.rint(audio * SCALE).clip(-SCALE, SCALE - 1).astype("<i2").tobytes()
