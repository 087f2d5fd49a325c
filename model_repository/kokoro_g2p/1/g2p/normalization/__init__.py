"""Writes out numbers, dates, money, units and addresses as words, except where a pronunciation is given."""

from collections.abc import Callable, Mapping
from typing import Final

from g2p import BadRequest
from g2p.aligned_text import AlignedText
from g2p.languages import Language
from g2p.normalization.dates_and_times import dates
from g2p.normalization.money import money
from g2p.normalization.numbers import numbers
from g2p.normalization.units import units
from g2p.normalization.urls_and_emails import emails, urls

_STEPS: Final[dict[str, Callable[[AlignedText, Language], AlignedText]]] = {
    # The order matters: addresses have dots and digits in them, dates have numbers.
    "emails": emails,
    "urls": urls,
    "dates": dates,
    "money": money,
    "units": units,
    "numbers": numbers,
}


def normalize(text: AlignedText, language: Language, switches: Mapping[str, bool]) -> AlignedText:
    """Raises BadRequest for a switch that does not exist."""
    for name in switches:
        if name not in _STEPS:
            raise BadRequest(f"there is no switch {name!r} for normalization: the switches are {', '.join(_STEPS)}")
    for name, step in _STEPS.items():
        if switches.get(name, True):
            text = step(text, language)
    return text
