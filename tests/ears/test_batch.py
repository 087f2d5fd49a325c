"""A text sounds the same whether its segment is made among those of others or alone."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from kokoro_export.audio_metrics import band_distance
from lectern import Client
from tests.ears.recording import Recording, spoken
from tests.ears.texts import SENTENCES

CALLERS = 8
LARGEST_STEPS = 4  # of int16, in fp32
LARGEST_DISTANCE = 2.0  # dB in bands, where 8 bits move phases


@pytest.fixture(scope="module")
def together(client: Client, sounds: Path) -> list[Recording]:
    with ThreadPoolExecutor(CALLERS) as threads:
        recordings = list(threads.map(lambda text: spoken(client, text.spoken), SENTENCES[-CALLERS:]))
    return kept(recordings, sounds, "together")


@pytest.fixture(scope="module")
def alone(client: Client, together: list[Recording], sounds: Path) -> list[Recording]:
    """The same once more. Texts that may have markup, and have none, are other segments of the cache."""
    recordings = [spoken(client, text.spoken, markup=True) for text in SENTENCES[-CALLERS:]]
    assert all(made.usage is not None and made.usage.cost for made in (*together, *recordings))  # each was made
    return kept(recordings, sounds, "alone")


def kept(recordings: list[Recording], sounds: Path, how: str) -> list[Recording]:
    for text, recording in zip(SENTENCES[-CALLERS:], recordings, strict=True):
        recording.save(sounds / f"{text.name}-{how}.wav")
    return recordings


def test_words_come_at_the_same_times(together: list[Recording], alone: list[Recording]) -> None:
    assert [made.words for made in together] == [made.words for made in alone]


def test_samples_are_the_same(together: list[Recording], alone: list[Recording], precision: str) -> None:
    for one, other in zip(together, alone, strict=True):
        assert len(one.samples) == len(other.samples)
        if precision == "fp32":
            assert np.abs(one.samples.astype(int) - other.samples).max() <= LARGEST_STEPS
        else:
            assert band_distance(other.samples.astype(float), one.samples.astype(float)) <= LARGEST_DISTANCE
