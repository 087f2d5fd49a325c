"""One model's slots, and the segments that wait for one.

A segment heeds only those in slots that are of its own rank or an earlier one. So the rest never keeps it waiting, and
no slot is empty while anything waits. A model itself puts live before batch, so that a later rank there only waits.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Final
from uuid import UUID

from lectern_contract import LANES, Lane
from orchestrator.accounts.requester import Requester
from orchestrator.lib import metrics
from orchestrator.speech.admission.fair_queue import RANKS, QueuedSegment, Turns, before, by_account, ranked
from orchestrator.speech.admission.throughput import Throughput, until_turn

Clock = Callable[[], float]

_LEAST: Final = 0.1  # share of a segment that counts as not made yet, however long it has been in its slot
_RECHECK: Final = 0.25  # seconds


class ModelQueue:
    def __init__(
        self, model: str, slots: Callable[[], int], clock: Clock, may_begin: Callable[[QueuedSegment], bool]
    ) -> None:
        """``may_begin`` is asked of those that wait, in the order of their coming; it may also protect a listener."""
        self._model = model
        self._slots = slots
        self._clock = clock
        self._may_begin = may_begin
        self._expected: dict[QueuedSegment, None] = {}  # segments that are still looked for in the cache
        self._waiting: dict[QueuedSegment, None] = {}
        self._in_slots: dict[QueuedSegment, float] = {}  # and since when
        self._turns = {rank: Turns() for rank in RANKS}
        self._numbers = count(1)
        self._throughput = Throughput()
        self._recheck: asyncio.TimerHandle | None = None

    @property
    def slots(self) -> int:
        return self._slots()

    @property
    def throughput(self) -> float:
        """Seconds of speech that the model makes in a second; until that is measured, one in each slot."""
        return self._throughput.seconds_per_second or float(self.slots)

    @property
    def is_measured(self) -> bool:
        return self._throughput.seconds_per_second is not None

    def expect(self, segment: QueuedSegment) -> None:
        """Counts a segment that is about to come, until it comes or is forgotten."""
        segment.came = next(self._numbers)
        self._expected[segment] = None

    def forget(self, segment: QueuedSegment) -> None:
        if segment in self._expected:
            del self._expected[segment]
            self._fill_slots()  # the next one of its listener may be needed now

    def demand(self, lane: Lane) -> list[QueuedSegment]:
        """Returns the lane's segments that are expected or wait."""
        return [one for one in (*self._expected, *self._waiting) if one.requester.lane == lane]

    @property
    def has_empty_slot(self) -> bool:
        """Whether a segment that comes now has a slot at once, whatever its rank."""
        return len(self._in_slots) + len(self._expected) + len(self._waiting) < self.slots

    def work_for(self, requester: Requester) -> float:
        """Returns for how many seconds the listener will hear its segments that are expected or wait."""
        listener = requester.account, requester.listener
        segments = (*self._expected, *self._waiting)
        own = [one for one in segments if (one.requester.account, one.requester.listener) == listener]
        return sum(one.work / one.tempo for one in own)

    def rank(self, segment: QueuedSegment) -> int:
        """Returns the rank that a new segment has among the others."""
        return self._ranks(segment)[segment]

    def turn(self, rank: int, account: UUID, speed: float) -> float:
        """Returns the seconds until a new segment of this rank and account gets a slot.

        ``speed``: seconds of speech that are made in a second for it and those before it.
        """
        ranks = self._ranks()
        coming = before(rank, account, {one: ranks[one] for one in (*self._expected, *self._waiting)})
        now, each = self._clock(), self.throughput / max(1, len(self._in_slots))
        left = [
            max(_LEAST * one.work, one.work - each * (now - since))
            for one, since in self._in_slots.items()
            if ranks[one] <= rank
        ]
        return until_turn(left, [one.work for one in coming], self.slots, speed)

    def has_share(self, segment: QueuedSegment, bound: int) -> bool:
        """Returns whether as many requests of its account wait as may: all ``bound``, or a part if others have some."""
        rank = self.rank(segment)
        accounts = by_account(one for one in self.demand(segment.requester.lane) if one.begins)
        own = accounts.pop(segment.requester.account, [])
        ranks = self._ranks()
        free = max(0, self.slots - sum(ranks[one] <= rank for one in self._in_slots))  # some of them only pass by
        return len(own) >= max(1, bound // (len(accounts) + 1)) + free

    async def wait(self, segment: QueuedSegment) -> bool:
        """Returns whether its turn came in time: it has its slot then, until the end of `kept`."""
        self._expected.pop(segment, None)
        came = self._clock()
        called = segment.called = asyncio.get_running_loop().create_future()
        self._waiting[segment] = None
        self._fill_slots()
        try:
            async with asyncio.timeout_at(segment.until) as segment.limit:
                await called
        except BaseException as error:
            in_time = isinstance(error, TimeoutError) and segment in self._in_slots
            if not in_time:
                self._leave(segment)
            if not isinstance(error, TimeoutError):
                raise
            if not in_time:
                return False
        finally:
            segment.limit = None
            self._set_gauges()
        metrics.QUEUE_SECONDS.labels(self._model, segment.requester.lane).observe(self._clock() - came)
        return True

    @contextmanager
    def kept(self, segment: QueuedSegment) -> Iterator[None]:
        done = False
        try:
            yield
            done = True
        finally:
            self._leave(segment, segment.work if done else None)

    def check(self) -> None:
        """Something outside has changed: a listener has left, or a segment is needed now."""
        self._fill_slots()

    def _leave(self, segment: QueuedSegment, work: float | None = None) -> None:
        self._waiting.pop(segment, None)
        if self._in_slots.pop(segment, None) is not None:
            self._throughput.ended(self._clock(), work)
        self._fill_slots()

    def _ranks(self, *more: QueuedSegment) -> dict[QueuedSegment, int]:
        return ranked((*self._in_slots, *self._expected, *self._waiting, *more))

    def _fill_slots(self) -> None:
        """Gives every free slot to the segment that comes next."""
        while (segment := self._next()) is not None:
            self._in_slots[segment] = self._clock()
            self._throughput.began(self._clock())
            assert segment.called is not None  # noqa: S101 - whatever waits has it
            segment.called.set_result(None)
            del self._waiting[segment]
        self._set_gauges()

    def _next(self) -> QueuedSegment | None:
        # One whose task was cancelled in this moment has not left yet, and must not get a slot.
        waiting = [one for one in self._waiting if one.called is not None and not one.called.done()]
        if not waiting:
            return None
        ready = [one for one in waiting if self._may_begin(one)]
        if len(ready) < len(waiting):
            self._check_soon()
        ranks = self._ranks()
        taken = 0
        for rank in RANKS:
            taken += sum(ranks[one] == rank for one in self._in_slots)
            if taken >= self.slots:
                return None
            if equal := [one for one in ready if ranks[one] == rank]:
                return self._turns[rank].take(equal, next(self._numbers))
        return None

    def _check_soon(self) -> None:
        """Looks again in a moment: nothing tells when encoding is in time again, or a listener counts as gone."""
        if self._recheck is None:
            self._recheck = asyncio.get_running_loop().call_later(_RECHECK, self._check_again)

    def _check_again(self) -> None:
        self._recheck = None
        self._fill_slots()

    def _set_gauges(self) -> None:
        for lane in LANES:
            waiting = sum(segment.requester.lane == lane for segment in self._waiting)
            metrics.SEGMENTS_WAITING.labels(self._model, lane).set(waiting)
            taken = sum(segment.requester.lane == lane for segment in self._in_slots)
            metrics.SLOTS_IN_USE.labels(self._model, lane).set(taken)
