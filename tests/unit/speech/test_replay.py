"""Cached audio comes in chunks that grow, so that its first sound need not wait for all of it to be encoded."""

import numpy as np
import pytest

from lectern.triton import Mark
from orchestrator.speech.cache.segment_file import CachedAudio
from orchestrator.speech.synthesis.synthesizer import cut_growing
from tests.unit.audio.sounds import voice

RATE = 24_000


@pytest.mark.parametrize("samples", [1, 6_000, 6_001, 20 * RATE])
def test_the_chunks_are_the_audio(samples: int) -> None:
    audio = CachedAudio(voice(samples, RATE), RATE, [])
    chunks = list(cut_growing(audio))
    assert np.array_equal(np.concatenate([chunk.audio for chunk in chunks]), audio.samples)
    assert {chunk.sample_rate for chunk in chunks} == {RATE}


def test_the_first_chunk_is_a_quarter_of_a_second_and_each_further_one_twice_as_long() -> None:
    chunks = list(cut_growing(CachedAudio(voice(20 * RATE, RATE), RATE, [])))
    assert [len(chunk.audio) / RATE for chunk in chunks] == [0.25, 0.5, 1, 2, 4, 8, 4.25]


def test_each_mark_comes_with_the_chunk_in_which_its_word_starts() -> None:
    marks = [Mark(0, 10, 0, 1), Mark(5_999, 7_000, 2, 3), Mark(6_000, 6_100, 4, 5), Mark(60_000, 61_000, 6, 7)]
    chunks = list(cut_growing(CachedAudio(voice(RATE, RATE), RATE, marks)))
    assert [chunk.marks for chunk in chunks] == [marks[:2], marks[2:3], marks[3:]]
