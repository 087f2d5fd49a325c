"""One model's slots, and the line before them.

A live segment takes a slot whatever the batch lane does: the models themselves put live before batch, so that what
is being made for a batch only waits there. The last slot is kept from segments made ahead, where there is another.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import lectern_contract as contract
from orchestrator.lib import metrics
from orchestrator.lib.errors.problems import Busy
from orchestrator.speech.admission.fair_queue import (
    AHEAD,
    BATCH,
    NEEDED,
    RANKS,
    FairQueue,
    QueuedSegment,
    Requester,
    before,
)
from orchestrator.speech.admission.throughput import Throughput

Clock = Callable[[], float]

_LANES: Final[dict[int, contract.Lane]] = {NEEDED: "live", AHEAD: "live", BATCH: "batch"}


class ModelQueue:
    def __init__(self, model: str, slots: Callable[[], int], clock: Clock, on_change: Callable[[], object]) -> None:
        """``on_change`` is told whenever there may be less to wait for than before."""
        self._model = model
        self._on_change = on_change
        self._slots = slots
        self._clock = clock
        self._coming = FairQueue()  # whose segments are still looked for elsewhere
        self._waiting = FairQueue()
        self._at_work: dict[QueuedSegment, contract.Lane] = {}
        self._pace = Throughput()

    @property
    def slots(self) -> int:
        return self._slots()

    @property
    def pace(self) -> float:
        """Seconds of speech that the model makes in a second; before that is known, each of its slots one."""
        return self._pace.seconds_in_a_second(float(self.slots))

    def expect(self, turn: QueuedSegment) -> None:
        """Counts a segment that is about to come, until it comes or is forgotten."""
        self._coming.add(turn)

    def forget(self, turn: QueuedSegment) -> None:
        if self._coming.remove(turn):
            self._on_change()

    def demand(self, lane: contract.Lane) -> list[QueuedSegment]:
        """All of the lane that come or wait."""
        return [turn for queue in (self._coming, self._waiting) for turn in queue if turn.requester.lane == lane]

    def expected_wait(self, requester: Requester) -> float:
        """Seconds until a segment that comes now, and is needed, would have its slot."""
        rank = BATCH if requester.lane == "batch" else NEEDED
        first = before(rank, requester.account, self._coming, self._waiting)
        free = self.slots - self._taken("live") - (self._taken("batch") if rank == BATCH else 0)
        if len(first) < free:
            return 0.0
        work = [turn.work for turn in (*first, *self._at_work)]
        leaving = len(first) + 1 - max(0, free)
        return leaving * (sum(work) / len(work)) / self.pace if work else 0.0

    @asynccontextmanager
    async def slot(self, turn: QueuedSegment) -> AsyncIterator[None]:
        """Waits for a slot, and keeps it until the end of the block. Raises `Busy` when the turn's time is over."""
        self._coming.remove(turn)
        came = self._clock()
        await self._wait(turn)
        metrics.QUEUE_SECONDS.labels(self._model, turn.requester.lane).observe(self._clock() - came)
        done = False
        try:
            yield
            done = True
        finally:
            self._leave(turn, turn.work if done else None)

    def promote(self, turn: QueuedSegment, requester: Requester, *, needed: bool, until: float) -> None:
        """Somebody else wants it too, or wants it sooner. What waits goes to the rank and the account that is best."""
        if requester.lane == "batch":
            return
        queue = next((queue for queue in (self._waiting, self._coming) if queue.remove(turn)), None)
        if turn.requester.lane == "batch":
            turn.requester = requester
        if needed and not turn.needed:
            turn.needed = True
            turn.until = min(turn.until, until)
            if turn.limit is not None:
                turn.limit.reschedule(turn.until)
        if queue is not None:
            queue.add(turn)
            self._call()

    async def _wait(self, turn: QueuedSegment) -> None:
        called = turn.called = asyncio.get_running_loop().create_future()
        self._waiting.add(turn)
        self._call()
        try:
            async with asyncio.timeout_at(turn.until) as turn.limit:
                await called
        except BaseException as error:
            self._waiting.remove(turn)
            if turn in self._at_work:  # the slot was given to it in the same moment
                self._leave(turn, None)
            else:
                self._on_change()
            if isinstance(error, TimeoutError):
                raise self._too_late(turn) from None
            raise
        finally:
            turn.limit = None
            self._count()

    def _too_late(self, turn: QueuedSegment) -> Busy:
        metrics.REFUSED.labels(self._model, turn.requester.lane).inc()
        return Busy(f"The model '{self._model}' had no time for this before its deadline.", retry_after=5)

    def _call(self) -> None:
        """Gives every free slot to whoever comes next."""
        for rank in RANKS:
            while self._is_free(rank) and (turn := self._waiting.next(rank)) is not None:
                # One whose task was cancelled in this moment has not left yet, and must not get what it will not use.
                if turn.called is not None and not turn.called.done():
                    self._at_work[turn] = _LANES[rank]
                    self._pace.began(self._clock())
                    turn.called.set_result(None)
        self._count()
        self._on_change()

    def _is_free(self, rank: int) -> bool:
        slots, live = self.slots, self._taken("live")
        if rank == BATCH:
            return live + self._taken("batch") < slots
        return live < (slots if rank == NEEDED else max(1, slots - 1))

    def _leave(self, turn: QueuedSegment, work: float | None) -> None:
        del self._at_work[turn]
        self._pace.ended(self._clock(), work)
        self._call()

    def _taken(self, lane: contract.Lane) -> int:
        return sum(taken == lane for taken in self._at_work.values())

    def _count(self) -> None:
        for lane in contract.LANES:
            waiting = sum(turn.requester.lane == lane for turn in self._waiting)
            metrics.SEGMENTS_WAITING.labels(self._model, lane).set(waiting)
            metrics.SLOTS_IN_USE.labels(self._model, lane).set(self._taken(lane))
