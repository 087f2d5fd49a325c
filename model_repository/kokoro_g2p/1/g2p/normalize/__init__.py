"""Writes out as words what is written in another way. Only plain runs: what has phonemes already is left alone."""

from collections.abc import Callable, Mapping
from typing import Final

from g2p.aligned import AlignedText
from g2p.language import Language
from g2p.normalize.addresses import emails, urls
from g2p.normalize.money import money
from g2p.normalize.numbers import numbers
from g2p.normalize.times import dates
from g2p.normalize.units import units
from g2p.refusal import Refused

_STEPS: Final[dict[str, Callable[[AlignedText, Language], AlignedText]]] = {
    # In this order: an address has dots and digits in it, a date has numbers.
    "emails": emails,
    "urls": urls,
    "dates": dates,
    "money": money,
    "units": units,
    "numbers": numbers,
}


def normalize(text: AlignedText, language: Language, switches: Mapping[str, bool]) -> AlignedText:
    """Raises Refused for a switch that does not exist."""
    for name in switches:
        if name not in _STEPS:
            raise Refused(f"there is no switch {name!r} for normalization: the switches are {', '.join(_STEPS)}")
    for name, step in _STEPS.items():
        if switches.get(name, True):
            text = step(text, language)
    return text
