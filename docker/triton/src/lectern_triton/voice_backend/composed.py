"""A text in Unicode's composed form (NFC), which voices learnt, and the way back to the characters that were sent."""

import unicodedata
from typing import Final, NamedTuple

from lectern_triton.voice_backend.protocol import Mark

_FIRST_COMBINING: Final = "\u0300"  # no sign before it changes the one in front of it


class Composed(NamedTuple):
    text: str
    starts: list[int] | None = None
    """For each character of the text the first of those that were sent for it; None if all are as they were sent."""
    ends: list[int] | None = None
    """The last, exclusive."""

    def mark_as_sent(self, mark: Mark) -> Mark:
        if self.starts is None or self.ends is None:
            return mark
        first, last, start, end = mark
        return first, last, self.starts[start], self.ends[end - 1]


AS_SENT: Final = Composed("")
"""Leads every mark back to where it is."""


def compose(text: str) -> Composed:
    if unicodedata.is_normalized("NFC", text):
        return Composed(text)
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    first = 0
    for at in range(1, len(text) + 1):
        if at < len(text) and not _stands_alone(text[first:at], text[at]):
            continue
        pieces.append(unicodedata.normalize("NFC", text[first:at]))
        # One after another, and the last is made of the rest; a few single signs become two, which share it.
        own = [first + min(index, at - first - 1) for index in range(len(pieces[-1]))]
        starts += own
        ends += [*(start + 1 for start in own[:-1]), at]
        first = at
    return Composed("".join(pieces), starts, ends)


def _stands_alone(before: str, sign: str) -> bool:
    if sign < _FIRST_COMBINING:
        return True
    apart = unicodedata.normalize("NFC", before) + unicodedata.normalize("NFC", sign)
    return not unicodedata.combining(sign) and unicodedata.normalize("NFC", before + sign) == apart
