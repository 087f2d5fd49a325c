"""Finds the words of a text, which marks are made for."""

import unicodedata
from collections.abc import Sequence
from typing import Final, NamedTuple

from lectern_triton.voice_backend.voice import Mark

_SPOKEN_PUNCTUATION: Final = "%&#@*/§†‰"  # read out, unlike other punctuation
_SEPARATORS: Final = "—…"  # stand between words without a space
_WITHOUT_SPACES: Final = (  # first and last characters of scripts that write words without spaces
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x2E80, 0x312F), (0x31F0, 0x9FFF), (0xF900, 0xFAFF),
    (0xFF66, 0xFF9F), (0x20000, 0x3FFFF),
)  # fmt: skip


class Word(NamedTuple):
    """The place of a word in the text; in scripts without spaces, the place of a character."""

    start: int
    end: int


def find_words(text: str) -> list[Word]:
    """Returns the words in order, without the punctuation around them."""
    words = []
    position = 0
    while position < len(text):
        end = position + 1
        if not _between(text[position]):
            if _without_spaces(text[position]):
                while end < len(text) and unicodedata.category(text[end])[0] == "M":  # vowel signs and the like
                    end += 1
            else:
                while end < len(text) and not _between(text[end]) and not _without_spaces(text[end]):
                    end += 1
            if word := _trim(text, position, end):
                words.append(word)
        position = end
    return words


def marks_by_length(words: Sequence[Word], first: int, last: int) -> list[Mark]:
    """Marks words that are spoken between two samples, each with a time in proportion to its length."""
    total = sum(word.end - word.start for word in words)
    marks: list[Mark] = []
    read = 0
    for word in words:
        begin = first + (last - first) * read // total
        read += word.end - word.start
        marks.append((begin, first + (last - first) * read // total, word.start, word.end))
    return marks


def _trim(text: str, start: int, end: int) -> Word | None:
    while start < end and not _spoken(text[start]):
        start += 1
    while start < end and not _spoken(text[end - 1]):
        end -= 1
    return Word(start, end) if start < end else None


def _between(character: str) -> bool:
    return character.isspace() or character in _SEPARATORS


def _spoken(character: str) -> bool:
    return character in _SPOKEN_PUNCTUATION or unicodedata.category(character)[0] in "LNSM"


def _without_spaces(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in _WITHOUT_SPACES)
