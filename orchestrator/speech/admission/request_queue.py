"""Requests for which there was no room when they came: they wait to be let in, one account after another.

Nothing of their answers has left, so that one that waits in vain is still refused with a status of its own. Nobody
looks again and again whether there is room: `look` is called whenever the line at the model changes, and by a timer
where only time makes room, as a listener counts as gone.
"""

import asyncio
import math
from collections.abc import Callable, Iterator
from typing import Final

from orchestrator.speech.admission.fair_queue import RANKS, FairQueue, QueuedSegment

_SHORTEST: Final = 0.05  # seconds of the timer: two clocks need not agree on when a moment has come


class RequestQueue:
    """Of one model."""

    def __init__(
        self, let_in: Callable[[QueuedSegment], float | None], give_up: Callable[[QueuedSegment], object]
    ) -> None:
        """``let_in`` returns None if there was room, else the seconds after which time alone may make some.

        ``give_up`` is told of one that was let in, but left in the same moment.
        """
        self._try_to_let_in = let_in
        self._give_up = give_up
        self._waiting = FairQueue()
        self._timer: asyncio.TimerHandle | None = None

    def __iter__(self) -> Iterator[QueuedSegment]:
        return iter(self._waiting)

    async def wait(self, turn: QueuedSegment) -> bool:
        """Returns whether it was let in, at the latest when the turn's time is over."""
        called = turn.called = asyncio.get_running_loop().create_future()
        self._waiting.add(turn)
        self.look()
        try:
            async with asyncio.timeout_at(turn.until):
                await called
        except TimeoutError:
            return called.done() and not called.cancelled()
        except BaseException:
            if not called.cancelled():
                self._give_up(turn)
            raise
        finally:
            if self._waiting.remove(turn):
                self.look()  # another of its account may have room where it had none
        return True

    def look(self) -> None:
        """Lets in as many as there is room for."""
        soonest = self._let_in_one()
        while soonest is None:
            soonest = self._let_in_one()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if soonest < math.inf:
            self._timer = asyncio.get_running_loop().call_later(max(soonest, _SHORTEST), self.look)

    def _let_in_one(self) -> float | None:
        """Returns None if there was one to let in, else as ``let_in`` does.

        Only the first of each account is looked at, but of every one: an account that has its share keeps no other out.
        """
        soonest = math.inf
        for turn in [turns[0] for rank in RANKS for turns in self._waiting.by_account(rank).values()]:
            if turn.called is None or turn.called.done():  # its task was cancelled, and has not left yet
                self._waiting.remove(turn)
                return None
            seconds = self._try_to_let_in(turn)
            if seconds is None:
                self._waiting.take(turn)
                turn.called.set_result(None)
                return None
            soonest = min(soonest, seconds)
        return soonest
