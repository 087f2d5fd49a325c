"""Where a text may be cut without tearing a character that a reader sees as one."""

import unicodedata

_JOINER = "\u200d"
_LOOKAHEAD = 64  # characters; a longer cluster is no writing, and is cut anyway


def safe_cut(text: str, position: int) -> int:
    """Return the first offset from ``position`` on that is a cluster boundary, or ``position`` if none is near."""
    for candidate in range(position, min(position + _LOOKAHEAD, len(text))):
        if not _joins(text, candidate):
            return candidate
    return position


def _joins(text: str, position: int) -> bool:
    previous, following = text[position - 1], text[position]
    if unicodedata.category(following).startswith("M") or _JOINER in (previous, following):
        return True
    if "\U0001f3fb" <= following <= "\U0001f3ff" or "\U000e0020" <= following <= "\U000e007f":
        return True  # skin tones, and the tags of flags
    if unicodedata.combining(previous) == _VIRAMA or (_is_jamo(previous) and _is_jamo(following)):
        return True
    return _flags_before(text, position) % 2 == 1 and _is_flag_letter(following)


_VIRAMA = 9  # the combining class of the sign that ties two Indic consonants together


def _is_jamo(character: str) -> bool:
    return "\u1100" <= character <= "\u11ff"


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flags_before(text: str, position: int) -> int:
    count = 0
    while count < min(position, _LOOKAHEAD) and _is_flag_letter(text[position - 1 - count]):
        count += 1
    return count
