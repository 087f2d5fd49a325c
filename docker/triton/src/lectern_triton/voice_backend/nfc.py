"""Normalizes text to NFC, Unicode's composed form, which voices are trained on, and maps marks back to the original."""

import unicodedata
from typing import Final, NamedTuple

from lectern_triton.voice_backend.voice import Mark

_FIRST_COMBINING: Final = "\u0300"  # no character below it combines with the one before it


class NfcText(NamedTuple):
    """A text in NFC, and where its characters come from."""

    text: str
    starts: list[int] | None = None
    """For each character, the start of its original characters; None if nothing changed."""
    ends: list[int] | None = None
    """For each character, the end of its original characters, exclusive."""

    def original_mark(self, mark: Mark) -> Mark:
        if self.starts is None or self.ends is None:
            return mark
        first, last, start, end = mark
        return first, last, self.starts[start], self.ends[end - 1]


UNCHANGED: Final = NfcText("")
"""Maps every mark to itself."""


def to_nfc(text: str) -> NfcText:
    """Returns the text in NFC, with the place of each of its characters in the original."""
    if unicodedata.is_normalized("NFC", text):
        return NfcText(text)
    composed: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    first = 0
    for at in range(1, len(text) + 1):
        if at < len(text) and not _stands_alone(text[first:at], text[at]):
            continue
        composed.append(unicodedata.normalize("NFC", text[first:at]))
        # Each character comes from one original and the last from the rest; the few that become two share theirs.
        sources = [first + min(index, at - first - 1) for index in range(len(composed[-1]))]
        starts += sources
        ends += [*(start + 1 for start in sources[:-1]), at]
        first = at
    return NfcText("".join(composed), starts, ends)


def _stands_alone(before: str, sign: str) -> bool:
    if sign < _FIRST_COMBINING:
        return True
    apart = unicodedata.normalize("NFC", before) + unicodedata.normalize("NFC", sign)
    return not unicodedata.combining(sign) and unicodedata.normalize("NFC", before + sign) == apart
