"""Responses of 1 to 500 segments, decoded again: samples in are samples out."""

import numpy as np
import pytest

from orchestrator.audio.aac_writer import DELAY
from orchestrator.audio.decoding import decode
from orchestrator.audio.formats import PCM_RATE, AudioFormat, Sound
from orchestrator.audio.pcm import Samples, samples_from_bytes
from tests.unit.audio.sounds import voice
from tests.unit.speech.responses import response

RATE = 22_050
COUNTS = (1, 2, 3, 20, 500)
MP3_FRAME, AAC_FRAME = 576, 1_024


def segments(count: int) -> list[Samples]:
    """Of lengths that fit no codec's frames."""
    lengths = [1_000 + 37 * (number % 23) for number in range(count)]
    return np.split(voice(sum(lengths), RATE), np.cumsum(lengths)[:-1])


def lengths(parts: list[Samples]) -> list[int]:
    return [len(part) for part in parts]


@pytest.mark.parametrize("announced", [False, True], ids=["streamed", "announced"])
@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("audio_format", ["wav", "flac"])
def test_lossless_responses_are_their_segments(audio_format: AudioFormat, count: int, announced: bool) -> None:  # noqa: FBT001
    parts = segments(count)
    heard, rate = decode(response(parts, Sound(audio_format), RATE, declared=lengths(parts) if announced else None))
    assert rate == RATE
    assert np.array_equal(heard, np.concatenate(parts))


@pytest.mark.parametrize("count", COUNTS)
def test_opus_has_the_length_of_its_segments(count: int) -> None:
    parts = segments(count)
    heard, rate = decode(response(parts, Sound("opus"), RATE))
    assert len(heard) == round(sum(map(len, parts)) * rate / RATE)


@pytest.mark.parametrize("count", COUNTS)
def test_pcm_has_the_length_of_its_segments(count: int) -> None:
    parts = segments(count)
    heard = samples_from_bytes(response(parts, Sound("pcm"), RATE))
    assert len(heard) == round(sum(map(len, parts)) * PCM_RATE / RATE)


@pytest.mark.parametrize("count", COUNTS)
def test_mp3_ends_with_its_segments_or_within_a_frame_of_them(count: int) -> None:
    parts = segments(count)
    samples = sum(lengths(parts))
    assert len(decode(response(parts, Sound("mp3"), RATE, declared=lengths(parts)))[0]) == samples
    streamed = len(decode(response(parts, Sound("mp3"), RATE))[0])
    assert 0 <= streamed - samples < max(MP3_FRAME, 4 * MP3_FRAME - samples + MP3_FRAME)


@pytest.mark.parametrize("count", COUNTS)
def test_aac_is_late_by_its_delay_and_ends_within_a_frame(count: int) -> None:
    parts = segments(count)
    samples = sum(map(len, parts))
    heard, _ = decode(response(parts, Sound("aac"), RATE))
    assert 0 <= len(heard) - DELAY - samples < AAC_FRAME
    assert np.corrcoef(heard[DELAY : DELAY + samples], np.concatenate(parts))[0, 1] > 0.95


@pytest.mark.parametrize("count", [1, 20])
@pytest.mark.parametrize("audio_format", ["wav", "flac", "pcm"])
def test_a_wanted_rate_changes_no_length(audio_format: AudioFormat, count: int) -> None:
    parts = segments(count)
    data = response(parts, Sound(audio_format, 16_000), RATE)
    heard, rate = (samples_from_bytes(data), 16_000) if audio_format == "pcm" else decode(data)
    assert rate == 16_000
    assert len(heard) == round(sum(map(len, parts)) * 16_000 / RATE)
