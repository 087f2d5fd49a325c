"""Kokoro's signs: what stands in the text for the model, a number each."""

import json
import logging
import unicodedata
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

IDS: Final[dict[str, int]] = json.loads(Path(__file__).with_name("vocabulary.json").read_bytes())
MOST: Final = 510  # signs of a sentence

_NEAREST: Final = str.maketrans("ɭɬɫʉɵʀʑʐᵑᵐⁿ", "lllu\u00f8ʁʒʒŋmn")
"""Sounds that eSpeak NG makes of names and of other scripts, and those that Kokoro has which are most like them."""
_SILENT: Final = frozenset(
    "1"  # eSpeak NG numbers a few of its phonemes, such as the l1 of foreign names of letters
    "\u0329"  # a consonant is a syllable: Hindi ड़ standing alone
    "\u032a"  # said at the teeth: each Italian d and t
    "\u032f"  # a vowel is no syllable: Chinese ai, ou
    "\ufe0e\ufe0f\u20e3"  # how an emoji is drawn
)
_told: set[tuple[str, str]] = set()


def known(phonemes: str) -> str:
    """Return the phonemes without what Kokoro has no sign for, for those that were checked by `unknown`."""
    return "".join(sign for sign in _apart(phonemes) if sign in IDS)


def unknown(phonemes: str) -> str:
    return "".join(dict.fromkeys(sign for sign in _apart(phonemes) if sign not in IDS))


def sayable(phonemes: str, language: str, word: str) -> str:
    """Return what a reader made of a word in signs that Kokoro knows.

    A sound that it has no sign for is lost: that is an error in the log, the first time in each language.
    """
    phonemes = phonemes.translate(_NEAREST)
    for sign in unknown(phonemes):
        if not _is_silent(sign) and (language, sign) not in _told:
            _told.add((language, sign))
            log.error(
                "%s: Kokoro has no sign for %r (U+%04X), which is left out of %r, read as %r",
                language, sign, ord(sign), word, phonemes,
            )  # fmt: skip
    return known(phonemes)


def _is_silent(sign: str) -> bool:
    """Tell whether nothing is lost with a sign: it is no sound, but stands between words."""
    if "\u02b0" <= sign <= "\u02ff":  # Unicode counts signs of tones and of the r in ɚ among the symbols
        return False
    return sign in _SILENT or unicodedata.category(sign)[0] in "PSZC"


def _apart(phonemes: str) -> str:
    """Take a letter and the mark above it apart where Kokoro has signs for each, and none for both."""
    return "".join(sign if sign in IDS else unicodedata.normalize("NFD", sign) for sign in phonemes)
