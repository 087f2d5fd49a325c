"""How fast a model is seen to speak, and when by that a turn comes."""

import heapq
from collections.abc import Iterable
from typing import Final

_MEMORY: Final = 0.8  # share of what was measured that still counts when one more segment has ended


class Throughput:
    """Seconds of speech that a model makes in a second, in all its slots together.

    They are the estimated ones of the segments, so that long and short segments count alike.
    """

    def __init__(self) -> None:
        self._busy_since: float | None = None
        self._in_slots = 0
        self._spoken = 0.0
        self._took = 0.0
        self._took_since_end = 0.0  # of the latest segment

    def began(self, now: float) -> None:
        if not self._in_slots:
            self._busy_since = now
        self._in_slots += 1

    def ended(self, now: float, work: float | None) -> None:
        """``work`` is None for a segment that failed, which tells nothing."""
        self._in_slots -= 1
        if self._busy_since is not None:
            self._took_since_end += now - self._busy_since
        self._busy_since = now if self._in_slots else None
        if work is not None:
            self._spoken = self._spoken * _MEMORY + work
            self._took = self._took * _MEMORY + self._took_since_end
            self._took_since_end = 0.0
        elif not self._in_slots:
            self._took_since_end = 0.0

    @property
    def seconds_per_second(self) -> float | None:
        return self._spoken / self._took if self._took > 0 else None


def until_turn(in_slots: Iterable[float], before: Iterable[float], slots: int, speed: float) -> float:
    """Returns the seconds until one who comes now gets a slot. The segments in slots share the speed.

    ``in_slots`` and ``before``: the seconds of speech that are left of the segments in slots, and of those that get a
    slot before, in their order.
    """
    ends = sorted(in_slots)  # a heap; each is the speech that every slot has made until it ends
    waiting = list(reversed(list(before)))
    made = seconds = 0.0
    while True:
        while waiting and len(ends) < slots:
            heapq.heappush(ends, made + waiting.pop())
        if len(ends) < slots:
            return seconds
        end = heapq.heappop(ends)
        seconds += (end - made) * (len(ends) + 1) / speed
        made = end
