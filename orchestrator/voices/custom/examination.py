"""Whether a recording will do as a prompt: everything that is wrong with it, told at once."""

from collections.abc import Iterator
from typing import Final

import msgspec
import numpy as np
import structlog

from orchestrator.audio.loudness import LoudnessMeter
from orchestrator.audio.pcm import Samples, samples_from_bytes, samples_to_bytes
from orchestrator.audio.resampling import Resampler
from orchestrator.lib import sandbox
from orchestrator.text.estimate import estimate_seconds, has_words
from orchestrator.voices.custom.pauses import Trimmed, trimmed
from orchestrator.voices.custom.recordings import Recording, UnusableRecordingError, read
from orchestrator.voices.settings import VoiceSettings

RATE: Final = 24_000  # Hz, at which prompts are kept; what the models' codecs take
_MEASURABLE: Final = 0.5  # seconds; of less, R128 says that it is silent

log = structlog.stdlib.get_logger("lectern.voices")


class Heard(msgspec.Struct, frozen=True):
    """``samples`` are mono at `RATE`; ``problems`` each continue a sentence that begins with the file."""

    samples: Samples
    seconds: float
    spoken_seconds: float  # without pauses
    problems: list[str]


def examine(data: bytes, limits: VoiceSettings) -> Heard:
    """Raises UnusableRecordingError if there is nothing to examine. For a thread: takes a second of a long file."""
    recording = read(data, limits)
    speech = trimmed(recording.samples, recording.rate)
    if not len(speech.samples):
        raise UnusableRecordingError("is silent. Record the voice again, nearer to the microphone.")
    seconds = len(speech.samples) / recording.rate
    problems = list(_problems(recording, speech, seconds, limits))
    samples = speech.samples if problems else _resampled(speech.samples, recording.rate)
    return Heard(samples, seconds, seconds * speech.spoken, problems)


class _Task(msgspec.Struct, frozen=True):
    data: bytes
    limits: VoiceSettings


class _Result(msgspec.Struct, frozen=True):
    """``refused`` is the message of an UnusableRecordingError; ``samples`` are int16."""

    refused: str = ""
    samples: bytes = b""
    seconds: float = 0.0
    spoken_seconds: float = 0.0
    problems: list[str] = []


def examine_apart(data: bytes, limits: VoiceSettings) -> Heard:
    """The same in a process of its own, as FFmpeg may take gigabytes and minutes to open a small file."""
    task = msgspec.msgpack.encode(_Task(data, limits))
    try:
        answer = sandbox.call(_examined, task, memory=limits.decode_memory, seconds=limits.decode_seconds)
    except sandbox.OverLimitError as error:
        log.warning("a recording could not be examined", error=str(error), size=len(data))
        raise UnusableRecordingError(
            "takes more memory or time to open than it may. Send the sound alone, as WAV or FLAC, without a cover and"
            " other tags."
        ) from None
    result = msgspec.msgpack.decode(answer, type=_Result)
    if result.refused:
        raise UnusableRecordingError(result.refused)
    return Heard(samples_from_bytes(result.samples), result.seconds, result.spoken_seconds, result.problems)


def _examined(task: bytes) -> bytes:
    given = msgspec.msgpack.decode(task, type=_Task)
    try:
        heard = examine(given.data, given.limits)
    except UnusableRecordingError as error:
        return msgspec.msgpack.encode(_Result(refused=str(error)))
    return msgspec.msgpack.encode(
        _Result("", samples_to_bytes(heard.samples), heard.seconds, heard.spoken_seconds, heard.problems)
    )


def _problems(recording: Recording, speech: Trimmed, seconds: float, limits: VoiceSettings) -> Iterator[str]:
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
    if 1 - speech.spoken > limits.max_silence:
        yield f"has too many pauses: {1 - speech.spoken:.0%} of it, at most {limits.max_silence:.0%}. Cut them out."


def transcript_problem(transcript: str, spoken_seconds: float, limits: VoiceSettings) -> str | None:
    """What is wrong with it, if it cannot be what is said in so many seconds; goes on from the field's name."""
    if not has_words(transcript):
        return "has no words. Write down what is said in the audio."
    usual = estimate_seconds(transcript)
    if usual * limits.pace < spoken_seconds:
        return (
            f"is short for {spoken_seconds:.1f} seconds of speech: it would usually be said in {usual:.1f}."
            " Write down all that is said in the audio."
        )
    if usual > spoken_seconds * limits.pace:
        return (
            f"is long for {spoken_seconds:.1f} seconds of speech: it would usually take {usual:.1f}."
            " Write down only what is said in the audio."
        )
    return None


def _loudness(samples: Samples, rate: int) -> float:
    meter = LoudnessMeter()
    for piece in _seconds(samples, rate):
        meter.feed(piece, rate)
    return meter.loudness()


def _resampled(samples: Samples, rate: int) -> Samples:
    resampler = Resampler(rate, RATE)
    pieces = [resampler.feed(piece) for piece in _seconds(samples, rate)]
    return np.concatenate([*pieces, resampler.finish()])


def _seconds(samples: Samples, rate: int) -> Iterator[Samples]:
    """FFmpeg takes many times a piece's memory while it works on it."""
    for start in range(0, len(samples), rate):
        yield samples[start : start + rate]
