"""When each word is said: the model's own durations of its phonemes."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from voice_backend.protocol import Mark

from kokoro_voice.acoustic import FRAME
from kokoro_voice.phonemes import Word


def marks_of(words: Sequence[Word], frames: npt.NDArray[np.int64], cut: int, samples: int) -> list[Mark]:
    """Return the marks of a sentence of so many samples, of which `cut` in front were cut away."""
    # Behind the sign in front of the first phoneme, whose own frames are the first.
    starts = np.cumsum(frames) * FRAME
    marks: list[Mark] = []
    heard = 0
    for word in words:
        first = min(max(int(starts[word.first_phoneme]) - cut, heard), samples)
        heard = min(max(int(starts[word.last_phoneme]) - cut, first), samples)
        marks.append((first, heard, word.text_start, word.text_end))
    return marks
