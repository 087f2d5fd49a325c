"""Words are told to begin when they are heard, and to end before a pause when the sound does; pauses are silent."""

import pytest

from tests.ears.conftest import Studio
from tests.ears.pauses import TimingErrors, largest_step, timing_errors
from tests.ears.test_english import at_speed
from tests.ears.texts import FEW, PARAGRAPH

LATEST_START = 0.030  # seconds on average; 0.020 is aimed at
LATEST_END = 0.050
LARGEST_STEP = 0.02  # of full scale; speech has 0.25
LEAST = 15  # pauses, for the averages to mean anything


@pytest.mark.parametrize("speed", [1.0, 1.5])
def test_words_begin_and_end_where_their_sound_does(studio: Studio, speed: float) -> None:
    errors = TimingErrors([], [])
    for text in (*FEW, PARAGRAPH):
        recording = studio.record(at_speed(text, speed), text.spoken, speed=speed)
        errors += timing_errors(recording, shortest=0.15 / speed)
    print(errors)  # noqa: T201 - for when it fails
    assert len(errors.starts) >= LEAST
    assert errors.start_distance <= LATEST_START
    assert errors.end_distance <= LATEST_END


@pytest.mark.parametrize("speed", [1.0, 1.5, 2.0])
def test_nothing_clicks_in_a_pause(studio: Studio, speed: float) -> None:
    steps = {
        text.name: largest_step(studio.record(at_speed(text, speed), text.spoken, speed=speed))
        for text in (*FEW, PARAGRAPH)
    }
    assert max(steps.values()) <= LARGEST_STEP, steps
