"""Mixes of voices by name: `af_heart(2)+af_sky(1)` is two parts of one voice and one of another."""

import re
from collections.abc import Mapping
from typing import Final

MOST: Final = 8  # voices in a mix, as the models take them
LARGEST_WEIGHT: Final = 1_000.0

_PART = re.compile(r"([^()+\s]{1,64})(?:\((\d{1,4}(?:\.\d{1,4})?)\))?")


class NoMix(ValueError):  # noqa: N818 - it names a state of affairs
    """The name looks like a mix and is none; the message says why."""


def is_mix(name: str) -> bool:
    return "+" in name or "(" in name


def spelled(weights: Mapping[str, float]) -> str:
    """Returns the name of a mix given as voices and weights."""
    return "+".join(f"{voice}({weight:.4f})" for voice, weight in weights.items())


def parse(name: str) -> Mapping[str, float]:
    """Returns voices and their shares, which sum to 1, in the order of their names: one mix has one spelling.

    A weight that is left out is 1. Raises NoMix.
    """
    weights = weighed(name)
    total = sum(weights.values())
    return {voice: round(weights[voice] / total, 6) for voice in sorted(weights)}


def weighed(name: str) -> dict[str, float]:
    """Returns voices and their weights as they are written. Raises NoMix."""
    weights: dict[str, float] = {}
    parts = name.split("+")
    if len(parts) > MOST:
        raise NoMix(f"a mix has at most {MOST} voices, not {len(parts)}")
    for part in parts:
        found = _PART.fullmatch(part.strip())
        if found is None:
            raise NoMix(f"'{part.strip()[:40]}' is no part of a mix: write it as af_heart(2)+af_sky(1)")
        weight = float(found[2] or 1)
        if not 0 < weight <= LARGEST_WEIGHT:
            raise NoMix(f"the weight of '{found[1]}' is {weight:g}: it must be above 0 and at most {LARGEST_WEIGHT:g}")
        weights[found[1]] = weights.get(found[1], 0.0) + weight
    return weights
