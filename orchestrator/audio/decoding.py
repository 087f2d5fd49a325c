"""Reads audio back: the FLAC that was kept, and any other format that the encoder makes."""

import av
import numpy as np

from orchestrator.audio.opening import opened
from orchestrator.audio.pcm import EMPTY, Samples


class UnreadableAudioError(ValueError):
    """These bytes hold no mono audio that can be decoded."""


def decode(data: bytes) -> tuple[Samples, int]:
    """All samples and their rate in Hz. Raises UnreadableAudioError."""
    try:
        with opened(data) as source:
            if not source.streams.audio:
                raise UnreadableAudioError("The file has no audio in it.")
            stream = source.streams.audio[0]
            if stream.channels != 1:
                raise UnreadableAudioError(f"The audio has {stream.channels} channels, but only mono is read.")
            frames = [_int16(frame) for frame in source.decode(stream)]
            return np.concatenate([EMPTY, *frames]), stream.rate
    except av.FFmpegError as error:
        raise UnreadableAudioError(f"The file cannot be decoded: {error.strerror}.") from error


def _int16(frame: av.AudioFrame) -> Samples:
    samples = frame.to_ndarray().reshape(-1)
    if samples.dtype == np.int16:
        return samples.astype(np.int16, copy=False)
    if samples.dtype == np.float32:
        return np.clip(np.rint(samples * 32_768), -32_768, 32_767).astype(np.int16)
    raise UnreadableAudioError(f"Samples of the form {frame.format.name} are not read.")
