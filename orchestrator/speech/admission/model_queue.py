"""One model's slots, and the segments that wait for one.

A live segment gets a slot whatever the batch lane does: the models themselves put live before batch, so that a batch
segment in a slot only waits there. The last slot is kept from segments that are made ahead, if there is another.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from lectern_contract import LANES, Lane
from orchestrator.accounts.requester import Requester
from orchestrator.lib import metrics
from orchestrator.lib.errors.problems import Busy
from orchestrator.speech.admission.fair_queue import AHEAD, BATCH, NEEDED, RANKS, FairQueue, QueuedSegment, before

Clock = Callable[[], float]

_LANES: Final[dict[int, Lane]] = {NEEDED: "live", AHEAD: "live", BATCH: "batch"}
_MEMORY: Final = 0.8  # share of what was measured that still counts when one more segment has ended


class ModelQueue:
    def __init__(self, model: str, slots: Callable[[], int], clock: Clock, on_change: Callable[[], object]) -> None:
        """``on_change`` is called whenever there may be less to wait for than before."""
        self._model = model
        self._on_change = on_change
        self._slots = slots
        self._clock = clock
        self._expected = FairQueue()  # segments that are still looked for in the cache
        self._waiting = FairQueue()
        self._in_slots: dict[QueuedSegment, Lane] = {}
        self._throughput = _Throughput()

    @property
    def slots(self) -> int:
        return self._slots()

    @property
    def throughput(self) -> float:
        """Seconds of speech that the model makes in a second; until that is measured, one in each slot."""
        return self._throughput.seconds_per_second(float(self.slots))

    def expect(self, segment: QueuedSegment) -> None:
        """Counts a segment that is about to come, until it comes or is forgotten."""
        self._expected.add(segment)

    def forget(self, segment: QueuedSegment) -> None:
        if self._expected.remove(segment):
            self._on_change()

    def demand(self, lane: Lane) -> list[QueuedSegment]:
        """Returns the lane's segments that are expected or wait."""
        return [
            segment for queue in (self._expected, self._waiting) for segment in queue if segment.requester.lane == lane
        ]

    def expected_wait(self, requester: Requester) -> float:
        """Returns the seconds until a segment that comes now, and is needed, would get a slot."""
        rank = BATCH if requester.lane == "batch" else NEEDED
        first = before(rank, requester.account, self._expected, self._waiting)
        free = self.slots - self._taken("live") - (self._taken("batch") if rank == BATCH else 0)
        if len(first) < free:
            return 0.0
        work = [segment.work for segment in (*first, *self._in_slots)]
        leaving = len(first) + 1 - max(0, free)
        return leaving * (sum(work) / len(work)) / self.throughput if work else 0.0

    @asynccontextmanager
    async def slot(self, segment: QueuedSegment) -> AsyncIterator[None]:
        """Waits for a slot, and keeps it until the end of the block. Raises `Busy` at the segment's deadline."""
        self._expected.remove(segment)
        came = self._clock()
        await self._wait(segment)
        metrics.QUEUE_SECONDS.labels(self._model, segment.requester.lane).observe(self._clock() - came)
        done = False
        try:
            yield
            done = True
        finally:
            self._leave(segment, segment.work if done else None)

    def promote(self, segment: QueuedSegment, requester: Requester, *, needed: bool, until: float) -> None:
        """Another requester wants it too, or it is wanted sooner: it takes the better rank and account."""
        if requester.lane == "batch":
            return
        queue = next((queue for queue in (self._waiting, self._expected) if queue.remove(segment)), None)
        if segment.requester.lane == "batch":
            segment.requester = requester
        if needed and not segment.needed:
            segment.needed = True
            segment.until = min(segment.until, until)
            if segment.limit is not None:
                segment.limit.reschedule(segment.until)
        if queue is not None:
            queue.add(segment)
            self._fill_slots()

    async def _wait(self, segment: QueuedSegment) -> None:
        called = segment.called = asyncio.get_running_loop().create_future()
        self._waiting.add(segment)
        self._fill_slots()
        try:
            async with asyncio.timeout_at(segment.until) as segment.limit:
                await called
        except BaseException as error:
            self._waiting.remove(segment)
            if segment in self._in_slots:  # it got its slot in the same moment
                self._leave(segment, None)
            else:
                self._on_change()
            if isinstance(error, TimeoutError):
                raise self._too_late(segment) from None
            raise
        finally:
            segment.limit = None
            self._set_gauges()

    def _too_late(self, segment: QueuedSegment) -> Busy:
        metrics.REFUSED.labels(self._model, segment.requester.lane).inc()
        return Busy(f"The model '{self._model}' had no time for this before its deadline.", retry_after=5)

    def _fill_slots(self) -> None:
        """Gives every free slot to the segment that comes next."""
        for rank in RANKS:
            while self._has_free_slot(rank) and (segment := self._waiting.next(rank)) is not None:
                # One whose task was cancelled in this moment has not left yet, and must not get a slot.
                if segment.called is not None and not segment.called.done():
                    self._in_slots[segment] = _LANES[rank]
                    self._throughput.began(self._clock())
                    segment.called.set_result(None)
        self._set_gauges()
        self._on_change()

    def _has_free_slot(self, rank: int) -> bool:
        slots, live = self.slots, self._taken("live")
        if rank == BATCH:
            return live + self._taken("batch") < slots
        return live < (slots if rank == NEEDED else max(1, slots - 1))

    def _leave(self, segment: QueuedSegment, work: float | None) -> None:
        del self._in_slots[segment]
        self._throughput.ended(self._clock(), work)
        self._fill_slots()

    def _taken(self, lane: Lane) -> int:
        return sum(taken == lane for taken in self._in_slots.values())

    def _set_gauges(self) -> None:
        for lane in LANES:
            waiting = sum(segment.requester.lane == lane for segment in self._waiting)
            metrics.SEGMENTS_WAITING.labels(self._model, lane).set(waiting)
            metrics.SLOTS_IN_USE.labels(self._model, lane).set(self._taken(lane))


class _Throughput:
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

    def seconds_per_second(self, unknown: float) -> float:
        """Returns ``unknown`` before anything has been measured."""
        return self._spoken / self._took if self._took > 0 else unknown
