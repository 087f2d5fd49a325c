"""Kokoro in 8 bits is understood too."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lectern import Client
from tests.ears.conftest import kokoro_client
from tests.ears.listener import Listener
from tests.ears.recording import spoken
from tests.ears.texts import FEW
from tests.ears.transcript import compare_words, error_rate

FLOOR = 0.08


@pytest.fixture(scope="module")
def eight_bits(precision: str, client: Client) -> Iterator[Client]:
    if precision == "int8":
        yield client
    else:
        with kokoro_client("int8") as made:
            yield made


def test_sentences_in_eight_bits_are_understood(eight_bits: Client, listener: Listener, sounds: Path) -> None:
    comparisons = []
    for text in FEW:
        recording = spoken(eight_bits, text.spoken)
        recording.save(sounds / f"{text.name}-in-int8.wav")
        comparisons.append(compare_words(text.name, text.heard, listener.transcript(recording)))
        print(comparisons[-1])  # noqa: T201 - for when it fails
    assert error_rate(comparisons) <= FLOOR
