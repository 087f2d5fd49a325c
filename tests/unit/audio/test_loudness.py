"""Loudness is measured as EBU Tech 3341 demands, and gain never makes a recording clip."""

import numpy as np
import pytest

from orchestrator.audio.loudness import LoudnessMeter, amplified
from orchestrator.audio.pcm import Samples

RATE = 24_000
HIGHEST_PEAK = 10 ** (-1 / 20)


def sine(decibels: float, seconds: float = 5.0, rate: int = RATE) -> Samples:
    """At 1 kHz and, in its peaks, so many decibels below full scale. Its loudness is 3.01 less (BS.1770-4, annex 1)."""
    times = np.arange(round(seconds * rate)) / rate
    return np.rint(32_767 * 10 ** (decibels / 20) * np.sin(2 * np.pi * 997 * times)).astype(np.int16)


def gain(target: float, *chunks: tuple[Samples, int]) -> float:
    meter = LoudnessMeter()
    for samples, rate in chunks:
        meter.feed(samples, rate)
    return meter.gain_to(target)


def decibels(factor: float) -> float:
    return float(20 * np.log10(factor))


@pytest.mark.parametrize("level", [-36.0, -23.0, -12.0])
@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 48_000])
def test_a_sine_is_as_loud_as_the_standard_says(level: float, rate: int) -> None:
    measured = -23 - decibels(gain(-23, (sine(level, rate=rate), rate)))
    assert measured == pytest.approx(level - 3.01, abs=0.1)


def test_what_was_amplified_has_the_loudness_that_was_asked_for() -> None:
    sound = sine(-30)
    assert decibels(gain(-20, (amplified(sound, gain(-20, (sound, RATE))), RATE))) == pytest.approx(0, abs=0.05)


def test_peaks_stay_below_one_decibel_under_full_scale() -> None:
    sound = sine(-30)
    sound[RATE] = 20_000  # one loud click
    louder = amplified(sound, gain(-10, (sound, RATE)))
    assert 0.8 < np.abs(louder.astype(int)).max() / 32_768 <= HIGHEST_PEAK


def test_how_it_is_cut_and_at_what_rates_it_comes_makes_no_difference() -> None:
    whole = gain(-16, (sine(-20, 4), RATE))
    cut = gain(-16, *((chunk, RATE) for chunk in np.array_split(sine(-20, 4), 37)))
    mixed = gain(-16, (sine(-20, 2), RATE), (sine(-20, 2, 22_050), 22_050))
    assert cut == whole
    assert decibels(mixed / whole) == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("silent", [[], [(np.zeros(RATE, np.int16), RATE)], [(sine(-80), RATE)]])
def test_silence_is_left_alone(silent: list[tuple[Samples, int]]) -> None:
    assert gain(-16, *silent) == 1.0


def test_a_short_word_counts_although_the_meter_needs_400_ms() -> None:
    assert decibels(gain(-26, (sine(-23, 0.45), RATE))) == pytest.approx(0, abs=0.5)


def test_amplified_samples_do_not_wrap_around() -> None:
    assert amplified(np.array([30_000, -30_000], np.int16), 2.0).tolist() == [32_767, -32_768]
