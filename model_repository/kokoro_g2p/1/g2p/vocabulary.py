"""Kokoro's vocabulary: the symbols that the model knows (phonemes, stress marks, punctuation), and their ids."""

import json
import logging
import unicodedata
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

IDS: Final[dict[str, int]] = json.loads(Path(__file__).with_name("vocabulary.json").read_bytes())
MAX_PHONEMES: Final = 510  # of a sentence, with punctuation and spaces

_NEAREST: Final = str.maketrans("ɭɬɫʉɵʀʑʐᵑᵐⁿ", "lllu\u00f8ʁʒʒŋmn")
"""Phonemes that eSpeak NG gives for names and other scripts, and the most similar ones of Kokoro."""
_SILENT: Final = frozenset(
    "1"  # eSpeak NG numbers a few of its phonemes, such as the l1 of foreign names of letters
    "\u0329"  # a consonant is a syllable: Hindi ड़ standing alone
    "\u032a"  # said at the teeth: each Italian d and t
    "\u032f"  # a vowel is no syllable: Chinese ai, ou
    "\ufe0e\ufe0f\u20e3"  # how an emoji is drawn
)
_reported: set[tuple[str, str]] = set()


def drop_unknown(phonemes: str) -> str:
    """Returns the phonemes without unknown symbols; only for phonemes that `unknown_symbols` has checked."""
    return "".join(sign for sign in _apart(phonemes) if sign in IDS)


def unknown_symbols(phonemes: str) -> str:
    return "".join(dict.fromkeys(sign for sign in _apart(phonemes) if sign not in IDS))


def to_vocabulary(phonemes: str, language: str, word: str) -> str:
    """Returns a word's phonemes in Kokoro's vocabulary.

    A sound that Kokoro has no symbol for is lost. The first time in each language this logs an error.
    """
    phonemes = phonemes.translate(_NEAREST)
    for sign in unknown_symbols(phonemes):
        if not _is_silent(sign) and (language, sign) not in _reported:
            _reported.add((language, sign))
            log.error(
                "%s: Kokoro has no sign for %r (U+%04X), which is left out of %r, read as %r",
                language, sign, ord(sign), word, phonemes,
            )  # fmt: skip
    return drop_unknown(phonemes)


def _is_silent(sign: str) -> bool:
    """Returns whether a symbol is no sound, so that nothing is lost without it."""
    if "\u02b0" <= sign <= "\u02ff":  # Unicode counts tone letters and the r in ɚ as symbols
        return False
    return sign in _SILENT or unicodedata.category(sign)[0] in "PSZC"


def _apart(phonemes: str) -> str:
    """Splits a letter and the mark above it where Kokoro has a symbol for each, and none for both."""
    return "".join(sign if sign in IDS else unicodedata.normalize("NFD", sign) for sign in phonemes)
