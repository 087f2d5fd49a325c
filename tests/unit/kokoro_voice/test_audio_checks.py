import numpy as np
import pytest

from kokoro_voice.audio_checks import check_duration, check_words
from kokoro_voice.g2p_client import Word
from lectern_triton.voice_backend.audio_checks import Implausible


@pytest.mark.parametrize("frames", [[10, 3, 3, 3, 3, 20], [1, 1, 1, 1], [5, 30, 5], [50, 2, 9, 4, 50]])
def test_speech_is_plausible(frames: list[int]) -> None:
    check_duration(np.array(frames))


def test_too_long_for_its_phonemes() -> None:
    with pytest.raises(Implausible, match="frames"):
        check_duration(np.array([5, *[50] * 10, 5]))


def test_too_short_for_its_phonemes() -> None:
    with pytest.raises(Implausible, match="frames"):
        check_duration(np.array([1, *[1] * 100, 1]))


def test_a_word_that_was_not_spoken_is_found() -> None:
    check_words("One, two.", [Word(0, 3, 0, 3), Word(3, 6, 5, 8)])
    with pytest.raises(Implausible, match="two"):
        check_words("One, two.", [Word(0, 3, 0, 3)])


def test_an_apostrophe_that_unicode_calls_a_letter_may_stand_beside_a_word() -> None:
    check_words("the dogs\u02bc toys", [Word(0, 2, 0, 3), Word(3, 6, 4, 8), Word(7, 9, 10, 14)])
