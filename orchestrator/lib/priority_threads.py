"""Threads that encode and decode audio, apart from the threads of the rest of the process.

The work that is due first runs first: one listener's first sound goes before what another will hear in a minute.
"""

import asyncio
import math
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from heapq import heappop, heappush
from itertools import count
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_LATENESS_DECAY: Final = 1.0  # seconds in which a seen lateness fades by a factor of e
_COST_DECAY: Final = 300.0  # seconds of audio over which the cost of encoding is averaged
_MIN_AUDIO: Final = 10.0  # seconds of audio before that cost is known


class PriorityThreads:
    """For one event loop."""

    def __init__(self, threads: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="encoder")
        self._free = threads
        self._clock = clock
        self._queue: list[tuple[float, int, asyncio.Future[None]]] = []  # a heap of waiting work, by when it is due
        self._numbers = count()  # orders work that is due at the same time
        self._lateness = 0.0
        self._measured_at = clock()
        self._processors = min(threads, os.cpu_count() or 1)
        self._work = 0.0  # seconds of processor time for encoding; fades, as does the next
        self._audio = 0.0  # seconds of encoded audio

    async def run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        return await self._run(0.0, lambda: work(*args, **kwargs))

    async def encode(self, slack: float, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Runs the encoding of audio; `count_encoded` says how much audio it was.

        ``slack``: seconds until the result is needed. Work that waits long comes first in the end.
        """

        def timed() -> R:
            began = time.thread_time()
            try:
                return work(*args, **kwargs)
            finally:
                # Two threads at once may lose an addition, which an average can bear.
                self._work += time.thread_time() - began

        return await self._run(slack, timed)

    def count_encoded(self, seconds: float) -> None:
        """Counts the seconds of audio that were encoded for a listener."""
        fading = math.exp(-seconds / _COST_DECAY)
        self._work *= fading
        self._audio = self._audio * fading + seconds

    @property
    def throughput(self) -> float:
        """Seconds of audio that all processors together can encode in a second; infinite if unknown."""
        if self._audio < _MIN_AUDIO or not self._work:
            return math.inf
        return self._processors * self._audio / self._work

    def lateness(self) -> float:
        """Returns the seconds by which work begins late; they grow if the processors cannot keep up."""
        now = self._clock()
        while self._queue and self._queue[0][2].done():  # cancelled
            heappop(self._queue)
        overdue = now - self._queue[0][0] if self._queue else 0.0
        return max(overdue, self._lateness * math.exp((self._measured_at - now) / _LATENESS_DECAY))

    def close(self) -> None:
        self._executor.shutdown(wait=True, cancel_futures=True)

    async def _run(self, slack: float, work: Callable[[], R]) -> R:
        await self._take_thread(self._clock() + slack)
        loop = asyncio.get_running_loop()
        try:
            running: Future[R] = self._executor.submit(work)
        except BaseException:
            self._free_thread()
            raise
        # Not at the end of the task: a cancelled task leaves its work running in the thread.
        running.add_done_callback(lambda _: loop.call_soon_threadsafe(self._free_thread))
        return await asyncio.wrap_future(running)

    async def _take_thread(self, due: float) -> None:
        if self._free:
            self._free -= 1
        else:
            ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            heappush(self._queue, (due, next(self._numbers), ready))
            try:
                await ready
            except asyncio.CancelledError:
                if ready.done() and not ready.cancelled():  # it got the thread and was cancelled at the same moment
                    self._free_thread()
                raise
        self._measure(max(0.0, self._clock() - due))

    def _free_thread(self) -> None:
        while self._queue:
            _, _, ready = heappop(self._queue)
            if not ready.done():
                ready.set_result(None)
                return
        self._free += 1

    def _measure(self, late: float) -> None:
        now = self._clock()
        self._lateness += (late - self._lateness) * (1 - math.exp((self._measured_at - now) / _LATENESS_DECAY))
        self._measured_at = now
