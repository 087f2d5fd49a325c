import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.audio.pcm import Samples
from orchestrator.audio.resampling import Resampler, resampled_length
from tests.unit.audio.sounds import voice

RATES = st.sampled_from([8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000])


def resample(chunks: list[Samples], from_rate: int, to_rate: int) -> Samples:
    resampler = Resampler(from_rate, to_rate)
    return np.concatenate([*(resampler.feed(chunk) for chunk in chunks), resampler.finish()])


@settings(max_examples=60, deadline=None)
@given(length=st.integers(0, 5_000), from_rate=RATES, to_rate=RATES, cuts=st.lists(st.integers(0, 5_000), max_size=8))
def test_every_length_is_exact_however_it_is_cut(length: int, from_rate: int, to_rate: int, cuts: list[int]) -> None:
    samples = voice(length, from_rate)
    whole = resample([samples], from_rate, to_rate)
    in_chunks = resample(np.split(samples, sorted(min(cut, length) for cut in cuts)), from_rate, to_rate)
    assert len(whole) == round(length * to_rate / from_rate) == resampled_length(length, from_rate, to_rate)
    assert np.array_equal(whole, in_chunks)


@pytest.mark.parametrize(("from_rate", "to_rate"), [(22_050, 48_000), (22_050, 24_000), (24_000, 22_050)])
def test_a_tone_stays_in_place(from_rate: int, to_rate: int) -> None:
    def tone(rate: int) -> Samples:
        samples: Samples = np.rint(8_000 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)).astype(np.int16)
        return samples

    resampled = resample([tone(from_rate)], from_rate, to_rate)
    off = resampled.astype(int) - tone(to_rate)
    assert np.abs(off[500:-500]).max() <= 2


def test_full_scale_does_not_wrap_round() -> None:
    square = np.where(np.arange(22_050) % 200 < 100, 32_767, -32_768).astype(np.int16)
    resampled = resample([square], 22_050, 48_000)
    expected = np.where((np.arange(48_000) * 22_050 / 48_000) % 200 < 100, 1, -1)
    far_from_edges = np.abs((np.arange(48_000) * 22_050 / 48_000) % 100 - 50) < 30
    assert (np.sign(resampled.astype(int)) == expected)[far_from_edges][100:-100].all()


def test_the_same_rate_changes_nothing() -> None:
    samples = voice(1_000, 24_000)
    assert np.array_equal(resample([samples], 24_000, 24_000), samples)
