import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lectern.time_stretch import Stretcher, stretched_length

RATE = 22_050
HERTZ = 180


def stretched(samples: np.ndarray, tempo: float, step: int) -> np.ndarray:
    stretcher = Stretcher(tempo, RATE)
    made = [stretcher.feed(samples[at : at + step]) for at in range(0, len(samples), step)]
    return np.concatenate([*made, stretcher.flush()])


def tone(seconds: float) -> np.ndarray:
    return (8_000 * np.sin(2 * np.pi * HERTZ * np.arange(int(seconds * RATE)) / RATE)).astype(np.int16)


def loudest_frequency(samples: np.ndarray) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(samples)))) * RATE / len(samples)


@pytest.mark.parametrize("tempo", [0.4, 0.75, 1.1, 1.5, 2.5])
def test_length_changes_and_pitch_and_loudness_do_not(tempo: float) -> None:
    made = stretched(tone(2.0), tempo, 1_324)
    assert made.dtype == np.int16
    assert len(made) == round(2 * RATE / tempo)
    assert loudest_frequency(made) == pytest.approx(HERTZ, abs=2)
    middle = made[RATE // 8 : -RATE // 8].astype(float)
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(8_000 / np.sqrt(2), rel=0.1)


@settings(deadline=None)
@given(st.integers(0, 5_000), st.floats(0.25, 4.0), st.integers(1, 3_000))
def test_the_length_is_exact_for_any_input_in_any_steps(count: int, tempo: float, step: int) -> None:
    samples = np.random.default_rng(count).integers(-9_000, 9_000, count).astype(np.int16)
    assert len(stretched(samples, tempo, step)) == stretched_length(count, tempo)


def test_the_steps_do_not_matter() -> None:
    samples = np.random.default_rng(1).integers(-9_000, 9_000, RATE).astype(np.int16)
    assert np.array_equal(stretched(samples, 0.6, 100), stretched(samples, 0.6, RATE))


@pytest.mark.parametrize("tempo", [0.5, 1.5, 3.0])
def test_positions_rise_from_the_start_to_the_end_and_settled_ones_stay(tempo: float) -> None:
    samples = tone(1.5)
    stretcher = Stretcher(tempo, RATE)
    settled: dict[int, int] = {}
    for at in range(0, len(samples), 1_000):
        stretcher.feed(samples[at : at + 1_000])
        known = range(0, min(stretcher.settled, len(samples)), 500)
        settled |= {sample: stretcher.position(sample) for sample in known if sample not in settled}
    stretcher.flush()
    assert stretcher.settled >= len(samples)
    positions = [stretcher.position(sample) for sample in range(0, len(samples) + 1, 100)]
    assert positions == sorted(positions)
    assert positions[0] == 0
    assert stretcher.position(len(samples)) == stretched_length(len(samples), tempo)
    assert settled == {sample: stretcher.position(sample) for sample in settled}
