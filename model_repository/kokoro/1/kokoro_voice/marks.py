"""When each word is said: the model's own durations of its phonemes, and where the sound in front of a pause ends."""

from typing import Final

import numpy as np
import numpy.typing as npt

from kokoro_voice.acoustic import FRAME, RATE
from kokoro_voice.phonemes import Sentence
from kokoro_voice.silence import heard_in
from lectern_triton.voice_backend.protocol import Mark, Samples

LATE: Final = 2  # frames: how much later than its sound the model counts each phoneme
CLOSURE: Final = int(0.1 * RATE)  # samples: the silence of a p, t or k; a longer one is a pause


def marks_of(sentence: Sentence, frames: npt.NDArray[np.int64], samples: Samples, cut: int) -> list[Mark]:
    """Return the marks of a sentence's samples, of which `cut` in front were cut away."""
    # Behind the sign in front of the first phoneme, whose own frames are the first.
    starts = (np.cumsum(frames) - min(LATE, int(frames[0]))) * FRAME - cut
    sounds = heard_in(samples)
    marks: list[Mark] = []
    heard = 0
    following = [*(word.first_phoneme for word in sentence.words[1:]), len(sentence.phonemes)]
    for word, next_word in zip(sentence.words, following, strict=True):
        first = min(max(int(starts[word.first_phoneme]), heard), samples.size)
        heard = min(max(int(starts[word.last_phoneme]), first), samples.size)
        ended = _end_of_sound(sounds, first, heard)
        between = sentence.phonemes[word.last_phoneme : next_word]
        if between.strip() or next_word == len(sentence.phonemes) or heard - ended > CLOSURE:
            heard = ended
        marks.append((first, heard, word.text_start, word.text_end))
    return marks


def _end_of_sound(sounds: npt.NDArray[np.int64], first: int, last: int) -> int:
    """The model gives a pause, such as that of a comma, to the last phoneme of the word in front of it."""
    index = int(np.searchsorted(sounds, last)) - 1
    return int(sounds[index]) + 1 if index >= 0 and sounds[index] >= first else last
