"""Checks that the audio has a plausible duration for its phonemes, and that all words of the text were spoken."""

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from kokoro_voice.g2p_client import Word
from lectern_triton.voice_backend.audio_checks import Implausible

# Kokoro speaks about 2.9 frames of 25 ms per phoneme. Hardly more than one, which is the minimum, means that the
# durations are lost, and fewer than 4 phonemes a second are far outside of what any voice does at speed 1.
SHORTEST: Final = 1.05  # frames per phoneme
LONGEST: Final = 10.0
GRACE: Final = 3  # phonemes: a few of them alone may be drawn out, or hurried


def check_duration(frames: npt.NDArray[np.int64]) -> None:
    """Compares the duration of a sentence, without the silence around it, with its phonemes. Raises Implausible."""
    phonemes = frames.size - 2
    made = int(frames[1:-1].sum())
    shortest = max(0, phonemes - GRACE) * SHORTEST
    longest = (phonemes + GRACE) * LONGEST
    if not shortest <= made <= longest:
        raise Implausible(
            f"{made} frames for {phonemes} phonemes: between {shortest:.0f} and {longest:.0f} would be plausible"
        )


def check_words(text: str, words: Iterable[Word]) -> None:
    """Checks that each letter and number of a text without markup belongs to a spoken word. Raises Implausible."""
    spoken = {position for word in words for position in range(word.text_start, word.text_end)}
    missing = [position for position, sign in enumerate(text) if _is_heard(sign) and position not in spoken]
    if missing:
        first = missing[0]
        raise Implausible(
            f"{len(missing)} letters were not spoken, the first at character {first}: {text[first : first + 20]!r}"
        )


def _is_heard(sign: str) -> bool:
    """Tells letters and digits from the apostrophes and primes that Unicode counts as letters, such as U+02BC."""
    return sign.isalnum() and not "\u02b0" <= sign <= "\u02ff" and sign != "\ua78c"
