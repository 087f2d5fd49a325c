"""Classes of characters: punctuation, ranges of scripts, and grapheme clusters, which a cut must not tear."""
# ruff: noqa: RUF001 -- marks that look like others are the point of this file

import unicodedata
from typing import Final

QUOTES: Final = "\"'“”‘’«»‹›„"
CLOSING_QUOTES: Final = "\"'”’»›"
CLOSING_BRACKETS: Final = ")]}）】》〉」』"

SENTENCE_STOPS: Final = ".!?…।॥؟۔։።။។"  # a space follows them
WIDE_STOPS: Final = "。！？｡"  # no space follows them
CLAUSE_STOPS: Final = ";:,،؛—–"
WIDE_CLAUSE_STOPS: Final = "、，；："

PAUSES: Final = frozenset(SENTENCE_STOPS + WIDE_STOPS + CLAUSE_STOPS + WIDE_CLAUSE_STOPS + "．၊")

# Ranges of scripts, for use inside the brackets of a regular expression.
HAN = "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
KANA = "\u3041-\u309f\u30a1-\u30ff\u31f0-\u31ff\uff66-\uff9d"
HANGUL = "\u1100-\u11ff\u3131-\u318e\uac00-\ud7ff"
CJK_PUNCTUATION = "\u3001-\u3003\u3008-\u3020\u30fb\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
CJK = HAN + KANA + CJK_PUNCTUATION  # written without spaces; Korean has them
ABJAD = "\u0590-\u08ff"  # Hebrew, Arabic and their neighbours: short vowels are spoken but not written
SOUTH_EAST_ASIAN = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer: no spaces between words
INDIC = "\u0900-\u0dff"
DEVANAGARI_AND_BENGALI = "\u0900-\u09ff"  # these end a sentence with a danda

_ZERO_WIDTH_JOINER = "\u200d"
_LOOKAHEAD = 64  # characters; a longer cluster is not writing, and is cut anyway
_VIRAMA = 9  # the combining class of the sign that ties two Indic consonants together


def safe_cut(text: str, position: int) -> int:
    """Returns the first offset from ``position`` on that is a grapheme boundary, or ``position`` without one near."""
    for candidate in range(position, min(position + _LOOKAHEAD, len(text))):
        if not _belong_together(text, candidate):
            return candidate
    return position


def _belong_together(text: str, position: int) -> bool:
    previous, following = text[position - 1], text[position]
    if unicodedata.category(following).startswith("M") or _ZERO_WIDTH_JOINER in (previous, following):
        return True
    if "\U0001f3fb" <= following <= "\U0001f3ff" or "\U000e0020" <= following <= "\U000e007f":
        return True  # skin tones, and the tags of flags
    if unicodedata.combining(previous) == _VIRAMA or (_is_jamo(previous) and _is_jamo(following)):
        return True
    return _flags_before(text, position) % 2 == 1 and _is_flag_letter(following)


def _is_jamo(character: str) -> bool:
    return "\u1100" <= character <= "\u11ff"


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flags_before(text: str, position: int) -> int:
    count = 0
    while count < min(position, _LOOKAHEAD) and _is_flag_letter(text[position - 1 - count]):
        count += 1
    return count
