"""Converts a speed to eSpeak NG's rate, which is only roughly proportional to how fast it speaks."""

from itertools import pairwise
from typing import Final

SLOWEST: Final = 0.5
FASTEST: Final = 1.5
"""Beyond these, speech that is stretched from here is understood best: Whisper misses a quarter of
its words at 2, and a third of eSpeak NG's own."""

NORMAL_RATE: Final = 175  # words a minute, as eSpeak counts them: its own default

# Measured on English prose with eSpeak NG 1.52. Below 80 it goes no slower.
_MEASURED: Final = (
    (0.467, 80), (0.50, 90), (0.56, 100), (0.67, 120), (0.79, 140), (0.91, 160), (1.0, NORMAL_RATE), (1.15, 200),
    (1.44, 250), (1.75, 300), (2.07, 350),
)  # fmt: skip


def rate_for(speed: float) -> int:
    """Returns the rate in words a minute that comes nearest to a speed."""
    if speed <= _MEASURED[0][0]:
        return _MEASURED[0][1]
    for (slower, low), (faster, high) in pairwise(_MEASURED):
        if speed <= faster:
            return round(low + (high - low) * (speed - slower) / (faster - slower))
    return _MEASURED[-1][1]
