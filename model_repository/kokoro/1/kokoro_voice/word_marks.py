"""Computes word marks from the model's durations of the phonemes and from where the sound in front of a pause ends."""

from typing import Final

import numpy as np
import numpy.typing as npt

from kokoro_voice.acoustic_client import FRAME, RATE
from kokoro_voice.g2p_client import Sentence
from lectern_triton.voice_backend.voice import Mark, Samples

LATE: Final = 2  # frames: how much later than its sound the model counts each phoneme
CLOSURE: Final = int(0.1 * RATE)  # samples: the silence of a p, t or k; a longer one is a pause
QUIET: Final = 10 ** (-45 / 20)  # of the loudest sample: breath and the room's noise are quieter
FAINTEST: Final = 16  # anything quieter is silence, however quiet the rest is


def loud_samples(samples: Samples) -> npt.NDArray[np.int64]:
    """Returns the positions of the samples that are no silence."""
    level = np.abs(samples.astype(np.int32))
    return np.flatnonzero(level > max(FAINTEST, int(level.max() * QUIET)))


def word_marks(sentence: Sentence, frames: npt.NDArray[np.int64], samples: Samples, cut: int) -> list[Mark]:
    """Returns the marks of a sentence, from whose samples `cut` in front were cut away."""
    # The first frames are the silence in front of the first phoneme.
    starts = (np.cumsum(frames) - min(LATE, int(frames[0]))) * FRAME - cut
    loud = loud_samples(samples)
    marks: list[Mark] = []
    heard = 0
    following = [*(word.first_phoneme for word in sentence.words[1:]), len(sentence.phonemes)]
    for word, next_word in zip(sentence.words, following, strict=True):
        first = min(max(int(starts[word.first_phoneme]), heard), samples.size)
        heard = min(max(int(starts[word.last_phoneme]), first), samples.size)
        ended = _end_of_sound(loud, first, heard)
        between = sentence.phonemes[word.last_phoneme : next_word]
        if between.strip() or next_word == len(sentence.phonemes) or heard - ended > CLOSURE:
            heard = ended
        marks.append((first, heard, word.text_start, word.text_end))
    return marks


def _end_of_sound(loud: npt.NDArray[np.int64], first: int, last: int) -> int:
    """Returns where a word ends: the model counts a pause, such as a comma's, to the last phoneme in front of it."""
    index = int(np.searchsorted(loud, last)) - 1
    return int(loud[index]) + 1 if index >= 0 and loud[index] >= first else last
