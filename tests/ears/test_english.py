"""What Whisper writes down of spoken English is what was to be said.

The floors are those below which people would complain; they leave room for the accent of a voice that was trained on
Japanese, and for a listener that errs too.
"""

import pytest

from tests.ears.conftest import Studio
from tests.ears.listener import Listener
from tests.ears.texts import FEW, PARAGRAPH, Text
from tests.ears.transcript import Comparison, compare_words, error_rate


def at_speed(text: Text, speed: float) -> str:
    return text.name if speed == 1 else f"{text.name}-at-{speed:g}"


def hear(studio: Studio, listener: Listener, texts: tuple[Text, ...], speed: float) -> list[Comparison]:
    """Speaks and hears these texts, and prints how they differ, for when a test fails."""
    comparisons = []
    for text in texts:
        recording = studio.record(at_speed(text, speed), text.spoken, speed=speed)
        comparisons.append(compare_words(at_speed(text, speed), text.heard, listener.transcript(recording)))
        print(comparisons[-1])  # noqa: T201
    return comparisons


@pytest.mark.parametrize(("speed", "floor"), [(1.0, 0.08), (1.5, 0.08), (2.0, 0.12)])
def test_sentences_and_a_paragraph_are_understood(
    studio: Studio, listener: Listener, speed: float, floor: float
) -> None:
    assert error_rate(hear(studio, listener, (*FEW, PARAGRAPH), speed)) <= floor
