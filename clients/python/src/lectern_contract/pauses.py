"""Pauses in one line: `sentence:0.6,paragraph:1.2`, each in seconds behind what it names."""

import re
from collections.abc import Mapping
from typing import Final, cast

from lectern_contract import PAUSES, Break

_PART: Final = re.compile(r"\s*([a-z_]{1,20})\s*:\s*([0-9]{1,4}(?:\.[0-9]{1,6})?)\s*")


class NoPauses(ValueError):  # noqa: N818 - it names a state of affairs
    """The line is none; the message says why."""


def spelled(pauses: Mapping[Break, float]) -> str:
    """Returns the line for pauses."""
    return ",".join(f"{kind}:{seconds:g}" for kind, seconds in pauses.items())


def parse(line: str) -> dict[Break, float]:
    """Returns the seconds by what they follow. Raises NoPauses."""
    pauses: dict[Break, float] = {}
    for part in line.split(","):
        found = _PART.fullmatch(part)
        if found is None or found[1] not in PAUSES:
            kinds = ", ".join(PAUSES)
            raise NoPauses(
                f"'{part.strip()[:40]}' is no pause: write it as sentence:0.6, in seconds, behind one of {kinds}"
            )
        if found[1] in pauses:
            raise NoPauses(f"'{found[1]}' is there twice")
        pauses[cast("Break", found[1])] = float(found[2])
    return pauses
