"""Inserts spaces and commas where eSpeak NG would not speak a text to its end.

eSpeak NG silently drops the rest of a word of more than about 100 sounds, and of a clause of more than about 1,000. Its
process crashes at a hyphen between a sign and a script other than Latin, as in "-नमस्ते. Spaces in such words and commas
in such clauses avoid that; nothing of the text is changed or removed.
"""

import unicodedata
from typing import Final, NamedTuple

LONGEST_WORD: Final = 200  # weight; measured: losses begin above 300
LONGEST_CLAUSE: Final = 600  # weight; measured: losses begin above 900

_PAUSES: Final = "、。，；：？！"  # noqa: RUF001 - end a clause wherever they stand
_PAUSES_BEFORE_SPACE: Final = ",;:?!"
_SYLLABIC: Final = "\u2e80"  # from here on one sign is a syllable
_LAST_LATIN: Final = "\u024f"
_FULL_STOP: Final = "."  # also ends abbreviations, which end no clause


class SpeakableText(NamedTuple):
    """A text with its insertions, and the original offset of each character."""

    text: str
    origins: list[int]
    """The offset of each character in the original text; of an inserted one, that of the next."""

    def origin(self, position: int) -> int:
        """Returns the offset in the original text."""
        return self.origins[min(position, len(self.origins) - 1)]


def make_speakable(text: str) -> SpeakableText:
    """Returns the text with the spaces and commas that it needs."""
    out: list[str] = []
    origins: list[int] = []
    word = clause = 0
    for position, character in enumerate(text):
        weight = _weight(character)
        starts_here = weight > 0 and not unicodedata.category(character).startswith("M")
        if starts_here and (word + weight > LONGEST_WORD or _crashes(text, position)):
            out.append(" ")
            origins.append(position)
            word = 0
        if starts_here and clause + weight > LONGEST_CLAUSE and (word == 0 or clause > LONGEST_CLAUSE + LONGEST_WORD):
            _pause(out, origins, position)
            word = clause = 0
        out.append(character)
        origins.append(position)
        word = 0 if character.isspace() else word + weight
        clause = 0 if _ends_clause(text, position) else clause + weight
    return SpeakableText("".join(out), [*origins, len(text)])


def _pause(out: list[str], origins: list[int], position: int) -> None:
    """Inserts a comma in front of the last space, or a comma and a space here."""
    if out and out[-1].isspace():
        out.insert(-1, ",")
        origins.insert(-1, origins[-1])
    else:
        out += [",", " "]
        origins += [position, position]


def _weight(character: str) -> int:
    """Returns about how many sounds a character makes at most."""
    category = unicodedata.category(character)
    if category == "Lu":
        return 9  # capitals may be spelt out, letter by letter
    if category[0] == "L":
        return 2 if character < _SYLLABIC else 5
    if category[0] == "N":
        return 10
    if category[0] == "S":
        return 20
    return 0 if category[0] in "ZC" else 4


def _crashes(text: str, position: int) -> bool:
    if position < 2 or text[position] <= _LAST_LATIN or text[position - 1] != "-":  # noqa: PLR2004 - signs in front
        return False
    return unicodedata.category(text[position - 2])[0] in "PS"


def _ends_clause(text: str, position: int) -> bool:
    character, after = text[position], text[position + 1 : position + 3]
    if character in _PAUSES:
        return True
    if not after[:1].isspace():
        return False
    return character in _PAUSES_BEFORE_SPACE or (character == _FULL_STOP and not after[1:].islower())
