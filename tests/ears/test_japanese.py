"""Japanese with the sounds g, ky, gy, by and ry, which a wrong table of signs loses."""

from tests.ears.conftest import Studio
from tests.ears.listener import Listener
from tests.ears.texts import JAPANESE
from tests.ears.transcript import compare_signs, error_rate

FLOOR = 0.15


def test_japanese_sentences_are_understood(studio: Studio, listener: Listener) -> None:
    comparisons = []
    for text in JAPANESE:
        recording = studio.record(text.name, text.spoken, language="ja")
        comparisons.append(compare_signs(text.name, text.heard, listener.transcript(recording, "ja")))
        print(comparisons[-1])  # noqa: T201 - for when it fails
    assert error_rate(comparisons) <= FLOOR
