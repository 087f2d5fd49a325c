"""Decodes an uploaded audio file, trusting nothing in it: formats, streams, length and time are bounded."""

import time
from typing import Any, Final

import av
import msgspec
import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition

from orchestrator.audio.decoding import CODECS, open_audio
from orchestrator.audio.pcm import FULL_SCALE, Samples
from orchestrator.voices.settings import VoiceSettings

_MOST_STREAMS: Final = 16
_MOST_CHANNELS: Final = 8
_RATES: Final = range(4_000, 192_001)
_MOST_FRAMES: Final = 100_000  # each costs time, however short; of the longest recording, one every 0.6 ms
_BATCH: Final = 16_384  # samples that are analysed together: some files have a frame for each sample
_CLIPPED: Final = 0.999  # of full scale
_LOUDEST: Final = 8.0  # times full scale; files of floating point numbers may say anything
_SUPPORTED: Final = "Send WAV, FLAC, MP3, Ogg, M4A or WebM."

Channels = npt.NDArray[np.float32]


class UnusableRecordingError(ValueError):
    """The message continues a sentence that begins with the file, and says what to do."""


class Recording(msgspec.Struct, frozen=True):
    """``samples`` are mono, at most as many as are allowed; ``clipped`` is a share of the samples of all channels."""

    samples: Samples
    rate: int  # Hz
    clipped: float
    whole: bool  # else the file is longer


def decode_recording(data: bytes, limits: VoiceSettings) -> Recording:
    """Decodes within ``limits.decode_seconds``. Raises UnusableRecordingError."""
    try:
        with open_audio(data) as source:
            stream = _only_stream(source)
            return _decode(source, stream, limits)
    except (av.FFmpegError, ValueError) as error:
        if isinstance(error, UnusableRecordingError):
            raise
        raise UnusableRecordingError(f"is no audio in a supported format, or damaged. {_SUPPORTED}") from error


def _only_stream(source: InputContainer) -> AudioStream:
    if len(source.streams) > _MOST_STREAMS:
        raise UnusableRecordingError(f"has {len(source.streams)} streams. Send a file with one, the voice alone.")
    if any(not one.disposition & Disposition.attached_pic for one in source.streams.video):
        raise UnusableRecordingError("has a video in it. Send the sound alone.")
    if source.streams.subtitles:
        raise UnusableRecordingError("has subtitles in it. Send the sound alone.")
    found = source.streams.audio
    if len(found) != 1:
        raise UnusableRecordingError(f"has {len(found)} audio streams. Send a file with one, the voice alone.")
    known = found[0].codec_context  # PyAV's stubs do not say that it may be missing
    codec = known.name if known else "something unknown"
    if codec not in CODECS:
        raise UnusableRecordingError(f"is encoded as {codec}, which is not supported. {_SUPPORTED}")
    return found[0]


def _decode(source: InputContainer, stream: AudioStream, limits: VoiceSettings) -> Recording:
    stream.codec_context.thread_count = 1
    until = time.monotonic() + limits.decode_seconds
    recording = _RecordingBuilder()
    for packet in source.demux(stream):
        if time.monotonic() > until or recording.frames > _MOST_FRAMES:
            raise UnusableRecordingError(f"takes too long to decode. {_SUPPORTED}")
        for frame in packet.decode():
            recording.add(frame)
        if recording.samples > (limits.max_seconds + limits.max_padding) * recording.rate:
            return recording.build(whole=False)
    if not recording.samples:
        raise UnusableRecordingError(f"has no sound in it. {_SUPPORTED}")
    return recording.build(whole=True)


class _RecordingBuilder:
    """Collects decoded frames and analyses them in batches."""

    def __init__(self) -> None:
        self.rate = 0
        self.samples = 0
        self.frames = 0
        self._waiting: list[npt.NDArray[Any]] = []
        self._waiting_samples = 0
        self._mono: list[Samples] = []
        self._clipped = 0
        self._values = 0

    def add(self, frame: av.AudioFrame) -> None:
        self.rate = self.rate or frame.sample_rate
        _check_frame(frame, self.rate)
        self._waiting.append(_channels(frame))
        self._waiting_samples += frame.samples
        self.samples += frame.samples
        self.frames += 1
        if self._waiting_samples >= _BATCH:
            self._analyse()

    def build(self, *, whole: bool) -> Recording:
        self._analyse()
        return Recording(np.concatenate(self._mono), self.rate, self._clipped / max(1, self._values), whole)

    def _analyse(self) -> None:
        if self._waiting:
            channels = _scaled(np.concatenate(self._waiting, axis=1))
            self._waiting, self._waiting_samples = [], 0
            self._clipped += _clipped(channels)
            self._values += channels.size
            self._mono.append(_mono(channels))


def _check_frame(frame: av.AudioFrame, rate: int) -> None:
    if frame.sample_rate != rate:
        raise UnusableRecordingError("changes its sample rate in the middle. Send it at one rate.")
    if rate not in _RATES:
        raise UnusableRecordingError(f"has a sample rate of {rate:,} Hz, which is not supported.")
    if frame.layout.nb_channels > _MOST_CHANNELS:
        raise UnusableRecordingError(f"has {frame.layout.nb_channels} channels. Send it in mono.")


def _channels(frame: av.AudioFrame) -> npt.NDArray[Any]:
    """Returns an array of shape (channels, samples), of the codec's number type."""
    values: npt.NDArray[Any] = frame.to_ndarray()
    return values if frame.format.is_planar else values.reshape(-1, frame.layout.nb_channels).T


def _scaled(values: npt.NDArray[Any]) -> Channels:
    """Returns the values as floats whose full scale is 1."""
    if values.dtype == np.uint8:
        scaled = (values.astype(np.float32) - 128) / 128
    elif values.dtype.kind == "i":
        scaled = values / -float(np.iinfo(values.dtype).min)
    else:
        scaled = np.clip(np.nan_to_num(values, nan=0.0), -_LOUDEST, _LOUDEST)
    return scaled.astype(np.float32)


def _clipped(channels: Channels) -> int:
    """Returns how many samples are in a run of three at full scale: a single one may just be a peak."""
    full = np.abs(channels) >= _CLIPPED
    three = full[:, 2:] & full[:, 1:-1] & full[:, :-2]
    marked = np.zeros_like(full)
    for offset in range(3):
        marked[:, offset : offset + three.shape[1]] |= three
    return int(marked.sum())


def _mono(channels: Channels) -> Samples:
    scaled = np.rint(channels.mean(axis=0) * FULL_SCALE)
    mono: Samples = np.clip(scaled, -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    return mono
