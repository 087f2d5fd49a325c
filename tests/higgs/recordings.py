"""Recordings for references: as on the wire, 24 kHz, int16."""

import numpy as np

RATE = 24_000


def tone(hertz: float, seconds: float) -> bytes:
    """With overtones, so that it is not the same in all codebooks."""
    at = np.arange(round(seconds * RATE)) / RATE
    overtones = [np.sin(2 * np.pi * hertz * number * at) / number for number in range(1, 6)]
    samples: bytes = (6_000 * np.sum(overtones, axis=0)).astype("<i2").tobytes()
    return samples
