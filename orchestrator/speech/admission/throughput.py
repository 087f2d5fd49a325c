"""How much a model is seen to speak in a second, all its segments together."""

from typing import Final

_REMEMBERED: Final = 0.8  # share of what was known that stays when one more segment has ended


class Throughput:
    """Seconds are those that segments are estimated to last, so that long and short ones are counted alike."""

    def __init__(self) -> None:
        self._busy_since: float | None = None
        self._at_work = 0
        self._spoken = 0.0
        self._took = 0.0
        self._took_lately = 0.0  # since a segment last ended

    def began(self, now: float) -> None:
        if not self._at_work:
            self._busy_since = now
        self._at_work += 1

    def ended(self, now: float, work: float | None) -> None:
        """None: it did not come to its end, and tells nothing."""
        self._at_work -= 1
        if self._busy_since is not None:
            self._took_lately += now - self._busy_since
        self._busy_since = now if self._at_work else None
        if work is not None:
            self._spoken = self._spoken * _REMEMBERED + work
            self._took = self._took * _REMEMBERED + self._took_lately
            self._took_lately = 0.0

    def seconds_in_a_second(self, unknown: float) -> float:
        """``unknown`` before anything has been timed."""
        return self._spoken / self._took if self._took > 0 else unknown
