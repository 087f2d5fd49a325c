"""Decoding and comparing, for tests that look at what came out."""

import io

import av
import numpy as np
import numpy.typing as npt


def decode(data: bytes) -> tuple[npt.NDArray[np.int16], int]:
    """All samples of a file, by a decoder that is not Lectern's own code, and their rate in Hz."""
    with av.open(io.BytesIO(data), "r") as container:
        stream = container.streams.audio[0]
        resampler = av.AudioResampler(format="s16", layout="mono", rate=stream.rate)
        frames = [part for frame in container.decode(stream) for part in resampler.resample(frame)]
        frames += resampler.resample(None)
        return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames]), stream.rate
