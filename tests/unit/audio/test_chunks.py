"""How audio is cut into chunks leaves no trace in it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.audio.decoding import decode
from orchestrator.audio.encoding import Encoder
from orchestrator.audio.formats import AUDIO_FORMATS, AudioFormat
from tests.unit.audio.sounds import streamed, voice

LENGTH = 6_000
SOUND = voice(LENGTH, 22_050)
CUTS = st.lists(st.integers(0, LENGTH), max_size=12).map(sorted)


@pytest.mark.parametrize("audio_format", AUDIO_FORMATS)
@settings(max_examples=25, deadline=None)
@given(cuts=CUTS)
def test_chunks_of_any_size_make_the_same_bytes(audio_format: AudioFormat, cuts: list[int]) -> None:
    in_chunks = streamed(np.split(SOUND, cuts), audio_format, 22_050)
    at_once = streamed([SOUND], audio_format, 22_050)
    assert b"".join(in_chunks) == b"".join(at_once)


@pytest.mark.parametrize("audio_format", AUDIO_FORMATS)
def test_an_encoder_makes_the_same_bytes_every_time(audio_format: AudioFormat) -> None:
    assert streamed([SOUND], audio_format, 22_050) == streamed([SOUND], audio_format, 22_050)


@pytest.mark.parametrize("audio_format", AUDIO_FORMATS)
def test_the_first_fifth_of_a_second_brings_audio_out(audio_format: AudioFormat) -> None:
    encoder = Encoder(audio_format, 22_050)
    header_only = 200  # the longest header without audio: the two first pages of Ogg Opus, or an MP3 Info frame
    assert len(encoder.feed(SOUND[:4_410])) > header_only


@settings(max_examples=25, deadline=None)
@given(lengths=st.lists(st.tuples(st.integers(0, 3_000), st.sampled_from([16_000, 22_050, 24_000])), max_size=6))
def test_segments_of_other_rates_are_converted_to_the_first_rate(lengths: list[tuple[int, int]]) -> None:
    encoder = Encoder("flac", 22_050)
    data = b"".join(encoder.feed(voice(length, rate), rate) for length, rate in lengths) + encoder.finish()
    decoded, rate = decode(data)
    assert rate == 22_050
    expected = sum(length * 22_050 / chunk_rate for length, chunk_rate in lengths)
    assert abs(len(decoded) - expected) <= 0.5 * len(lengths)


def test_a_segment_of_another_rate_keeps_its_pitch() -> None:
    def tone(rate: int) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
        return (8_000 * np.sin(2 * np.pi * 440 * np.arange(rate // 2) / rate)).astype(np.int16)

    encoder = Encoder("wav", 22_050)
    data = encoder.feed(tone(22_050)) + encoder.feed(tone(24_000), 24_000) + encoder.finish()
    decoded, rate = decode(data)
    for half in np.split(decoded, [rate // 2]):
        spectrum = np.abs(np.fft.rfft(half * np.hanning(len(half))))
        assert np.argmax(spectrum) * rate / len(half) == pytest.approx(440, abs=2)
