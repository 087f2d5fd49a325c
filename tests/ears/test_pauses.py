"""Pauses, and how far words' times are away from them, of a sound whose edges are known."""

import numpy as np
import pytest

from lectern.types import Word
from tests.ears.pauses import largest_step, pauses, timing_errors
from tests.ears.recording import RATE, Recording

BURSTS = ((0.3, 0.8), (1.2, 1.5), (1.6, 2.0))  # seconds; between the last two is the closure of a plosive
END = 2.5


def recording(*, early: float = 0.0, click: float = 0.0) -> Recording:
    """`early`: seconds by which words are told to be heard too early. `click`: of full scale, in the first pause."""
    samples = np.random.default_rng(3).normal(0, 3, int(END * RATE))
    for start, end in BURSTS:
        time = np.arange(int(start * RATE), int(end * RATE))
        samples[time] += 8_000 * np.sin(2 * np.pi * 200 * time / RATE)
    samples[RATE] += click * 32_768
    words = [("one", 0.3, 0.8), ("two", 1.2, 2.0)]
    told = [
        Word(word=word, start=start - early, end=end - early, text_start=0, text_end=0) for word, start, end in words
    ]
    return Recording(samples.astype(np.int16), tuple(told))


def test_a_pause_lies_between_sounds() -> None:
    assert np.array(pauses(recording())) == pytest.approx(np.array([[0, 0.3], [0.8, 1.2], [2.0, END]]), abs=0.004)


@pytest.mark.parametrize("early", [0.0, 0.1, -0.2])
def test_times_that_are_told_are_compared_with_the_sound(early: float) -> None:
    errors = timing_errors(recording(early=early))
    assert errors.starts == pytest.approx([-early, -early], abs=0.004)
    assert errors.ends == pytest.approx([-early, -early], abs=0.004)


def test_a_click_is_the_largest_step() -> None:
    assert largest_step(recording()) < 0.001
    assert largest_step(recording(click=0.05)) == pytest.approx(0.05, abs=0.002)
