"""When words are said. The model counts each phoneme two frames late, and a pause to the one in front of it."""

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from kokoro_voice.acoustic_client import FRAME
from kokoro_voice.g2p_client import Sentence, Word
from kokoro_voice.pauses import Pause, loud_samples
from kokoro_voice.word_marks import phoneme_starts, word_marks
from lectern_triton.voice_backend.voice import Mark

FRAMES = np.array([10, 4, 4, 12, 4, 8, 20], np.int64)  # of the begin, "a", "b", "c", " " and a sign, "d" and the end


def sentence(phonemes: str, words: list[tuple[int, int]]) -> Sentence:
    marked = [Word(first, last, 2 * number, 2 * number + 1) for number, (first, last) in enumerate(words)]
    return Sentence(phonemes, [1] * len(phonemes), marked, [], None, None, None)


def sound(*heard: tuple[int, int], frames: npt.NDArray[np.int64] = FRAMES) -> npt.NDArray[np.int16]:
    """A tone from one frame to another, and again, in silence."""
    samples = np.zeros(int(frames.sum()) * FRAME, np.int16)
    for first, last in heard:
        samples[first * FRAME : last * FRAME] = 4_000
    return samples


def marks_of(sentence: Sentence, frames: npt.NDArray[np.int64], samples: npt.NDArray[np.int16]) -> list[Mark]:
    return word_marks(sentence, phoneme_starts(frames), loud_samples(samples), samples.size)


def test_a_word_begins_two_frames_before_its_phonemes() -> None:
    marks = marks_of(sentence("ab cd", [(0, 2), (3, 5)]), FRAMES, sound((8, 40)))
    assert marks == [(8 * FRAME, 16 * FRAME, 0, 1), (28 * FRAME, 40 * FRAME, 2, 3)]


def test_in_front_of_a_sign_a_word_ends_with_its_sound() -> None:
    marks = marks_of(sentence("abc,d", [(0, 3), (4, 5)]), FRAMES, sound((8, 20), (32, 38)))
    assert marks == [(8 * FRAME, 20 * FRAME, 0, 1), (32 * FRAME, 38 * FRAME, 2, 3)]


def test_a_silence_inside_a_word_does_not_end_it() -> None:
    marks = marks_of(sentence("abc,d", [(0, 3), (4, 5)]), FRAMES, sound((8, 11), (15, 20), (32, 38)))
    assert marks[0] == (8 * FRAME, 20 * FRAME, 0, 1)


def test_without_a_sign_between_them_words_end_where_their_phonemes_do() -> None:
    for phonemes, words in (("abc d", [(0, 3), (4, 5)]), ("abcd.", [(0, 3), (3, 4)])):
        marks = marks_of(sentence(phonemes, words), FRAMES, sound((8, 25), (28, 38)))
        assert marks[0] == (8 * FRAME, 28 * FRAME, 0, 1)


def test_a_pause_without_a_sign_ends_a_word_too() -> None:
    marks = marks_of(sentence("abc d", [(0, 3), (4, 5)]), FRAMES, sound((8, 20), (32, 38)))
    assert marks == [(8 * FRAME, 20 * FRAME, 0, 1), (32 * FRAME, 38 * FRAME, 2, 3)]


def test_a_word_that_is_not_heard_keeps_its_time() -> None:
    marks = marks_of(sentence("abc,d", [(0, 3), (4, 5)]), FRAMES, sound((32, 38)))
    assert marks[0] == (8 * FRAME, 28 * FRAME, 0, 1)


def test_the_first_word_begins_with_the_first_sound() -> None:
    marks = marks_of(sentence("abc,d", [(0, 3), (4, 5)]), FRAMES, sound((9, 20), (32, 38)))
    assert marks[0] == (9 * FRAME, 20 * FRAME, 0, 1)


def test_at_a_pause_a_word_ends_with_its_sound_and_the_next_begins_with_its_own() -> None:
    said, heard = sentence("abc,d", [(0, 3), (4, 5)]), sound((8, 20), (31, 38))
    pause = Pause(behind=4, kind="clause", first=20 * FRAME, last=31 * FRAME)
    marks = word_marks(said, phoneme_starts(FRAMES), loud_samples(heard), heard.size, [pause])
    assert marks == [(8 * FRAME, 20 * FRAME, 0, 1), (31 * FRAME, 38 * FRAME, 2, 3)]


@settings(deadline=None)
@given(st.lists(st.integers(1, 30), min_size=6, max_size=6), st.integers(0, 2**32 - 1), st.integers(0, 20))
def test_marks_are_in_order_inside_the_samples_and_not_empty(lengths: list[int], seed: int, head: int) -> None:
    frames = np.array([head + 1, *lengths], np.int64)
    noise = np.random.default_rng(seed).integers(-9_000, 9_000, int(frames.sum()) * FRAME)
    quiet = np.random.default_rng(seed + 1).random(noise.size // FRAME).repeat(FRAME) < 0.5
    samples = np.where(quiet, 0, noise).astype(np.int16)
    marks = marks_of(sentence("ab c,", [(0, 1), (1, 2), (3, 4)]), frames, samples)
    heard = 0
    for first, last, _, _ in marks:
        assert heard <= first < last <= samples.size
        heard = last
