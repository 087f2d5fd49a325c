"""Mono int16 samples, the form of all audio inside the orchestrator."""

from fractions import Fraction
from typing import Any, Final

import av
import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]

SAMPLE_BYTES: Final = 2
FULL_SCALE: Final = 32_768
EMPTY: Final[Samples] = np.empty(0, np.int16)
EMPTY.setflags(write=False)


def samples_from_bytes(data: bytes) -> Samples:
    """Returns the samples in ``data``, int16 little-endian, without a copy where the machine is little-endian."""
    if len(data) % SAMPLE_BYTES:
        raise ValueError(f"{len(data)} bytes are not a whole number of int16 samples.")
    return np.frombuffer(data, "<i2").astype(np.int16, copy=False)


def samples_to_bytes(samples: Samples) -> bytes:
    return samples.astype("<i2", copy=False).tobytes()


def check_samples(samples: Samples) -> None:
    """Raises TypeError for anything but one row of int16: a float array would otherwise become noise."""
    if samples.dtype != np.int16 or samples.ndim != 1:
        raise TypeError(f"Audio must be one row of int16 samples, not {samples.dtype} of shape {samples.shape}.")


def audio_frame(samples: Samples, sample_rate: int, first_sample: int, sample_format: str = "s16") -> av.AudioFrame:
    """Returns FFmpeg's frame of these samples, as s16, s16p or fltp; ``first_sample`` is its position in the stream."""
    row: npt.NDArray[Any] = np.ascontiguousarray(samples).reshape(1, -1)
    if sample_format == "fltp":
        row = row.astype(np.float32) / FULL_SCALE
    frame = av.AudioFrame.from_ndarray(row, format=sample_format, layout="mono")
    frame.sample_rate = sample_rate
    frame.pts = first_sample
    frame.time_base = Fraction(1, sample_rate)
    return frame
