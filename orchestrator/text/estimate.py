"""Estimates how long a text will take to say, as a sum over its characters.

Rates are characters per second at speed 1. Letters: 15, between the 13 and 15.5 seen with neural voices; spaces and
punctuation count as letters, as they do in such figures. The other rates keep the proportions measured with espeak-ng
1.52, which says 18.6 Latin, Greek or Cyrillic letters per second, 14.3 Devanagari, 10.8 Arabic, 9.3 Thai, 7.3 kana or
hangul and 3.6 to 4.6 digits or symbols; Han is 4.5, since espeak-ng (4.0) reads Chinese slowly.
"""

import re
from itertools import accumulate

from orchestrator.text.characters import ABJAD, CJK, HAN, HANGUL, INDIC, KANA, SOUTH_EAST_ASIAN

CHARACTERS_PER_SECOND = 15.0
# The fastest rate of any character, for the marks that only change the one before them. With it no block of
# MAX_SECONDS can exceed the contract's MAX_TEXT.
MARKS_PER_SECOND = 60.0

_RATES = [
    (re.compile(r"[\u0300-\u036f\u200b-\u200f\u2060\ufe00-\ufe0f\U000e0000-\U000e01ef]"), MARKS_PER_SECOND),
    (re.compile(rf"[{HAN}]"), 4.5),
    (re.compile(rf"[{KANA}]"), 6.5),
    (re.compile(rf"[{HANGUL}]"), 6.0),
    (re.compile(rf"[{SOUTH_EAST_ASIAN}]"), 8.0),
    (re.compile(rf"[{ABJAD}]"), 9.0),
    (re.compile(r"\d"), 3.0),
    (re.compile(rf"[{INDIC}]"), 12.0),
    (
        re.compile(r"[%&@#+=/$^|~<>\u00a2-\u00a9\u00ac\u00ae-\u00b1\u20a0-\u20cf\u2100-\u2bff\U0001f000-\U0001faff]"),
        3.0,
    ),
]

_WORD = re.compile(r"[^\W_]\S*")
_UNSPACED = re.compile(rf"[{CJK}]")
_UNSPACED_LONG = re.compile(rf"[{SOUTH_EAST_ASIAN}]")
_CHARACTERS_PER_WORD = 2
_CHARACTERS_PER_LONG_WORD = 4


class _Seconds(dict[str, float]):
    """Seconds by character, computed once for each character of the Basic Multilingual Plane."""

    def __missing__(self, character: str) -> float:
        rate = next((rate for pattern, rate in _RATES if pattern.match(character)), CHARACTERS_PER_SECOND)
        if ord(character) <= 0xFFFF:  # noqa: PLR2004 -- bounds this cache at 65,536 entries
            self[character] = 1 / rate
        return 1 / rate


_seconds = _Seconds()


def estimate_seconds(text: str) -> float:
    return sum(map(_seconds.__getitem__, text))


def running_seconds(text: str) -> list[float]:
    """Returns, for each offset from 0 to ``len(text)``, the seconds of the text before it."""
    return list(accumulate(map(_seconds.__getitem__, text), initial=0.0))


def has_words(text: str) -> bool:
    """Whether the text has a letter or a digit. Punctuation and emoji alone are silence."""
    return any(map(str.isalnum, text))


def count_words(text: str) -> float:
    """Counts words. In a script without spaces between words, every so many characters count as one."""
    spaced = len(_WORD.findall(text))
    if text.isascii():
        return spaced
    unspaced = len(_UNSPACED.findall(text)) / _CHARACTERS_PER_WORD
    return max(spaced, unspaced + len(_UNSPACED_LONG.findall(text)) / _CHARACTERS_PER_LONG_WORD)
