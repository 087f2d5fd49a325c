"""Computes how long an idle GPU should be kept: the cost of a cold start against the cost of waiting for a request.

A GPU costs `price` a second whether it speaks or not. A cold start takes `cold` seconds, for which it is paid too, and
somebody waits: what a second of that is worth, in the same money, is `patience`; 0 where only money counts.
"""

from collections.abc import Mapping, Sequence
from math import inf
from typing import Final, NamedTuple


class KeepTime(NamedTuple):
    seconds: float  # how long to keep the GPU; infinite: always
    cost: float  # of one gap between requests, on average


TOTAL: Final = "total"  # the phase that all others lie within


def cold_seconds(phases: Mapping[str, float], also: float = 0.0) -> float:
    """Returns the seconds of a cold start: the engine's own, and what comes before it.

    Some phases run beside each other or within others, so that their sum says nothing. `also`: seconds until there is a
    machine and a container on it, which the engine cannot know.
    """
    return also + phases[TOTAL]


def break_even(cold: float, price: float, patience: float = 0.0) -> float:
    """Returns how long to keep the GPU when nothing is known of the next request.

    Who stops after so many seconds never pays more than twice what they would have paid knowing the future (the ski
    rental problem).
    """
    return cold * (1 + patience / price)


def gap_cost(gap: float, keep: float, cold: float, price: float, patience: float = 0.0) -> float:
    """Returns the cost of a gap of so many seconds if the GPU is kept for `keep` of them."""
    return price * min(gap, keep) + (cold * (price + patience) if gap > keep else 0.0)


def best(gaps: Sequence[float], cold: float, price: float, patience: float = 0.0) -> KeepTime:
    """Returns how long the GPU should have been kept for the measured gaps between requests.

    Only the gaps themselves, none and for ever can be best: between two gaps waiting costs and gains nothing.
    """
    choices = (
        KeepTime(keep, sum(gap_cost(gap, keep, cold, price, patience) for gap in gaps) / len(gaps))
        for keep in (0.0, *sorted(set(gaps)), inf)
    )
    return min(choices, key=lambda choice: choice.cost)
