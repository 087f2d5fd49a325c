import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lectern_triton.voice_backend.time_stretch import Stretcher

RATE = 22_050
HERTZ = 180


def stretched(samples: np.ndarray, factor: float, step: int) -> np.ndarray:
    stretcher = Stretcher(factor, RATE)
    made = b"".join(stretcher.feed(samples[at : at + step].tobytes()) for at in range(0, len(samples), step))
    return np.frombuffer(made + stretcher.flush(), np.int16)


def tone(seconds: float) -> np.ndarray:
    return (8_000 * np.sin(2 * np.pi * HERTZ * np.arange(int(seconds * RATE)) / RATE)).astype(np.int16)


def loudest_frequency(samples: np.ndarray) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(samples)))) * RATE / len(samples)


@pytest.mark.parametrize("factor", [0.7, 0.9, 1.3, 1.9, 2.5])
def test_length_changes_and_pitch_and_loudness_do_not(factor: float) -> None:
    made = stretched(tone(2.0), factor, 1_324)
    assert len(made) == round(2 * RATE * factor)
    assert loudest_frequency(made) == pytest.approx(HERTZ, abs=2)
    middle = made[RATE // 4 : -RATE // 4].astype(float)
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(8_000 / np.sqrt(2), rel=0.1)


@settings(deadline=None)
@given(st.integers(0, 5_000), st.floats(0.5, 3.0), st.integers(1, 3_000))
def test_the_length_is_exact_for_any_input_in_any_steps(count: int, factor: float, step: int) -> None:
    samples = np.random.default_rng(count).integers(-9_000, 9_000, count).astype(np.int16)
    assert len(stretched(samples, factor, step)) == round(count * factor)


def test_the_steps_do_not_matter() -> None:
    samples = np.random.default_rng(1).integers(-9_000, 9_000, RATE).astype(np.int16)
    assert np.array_equal(stretched(samples, 1.7, 100), stretched(samples, 1.7, RATE))
