"""The usage of a response: characters, seconds, and the cost of what a model synthesized for it."""

from collections import defaultdict

import msgspec

from orchestrator.billing.prices import Prices
from orchestrator.speech.planner.script import Script, Segment


class Usage(msgspec.Struct, frozen=True):
    """OpenAI's fields count what Lectern counts: characters in, milliseconds of audio out."""

    input_tokens: int
    output_tokens: int
    total_tokens: int
    characters: int
    seconds: float
    cost: int  # micro-credits


class Tally:
    """Sums up what the meter counts of one response. What is cached, or made for another request, costs nothing."""

    def __init__(self, characters: int, prices: Prices) -> None:
        self._characters = characters
        self._prices = prices
        self.seconds = 0.0  # that are heard
        self._made: defaultdict[str, float] = defaultdict(float)  # seconds, by model

    def add(self, segment: Segment, seconds: float, made_seconds: float) -> None:
        self.seconds += segment.silence + seconds
        self._made[segment.model] += made_seconds

    def usage(self) -> Usage:
        milliseconds = round(self.seconds * 1000)
        return Usage(
            input_tokens=self._characters,
            output_tokens=milliseconds,
            total_tokens=self._characters + milliseconds,
            characters=self._characters,
            seconds=round(self.seconds, 3),
            cost=sum(self._prices.cost(model, seconds) for model, seconds in self._made.items()),
        )


def usage_headers(script: Script, cached_seconds: float | None, prices: Prices) -> dict[str, str]:
    """What is known before the first byte: the seconds where everything is cached, else an estimate and its price."""
    headers = {"x-lectern-characters": str(script.characters)}
    if cached_seconds is not None:
        return {**headers, "x-lectern-seconds": f"{cached_seconds:.3f}", "x-lectern-cost": "0"}
    seconds: defaultdict[str, float] = defaultdict(float)
    heard = 0.0
    for segment in script.segments:
        seconds[segment.model] += segment.estimated_seconds
        heard += segment.silence + segment.estimated_seconds / segment.tempo + segment.pause
    return {
        **headers,
        "x-lectern-estimated-seconds": f"{heard:.1f}",
        "x-lectern-estimated-cost": str(sum(prices.cost(*one) for one in seconds.items())),
    }
