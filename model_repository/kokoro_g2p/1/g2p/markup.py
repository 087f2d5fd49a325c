"""Parses the markup in a text: `[word](/IPA/)` gives a pronunciation, `[pause:0.5s]` is silence."""

import re
from dataclasses import dataclass
from typing import Final

from g2p import BadRequest
from g2p.aligned_text import Pronunciation

LONGEST_PAUSE: Final = 10.0  # seconds

PLACEHOLDER: Final = "\0"  # no text has it

_PRONOUNCED = re.compile(r"\[([^\[\]\n]{1,200})\]\(/([^()/\n]{1,200})/\)")
_PAUSE = re.compile(r"\[pause:\s{0,4}([^\[\]\n]{0,20})\]")
_SECONDS = re.compile(r"(\d{1,4}(?:\.\d{1,6})?)\s{0,4}s")


@dataclass(frozen=True, slots=True)
class Pause:
    start: int
    end: int
    seconds: float


@dataclass(frozen=True, slots=True)
class MarkedText:
    """A text and its markup. All positions are characters of the written text."""

    text: str
    """As long as the written text: PLACEHOLDER replaces each character of markup around a word, blanks a pause."""
    pronunciations: tuple[Pronunciation, ...]
    pauses: tuple[Pause, ...]


def parse(text: str) -> MarkedText:
    """Raises BadRequest for an invalid pause; anything else in brackets is text."""
    blank = list(text)
    pauses = []
    for found in _PAUSE.finditer(text):
        pauses.append(Pause(*found.span(), _seconds(found)))
        blank[found.start() : found.end()] = " " * len(found[0])
    pronunciations = []
    for found in _PRONOUNCED.finditer(text):
        if not found[1].strip() or not found[2].strip():
            continue
        pronunciations.append(Pronunciation(found.start(1), found.end(1), found[2].strip()))
        blank[found.start()] = PLACEHOLDER
        blank[found.end(1) : found.end()] = PLACEHOLDER * (found.end() - found.end(1))
    return MarkedText("".join(blank), tuple(pronunciations), tuple(pauses))


def _seconds(found: re.Match[str]) -> float:
    number = _SECONDS.fullmatch(found[1].strip())
    if number is None or float(number[1]) > LONGEST_PAUSE:
        raise BadRequest(f"{found[0]!r} is no pause: write it as [pause:0.5s], with 0 to {LONGEST_PAUSE:g} seconds")
    return float(number[1])
