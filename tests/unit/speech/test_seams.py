"""Where one segment ends and the next begins, nothing is heard that is louder than what is around it.

A voice that glides is cut into segments, which go the way of every response and are decoded again. What changes too
suddenly, such as a single wrong sample, is large in the fourth difference of the samples, where smooth sound is small.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import pytest

from orchestrator.audio.aac_writer import DELAY
from orchestrator.audio.decoding import decode
from orchestrator.audio.formats import AUDIO_FORMATS, PCM_RATE, AudioFormat, Sound
from orchestrator.audio.pcm import Samples, samples_from_bytes
from tests.unit.speech.responses import response

SEGMENTS: Final = 6
SECONDS: Final = 0.3  # of each
NEAR: Final = 0.03  # seconds on both sides of a seam, within which codecs smear a click
AROUND: Final = 0.12
LOUDEST: Final = 1.5  # times what is around it


def glide(samples: int, rate: int) -> Samples:
    time = np.arange(samples) / rate
    deep = 6_000 * np.sin(2 * np.pi * (180 * time + 8 * np.sin(3 * time)))
    wave: Samples = (deep + 2_500 * np.sin(2 * np.pi * 311 * time)).astype(np.int16)
    return wave


def segments(rate: int) -> list[Samples]:
    length = round(SECONDS * rate)
    return [one.copy() for one in np.split(glide(length * SEGMENTS, rate), SEGMENTS)]


def loudest_seam(parts: Sequence[Samples], audio_format: AudioFormat, rate: int) -> float:
    """How many times as loud as what is around it the loudest seam is."""
    data = response(parts, Sound(audio_format), rate)
    heard, heard_rate = (samples_from_bytes(data), PCM_RATE) if audio_format == "pcm" else decode(data)
    sudden = np.abs(np.diff(heard.astype(float), 4))
    near, around = round(NEAR * heard_rate), round(AROUND * heard_rate)
    delay = DELAY if audio_format == "aac" else 0
    loudest = 0.0
    for number in range(1, SEGMENTS):
        seam = delay + round(number * SECONDS * heard_rate)
        beside = [sudden[seam - around : seam - near], sudden[seam + near : seam + around]]
        loudest = max(loudest, sudden[seam - near : seam + near].max() / np.concatenate(beside).max())
    return loudest


@pytest.mark.parametrize("rate", [22_050, 24_000])
@pytest.mark.parametrize("audio_format", AUDIO_FORMATS)
def test_no_seam_is_louder_than_what_is_around_it(audio_format: AudioFormat, rate: int) -> None:
    assert loudest_seam(segments(rate), audio_format, rate) < LOUDEST


def click(parts: list[Samples]) -> None:
    parts[3][0] += 200


def lost_sample(parts: list[Samples]) -> None:
    parts[3] = parts[3][1:]


def added_silence(parts: list[Samples]) -> None:
    parts[3] = np.concatenate([np.zeros(1, np.int16), parts[3]])


@pytest.mark.parametrize("fault", [click, lost_sample, added_silence])
@pytest.mark.parametrize("rate", [22_050, 24_000])
@pytest.mark.parametrize("audio_format", AUDIO_FORMATS)
def test_one_wrong_sample_would_be_found(
    audio_format: AudioFormat, rate: int, fault: Callable[[list[Samples]], None]
) -> None:
    parts = segments(rate)
    fault(parts)
    assert loudest_seam(parts, audio_format, rate) > LOUDEST
