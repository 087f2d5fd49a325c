"""Validates a recording as a prompt: length, sample rate, loudness, clipping and pauses, all problems at once.

Runs in the sandbox, where no module can be loaded any more.
"""

from collections.abc import Iterator
from importlib import import_module
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from orchestrator.audio.loudness import LoudnessMeter
from orchestrator.audio.pcm import EMPTY, FULL_SCALE, Samples, samples_to_bytes
from orchestrator.audio.resampling import Resampler
from orchestrator.voices.custom.recording_decoder import Recording, UnusableRecordingError, decode_recording
from orchestrator.voices.settings import VoiceSettings

# What PyAV imports only when a file has subtitles, and numpy only for a percentile.
for _late in ("av.subtitles.codeccontext", "av.subtitles.stream", "numpy.ma"):
    import_module(_late)

RATE: Final = 24_000  # Hz, of stored prompts; what the models' codecs take
_MEASURABLE: Final = 0.5  # seconds; R128 calls anything shorter silent
_FRAME_SECONDS: Final = 0.02  # whose level decides between speech and pause
_MARGIN: Final = 5  # frames kept before the first sound and after the last
_PAUSE_DEPTH: Final = 35.0  # dB below the loud level: anything quieter is a pause
_NOISE_FLOOR: Final = -65.0  # dBFS: anything quieter is always a pause
_LOUD_PERCENTILE: Final = 95  # of the levels: the loud level


class _Speech(msgspec.Struct, frozen=True):
    """``samples`` without the silence around them; ``spoken_share`` is how much of them is speech, not pauses."""

    samples: Samples
    spoken_share: float


class ValidatedRecording(msgspec.Struct, frozen=True):
    """``samples`` are mono, at `RATE` if there are no problems. Each problem continues the file's name."""

    samples: Samples
    seconds: float
    spoken_seconds: float  # without pauses
    problems: list[str]


def validate(data: bytes, limits: VoiceSettings) -> ValidatedRecording:
    """Raises UnusableRecordingError if nothing can be decoded."""
    recording = decode_recording(data, limits)
    speech = _trim_silence(recording.samples, recording.rate)
    if not len(speech.samples):
        raise UnusableRecordingError("is silent. Record the voice again, nearer to the microphone.")
    seconds = len(speech.samples) / recording.rate
    problems = list(_problems(recording, speech, seconds, limits))
    samples = speech.samples if problems else _resampled(speech.samples, recording.rate)
    return ValidatedRecording(samples, seconds, seconds * speech.spoken_share, problems)


class UploadedRecording(msgspec.Struct, frozen=True):
    """An upload, as it is sent to the sandbox."""

    data: bytes
    limits: VoiceSettings


class RecordingVerdict(msgspec.Struct, frozen=True):
    """What the sandbox says of an upload. ``refused`` continues the file's name; empty: it is a recording."""

    refused: str = ""
    samples: bytes = b""  # int16, at `RATE`; empty if there are problems
    seconds: float = 0.0
    spoken_seconds: float = 0.0  # without pauses
    problems: list[str] = []


def validate_upload(upload: UploadedRecording) -> RecordingVerdict:
    """Validates within the sandbox: FFmpeg may take gigabytes and minutes to open a small file."""
    try:
        found = validate(upload.data, upload.limits)
    except UnusableRecordingError as error:
        return RecordingVerdict(refused=str(error))
    samples = b"" if found.problems else samples_to_bytes(found.samples)
    return RecordingVerdict("", samples, found.seconds, found.spoken_seconds, found.problems)


def _problems(recording: Recording, speech: _Speech, seconds: float, limits: VoiceSettings) -> Iterator[str]:
    bounds = f"{limits.min_seconds:g} to {limits.max_seconds:g} seconds are needed"
    if not recording.whole:
        yield f"is longer than {limits.max_seconds + limits.max_padding:g} seconds; {bounds}. Cut it."
    elif seconds > limits.max_seconds:
        yield f"has {seconds:.1f} seconds without the silence around it; {bounds}. Cut it."
    elif seconds < limits.min_seconds:
        yield f"has {seconds:.1f} seconds without the silence around it; {bounds}. Record some more."
    if recording.rate < limits.min_rate:
        yield (
            f"has a sample rate of {recording.rate:,} Hz; at least {limits.min_rate:,} are needed. Record it anew at a"
            " higher one; converting it brings nothing back."
        )
    if seconds > _MEASURABLE and (loudness := _loudness(speech.samples, recording.rate)) < limits.min_loudness:
        yield (
            f"is too quiet: {loudness:.0f} LUFS, at least {limits.min_loudness:.0f} are needed. Record nearer to the"
            " microphone, or amplify it."
        )
    if recording.clipped > limits.max_clipping:
        yield (
            f"is clipped: {recording.clipped:.1%} of its samples are cut off, at most {limits.max_clipping:.1%} may be."
            " Record at a lower level."
        )
    if 1 - speech.spoken_share > limits.max_silence:
        pauses = f"{1 - speech.spoken_share:.0%} of it, at most {limits.max_silence:.0%}"
        yield f"has too many pauses: {pauses}. Cut them out."


def _loudness(samples: Samples, rate: int) -> float:
    meter = LoudnessMeter()
    for chunk in _chunks(samples, rate):
        meter.feed(chunk, rate)
    return meter.loudness()


def _resampled(samples: Samples, rate: int) -> Samples:
    resampler = Resampler(rate, RATE)
    chunks = [resampler.feed(chunk) for chunk in _chunks(samples, rate)]
    return np.concatenate([*chunks, resampler.finish()])


def _chunks(samples: Samples, rate: int) -> Iterator[Samples]:
    """Cuts into seconds, as FFmpeg takes many times a chunk's memory while it works on it."""
    for start in range(0, len(samples), rate):
        yield samples[start : start + rate]


def _trim_silence(samples: Samples, rate: int) -> _Speech:
    """Returns the speech, by its level alone; no samples if all is silence."""
    size = round(rate * _FRAME_SECONDS)
    levels = _levels(samples, size)
    if not len(levels):
        return _Speech(EMPTY, 0.0)
    sounding = np.flatnonzero(levels > max(_NOISE_FLOOR, float(np.percentile(levels, _LOUD_PERCENTILE)) - _PAUSE_DEPTH))
    if not len(sounding):
        return _Speech(EMPTY, 0.0)
    first, last = int(sounding[0]), int(sounding[-1])
    speech = samples[max(0, first - _MARGIN) * size : (last + 1 + _MARGIN) * size]
    return _Speech(speech.copy(), len(sounding) / (last + 1 - first))


def _levels(samples: Samples, size: int) -> npt.NDArray[np.float64]:
    """Returns the level of each frame of ``size`` samples, in dBFS."""
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    power = np.array([np.mean((frame / FULL_SCALE) ** 2) for frame in frames])
    levels: npt.NDArray[np.float64] = 10 * np.log10(power + 1e-12)
    return levels
