"""Kokoro's signs: what stands in the text for the model, a number each."""

import json
import unicodedata
from pathlib import Path
from typing import Final

IDS: Final[dict[str, int]] = json.loads(Path(__file__).with_name("vocabulary.json").read_bytes())
MOST: Final = 510  # signs of a sentence


def known(phonemes: str) -> str:
    """Return the phonemes without what Kokoro has no sign for."""
    return "".join(sign for sign in _apart(phonemes) if sign in IDS)


def unknown(phonemes: str) -> str:
    return "".join(dict.fromkeys(sign for sign in _apart(phonemes) if sign not in IDS))


def _apart(phonemes: str) -> str:
    """Take a letter and the mark above it apart where Kokoro has signs for each, and none for both."""
    return "".join(sign if sign in IDS else unicodedata.normalize("NFD", sign) for sign in phonemes)
