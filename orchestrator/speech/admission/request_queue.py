"""Requests that wait for their admission to a model, one account after another.

Nothing of their responses has been sent, so one that waits in vain is still refused with a status of its own. There is
no polling: `check` is called whenever the model's queue changes, and by a timer where only time makes room, as when a
listener counts as gone.
"""

import asyncio
import math
from collections.abc import Callable, Iterator
from typing import Final

from orchestrator.speech.admission.fair_queue import RANKS, FairQueue, QueuedSegment

_SHORTEST: Final = 0.05  # seconds of the timer: two clocks need not agree on when a moment has come


class RequestQueue:
    """The requests that wait for one model, each with its first segment."""

    def __init__(
        self, try_to_admit: Callable[[QueuedSegment], float | None], give_up: Callable[[QueuedSegment], object]
    ) -> None:
        """``try_to_admit`` returns None if it did, else the seconds after which time alone may make room.

        ``give_up`` is called with one that was admitted, but was cancelled in the same moment.
        """
        self._try_to_admit = try_to_admit
        self._give_up = give_up
        self._waiting = FairQueue()
        self._timer: asyncio.TimerHandle | None = None

    def __iter__(self) -> Iterator[QueuedSegment]:
        return iter(self._waiting)

    async def wait(self, segment: QueuedSegment) -> bool:
        """Returns whether it was admitted before its deadline."""
        called = segment.called = asyncio.get_running_loop().create_future()
        self._waiting.add(segment)
        self.check()
        try:
            async with asyncio.timeout_at(segment.until):
                await called
        except TimeoutError:
            return called.done() and not called.cancelled()
        except BaseException:
            if not called.cancelled():
                self._give_up(segment)
            raise
        finally:
            if self._waiting.remove(segment):
                self.check()  # its account's share has become free for another of its requests
        return True

    def check(self) -> None:
        """Admits as many as there is room for."""
        soonest = self._admit_one()
        while soonest is None:
            soonest = self._admit_one()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if soonest < math.inf:
            self._timer = asyncio.get_running_loop().call_later(max(soonest, _SHORTEST), self.check)

    def _admit_one(self) -> float | None:
        """Returns None if one was admitted, else as ``try_to_admit`` does.

        It tries the first request of every account: one that has its share must keep no other out.
        """
        soonest = math.inf
        for segment in [queue[0] for rank in RANKS for queue in self._waiting.by_account(rank).values()]:
            if segment.called is None or segment.called.done():  # its task was cancelled, and has not left yet
                self._waiting.remove(segment)
                return None
            seconds = self._try_to_admit(segment)
            if seconds is None:
                self._waiting.take(segment)
                segment.called.set_result(None)
                return None
            soonest = min(soonest, seconds)
        return soonest
