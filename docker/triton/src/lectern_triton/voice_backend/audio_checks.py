"""Detects audio that cannot be the requested text: far too short, far too long, or with impossible marks.

The bounds are generous, as they must hold for every language and voice: they detect faults, not styles.
"""

import unicodedata
from collections.abc import Iterable
from typing import Final

from lectern_triton.voice_backend.voice import Mark

# Fluent speech has 12 to 20 letters a second, in scripts with one sign a syllable 4 to 7. Less than a third of the time
# that the fastest would take means that words are missing.
SHORTEST_LETTER: Final = 1 / 60  # seconds
# Digits and symbols may be silent (1,000,000 is one million) or a phrase (an emoji's name), and an unknown letter is
# spelt out by its Unicode name, so that the longest is far longer.
LONGEST_CHARACTER: Final = 2.5  # seconds
LONGEST_SILENCE: Final = 3.0  # seconds, around the speech


class Implausible(Exception):  # noqa: N818 - it names a state of affairs
    """The audio cannot be the requested text."""


def check_length(text: str, seconds: float, speed: float) -> None:
    """Compares the length of the audio with that of the text. Raises Implausible."""
    categories = [unicodedata.category(character)[0] for character in text]
    shortest = categories.count("L") * SHORTEST_LETTER / speed
    longest = (sum(category in "LNSMP" for category in categories) * LONGEST_CHARACTER + LONGEST_SILENCE) / speed
    if not shortest <= seconds <= longest:
        raise Implausible(
            f"{seconds:.2f} s of audio for {len(text)} characters at speed {speed:g}:"
            f" between {shortest:.2f} and {longest:.2f} s would be plausible"
        )


def check_marks(text: str, samples: int, marks: Iterable[Mark]) -> None:
    """Checks that the marks lie within text and audio and ascend in both. Raises Implausible."""
    heard = read = 0
    for mark in marks:
        first, last, start, end = mark
        if not (heard <= first <= last <= samples and read <= start < end <= len(text)):
            raise Implausible(
                f"the mark {mark} is out of order, or outside {samples} samples or {len(text)} characters"
            )
        heard, read = last, end
