"""A segment ends with its last sound."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectern_contract import SILENCE_BEHIND
from lectern_triton.voice_backend.trailing_silence import FADE, without_trailing_silence
from lectern_triton.voice_backend.voice import Chunk, Mark, Samples

RATE = 22_050
TAIL = round(SILENCE_BEHIND * RATE)


def sound(seconds: float, level: int = 8_000) -> Samples:
    return np.full(round(seconds * RATE), level, np.int16)


def cut(audio: Samples, size: int = 1_000, marks: Sequence[Mark] = ()) -> list[Chunk]:
    """The chunks of audio that came in parts of this size, the marks with the last one."""
    parts = np.split(audio, range(size, audio.size, size))
    chunks = [*map(Chunk, parts), Chunk(np.zeros(0, np.int16), tuple(marks))]
    return list(without_trailing_silence(chunks, RATE))


def joined(chunks: Sequence[Chunk]) -> Samples:
    return np.concatenate([chunk.audio for chunk in chunks])


@pytest.mark.parametrize("size", [100, 1_000, 100_000])
def test_little_silence_stays_behind_the_last_sound(size: int) -> None:
    audio = np.concatenate([sound(0.3), sound(0.4, 0), sound(0.2), sound(0.7, 0)])
    assert np.array_equal(
        joined(cut(audio, size)), audio[: round(0.3 * RATE) + round(0.4 * RATE) + round(0.2 * RATE) + TAIL]
    )


def test_noise_that_is_cut_is_faded() -> None:
    heard = joined(cut(np.concatenate([sound(0.3), sound(0.5, 30)])))
    assert heard.size == round(0.3 * RATE) + TAIL
    assert heard[-round(FADE * RATE) - 1] == 30
    assert heard[-1] == 0


def test_a_sound_is_never_cut() -> None:
    audio = np.concatenate([sound(0.3), sound(0.4, 10), sound(0.01, 200)])
    assert np.array_equal(joined(cut(audio)), audio)


def test_audio_without_any_sound_stays_as_it_is() -> None:
    assert np.array_equal(joined(cut(sound(0.5, 3))), sound(0.5, 3))


def test_sound_is_not_held_back() -> None:
    first, *_ = without_trailing_silence(iter([Chunk(sound(0.1)), Chunk(sound(0.1))]), RATE)
    assert first.audio.size == round(0.1 * RATE)


def test_words_end_with_the_audio_at_the_latest() -> None:
    length = round(0.3 * RATE)
    chunks = cut(np.concatenate([sound(0.3), sound(0.5, 0)]), marks=[(0, 100, 0, 3), (100, length + RATE // 2, 4, 7)])
    assert [mark for chunk in chunks for mark in chunk.marks] == [(0, 100, 0, 3), (100, length + TAIL, 4, 7)]


@given(st.lists(st.sampled_from([0, 5, 100, 9_000]), max_size=30), st.integers(1, 500))
def test_what_is_heard_is_the_begin_of_what_was_made(levels: list[int], size: int) -> None:
    audio = np.repeat(np.array(levels, np.int16), 400)
    heard = joined(cut(audio, size))
    unfaded = max(0, heard.size - round(FADE * RATE))
    assert np.array_equal(heard[:unfaded], audio[:unfaded])
    assert not np.any(audio[heard.size :] > 100)
