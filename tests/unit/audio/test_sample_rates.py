"""At which rate a voice leaves: its own, a wanted one, or the nearest that the format has."""

from typing import get_args

import numpy as np
import pytest

from orchestrator.audio.decoding import decode
from orchestrator.audio.encoding import Encoder, encode_whole
from orchestrator.audio.formats import AUDIO_FORMATS, CONTAINERS, AudioFormat, Sound, encoded_rate
from orchestrator.audio.pcm import samples_from_bytes
from orchestrator.speech.schemas import SampleRate
from tests.unit.audio.sounds import cut, voice

WANTED = get_args(SampleRate)
CHOOSING: tuple[AudioFormat, ...] = ("wav", "flac", "mp3", "aac", "pcm")


@pytest.mark.parametrize("wanted", WANTED)
@pytest.mark.parametrize("audio_format", CHOOSING)
def test_every_rate_of_the_api_is_taken_as_it_is(audio_format: AudioFormat, wanted: int) -> None:
    samples = voice(11_025, 22_050)
    data = encode_whole(samples, audio_format, 22_050, wanted)
    heard, rate = (samples_from_bytes(data), wanted) if audio_format == "pcm" else decode(data)
    assert rate == wanted
    assert 0 <= len(heard) - wanted // 2 <= (2 * 1_152 if audio_format in ("mp3", "aac") else 0)


@pytest.mark.parametrize("audio_format", CHOOSING)
def test_a_wanted_rate_sounds_the_same(audio_format: AudioFormat) -> None:
    tone = (8_000 * np.sin(2 * np.pi * 440 * np.arange(24_000) / 24_000)).astype(np.int16)
    data = encode_whole(tone, audio_format, 24_000, 16_000)
    heard = (samples_from_bytes(data) if audio_format == "pcm" else decode(data)[0])[2_000:14_000]
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard))))
    assert np.argmax(spectrum) * 16_000 / len(heard) == pytest.approx(440, abs=2)


@pytest.mark.parametrize("audio_format", AUDIO_FORMATS)
def test_chunks_at_a_wanted_rate_make_the_same_bytes(audio_format: AudioFormat) -> None:
    samples = voice(9_000, 22_050)

    def made(size: int) -> bytes:
        encoder = Encoder(audio_format, 22_050, wanted_rate=16_000)
        return b"".join([*(encoder.feed(part) for part in cut(samples, size)), encoder.finish()])

    assert made(701) == made(9_000)


@pytest.mark.parametrize(
    ("audio_format", "rate"), [("wav", 22_050), ("flac", 22_050), ("mp3", 22_050), ("aac", 22_050), ("opus", 48_000)]
)
def test_without_a_wish_it_is_the_voices_own_where_the_format_has_it(audio_format: AudioFormat, rate: int) -> None:
    assert encoded_rate(audio_format, 22_050) == rate
    assert encoded_rate("pcm", 22_050) == 24_000


@pytest.mark.parametrize("audio_format", AUDIO_FORMATS)
def test_a_sound_knows_its_type_and_suffix(audio_format: AudioFormat) -> None:
    assert Sound(audio_format).content_type == CONTAINERS[audio_format].content_type
    assert Sound(audio_format).suffix == audio_format
    assert Sound(audio_format, 16_000).suffix == f"16000.{audio_format}"
