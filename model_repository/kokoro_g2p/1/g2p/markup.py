"""The markup in a text: `[word](/IPA/)` gives a pronunciation, `[pause:0.5s]` is silence."""

import re
from dataclasses import dataclass
from typing import Final

from g2p.refusal import Refused

LONGEST_PAUSE: Final = 10.0  # seconds

SIGN: Final = "\0"  # which no text has

_PRONOUNCED = re.compile(r"\[([^\[\]\n]{1,200})\]\(/([^()/\n]{1,200})/\)")
_PAUSE = re.compile(r"\[pause:\s{0,4}([^\[\]\n]{0,20})\]")
_SECONDS = re.compile(r"(\d{1,4}(?:\.\d{1,6})?)\s{0,4}s")


@dataclass(frozen=True, slots=True)
class Pronounced:
    start: int
    end: int
    phonemes: str


@dataclass(frozen=True, slots=True)
class Pause:
    start: int
    end: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Marked:
    """A text and what its markup says. All positions are characters of the text as it was written."""

    text: str
    """As long as the written text, with SIGN for each sign of the markup around a word, and blanks for a pause."""
    pronounced: tuple[Pronounced, ...]
    pauses: tuple[Pause, ...]


def read(text: str) -> Marked:
    """Raises Refused for a pause that cannot be; whatever else stands in brackets is text."""
    blank = list(text)
    pauses = []
    for found in _PAUSE.finditer(text):
        pauses.append(Pause(*found.span(), _seconds(found)))
        blank[found.start() : found.end()] = " " * len(found[0])
    pronounced = []
    for found in _PRONOUNCED.finditer(text):
        if not found[1].strip() or not found[2].strip():
            continue
        pronounced.append(Pronounced(found.start(1), found.end(1), found[2].strip()))
        blank[found.start()] = SIGN
        blank[found.end(1) : found.end()] = SIGN * (found.end() - found.end(1))
    return Marked("".join(blank), tuple(pronounced), tuple(pauses))


def _seconds(found: re.Match[str]) -> float:
    number = _SECONDS.fullmatch(found[1].strip())
    if number is None or float(number[1]) > LONGEST_PAUSE:
        raise Refused(f"{found[0]!r} is no pause: write it as [pause:0.5s], with 0 to {LONGEST_PAUSE:g} seconds")
    return float(number[1])
