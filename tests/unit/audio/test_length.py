"""Decoding gives back what went in: bit for bit where the format can, to the sample everywhere else."""

import numpy as np
import numpy.typing as npt
import pytest

from orchestrator.audio.decoding import decode
from orchestrator.audio.formats import AudioFormat, encoded_rate
from orchestrator.audio.mp3_writer import MIN_FRAMES
from orchestrator.audio.pcm import samples_from_bytes
from tests.unit.audio.sounds import WAYS, Way, encoded, voice

LENGTHS = (0, 1, 2, 47, 575, 576, 577, 959, 960, 961, 1_105, 1_152, 4_488, 4_489, 9_600, 22_050, 70_001)
RATES = (22_050, 24_000)
OTHER_RATES = (8_000, 11_025, 16_000, 32_000, 37_800, 44_100, 48_000)


def largest_likeness(samples: npt.NDArray[np.int16], others: npt.NDArray[np.int16], shift: int) -> int:
    """The shift, up to ``shift`` samples either way, at which two sounds of one rate are most alike."""
    middle = samples[shift:-shift].astype(float)
    likeness = [float(middle @ others[start : start + len(middle)]) for start in range(2 * shift + 1)]
    return int(np.argmax(likeness)) - shift


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("audio_format", ["wav", "flac"])
def test_lossless_formats_give_back_every_bit(audio_format: AudioFormat, rate: int, length: int, way: Way) -> None:
    samples = voice(length, rate)
    decoded, decoded_rate = decode(encoded(samples, audio_format, rate, way))
    assert decoded_rate == rate
    assert np.array_equal(decoded, samples)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("rate", RATES)
def test_opus_has_the_exact_length_at_48_khz(rate: int, length: int, way: Way) -> None:
    decoded, decoded_rate = decode(encoded(voice(length, rate), "opus", rate, way))
    assert decoded_rate == 48_000
    assert len(decoded) == round(length * 48_000 / rate)


@pytest.mark.parametrize("way", ["whole", "announced"])
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("rate", RATES)
def test_mp3_of_known_length_has_the_exact_length(rate: int, length: int, way: Way) -> None:
    decoded, decoded_rate = decode(encoded(voice(length, rate), "mp3", rate, way))
    assert decoded_rate == rate
    assert len(decoded) == length


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("rate", RATES)
def test_mp3_of_unknown_length_ends_in_silence_within_its_last_frame(rate: int, length: int) -> None:
    samples = voice(length, rate)
    decoded, _ = decode(encoded(samples, "mp3", rate, "streamed"))
    frame = 576
    shortest = (MIN_FRAMES - 2) * frame  # two frames are the lead-in
    assert len(decoded) == max(shortest, -(-length // frame) * frame)
    known, _ = decode(encoded(samples, "mp3", rate, "whole"))
    assert np.array_equal(decoded[:length], known)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("rate", RATES)
def test_pcm_is_24_khz_int16(rate: int, length: int, way: Way) -> None:
    samples = voice(length, rate)
    decoded = samples_from_bytes(encoded(samples, "pcm", rate, way))
    assert len(decoded) == round(length * 24_000 / rate)
    if rate == 24_000:
        assert np.array_equal(decoded, samples)


@pytest.mark.parametrize("rate", OTHER_RATES)
@pytest.mark.parametrize("audio_format", ["wav", "flac", "mp3", "opus"])
@pytest.mark.parametrize("length", [0, 1, 1_624, 20_011])
def test_voices_of_other_rates_keep_their_length(audio_format: AudioFormat, rate: int, length: int) -> None:
    target = encoded_rate(audio_format, rate)
    for way in ("whole", "announced"):
        decoded, decoded_rate = decode(encoded(voice(length, rate), audio_format, rate, way))
        assert decoded_rate == target
        assert len(decoded) == round(length * target / rate)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("audio_format", ["mp3", "opus"])
def test_lossy_formats_shift_nothing(audio_format: AudioFormat, way: Way) -> None:
    rate = encoded_rate(audio_format, 24_000)
    samples = voice(rate, rate)
    decoded, _ = decode(encoded(samples, audio_format, rate, way))
    decoded = decoded[: len(samples)]
    assert largest_likeness(samples, decoded, 50) == 0
    assert np.corrcoef(samples, decoded)[0, 1] > 0.95


@pytest.mark.parametrize("audio_format", ["opus", "mp3", "flac"])
def test_minutes_are_as_exact_as_seconds(audio_format: AudioFormat) -> None:
    length = 22_050 * 150 + 17
    data = encoded(np.tile(voice(50_000, 22_050), 70)[:length], audio_format, 22_050, "announced")
    decoded, rate = decode(data)
    assert len(decoded) == round(length * rate / 22_050)
