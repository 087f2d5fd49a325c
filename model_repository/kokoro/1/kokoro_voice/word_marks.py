"""Computes word marks from the model's durations of the phonemes and from where the sound in front of a pause ends."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from kokoro_voice.acoustic_client import FRAME, RATE
from kokoro_voice.g2p_client import Sentence
from kokoro_voice.pauses import Pause, Positions
from lectern_triton.voice_backend.voice import Mark

LATE: Final = 2  # frames: how much later than its sound the model counts each phoneme
CLOSURE: Final = int(0.1 * RATE)  # samples: the silence of a p, t or k; a longer one is a pause
NEAR: Final = int(0.1 * RATE)  # samples by which the model may count the first word wrong


def phoneme_starts(frames: Positions) -> Positions:
    """Returns the first sample of each phoneme, and the end of the last one."""
    # The first frames are the silence in front of the first phoneme.
    return (np.cumsum(frames) - min(LATE, int(frames[0]))) * FRAME


def word_marks(
    sentence: Sentence, starts: Positions, loud: Positions, size: int, pauses: Sequence[Pause] = ()
) -> list[Mark]:
    """Returns the marks of a sentence from the starts of its phonemes, what is no silence, and the pauses inside it.

    Behind a pause a word begins with its sound, in front of one it ends with it. Nothing is heard from `size` on.
    """
    marks: list[Mark] = []
    begin = int(starts[sentence.words[0].first_phoneme]) if sentence.words else 0
    if loud.size and abs(int(loud[0]) - begin) < NEAR:
        begin = int(loud[0])
    heard = 0
    following = [*(word.first_phoneme for word in sentence.words[1:]), len(sentence.phonemes)]
    for word, next_word in zip(sentence.words, following, strict=True):
        first = min(max(begin, heard), size)
        heard = min(max(int(starts[word.last_phoneme]), first + 1), size)
        pause = next((pause for pause in pauses if word.last_phoneme <= pause.behind <= next_word), None)
        if pause is not None:
            heard, begin = min(max(pause.first, first + 1), size), pause.last
        else:
            ended = _end_of_sound(loud, first, heard)
            between = sentence.phonemes[word.last_phoneme : next_word]
            begin = int(starts[next_word])
            if between.strip() or next_word == len(sentence.phonemes) or heard - ended > CLOSURE:
                heard = ended
        marks.append((first, heard, word.text_start, word.text_end))
    return marks


def _end_of_sound(loud: Positions, first: int, last: int) -> int:
    """Returns where a word ends: the model counts a pause, such as a comma's, to the last phoneme in front of it."""
    index = int(np.searchsorted(loud, last)) - 1
    return int(loud[index]) + 1 if index >= 0 and loud[index] >= first else last
