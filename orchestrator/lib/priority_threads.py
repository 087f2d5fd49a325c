"""The threads that encode and decode audio, apart from those the rest of the process waits on.

What is needed first is done first: one listener's first sound goes before what another will hear in a minute.
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

_MEMORY: Final = 1.0  # seconds within which what was seen of lateness fades
_AUDIO_MEMORY: Final = 300.0  # seconds of audio over which the cost of encoding is averaged
_TOO_LITTLE: Final = 10.0  # seconds of audio that say nothing about it


class PriorityThreads:
    """For use in one event loop."""

    def __init__(self, threads: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="encoder")
        self._free = threads
        self._clock = clock
        self._line: list[tuple[float, int, asyncio.Future[None]]] = []  # a heap of who waits, by when they are due
        self._numbers = count()  # of two that are due at once, who came first
        self._lateness = 0.0
        self._seen_at = clock()
        self._processors = min(threads, os.cpu_count() or 1)
        self._work = 0.0  # seconds of processor time that encoding took, and of audio that was encoded, both fading
        self._audio = 0.0

    async def run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        return await self._run(0.0, lambda: work(*args, **kwargs))

    async def encode(self, slack: float, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """For work of which `encoded` tells how much audio it was.

        ``slack``: seconds for which nobody misses the result. Who waits long comes first in the end.
        """

        def timed() -> R:
            began = time.thread_time()
            try:
                return work(*args, **kwargs)
            finally:
                self._work += time.thread_time() - began  # two threads at once may lose one: it is an average

        return await self._run(slack, timed)

    def encoded(self, seconds: float) -> None:
        """So much audio was encoded for a listener."""
        fading = math.exp(-seconds / _AUDIO_MEMORY)
        self._work *= fading
        self._audio = self._audio * fading + seconds

    @property
    def pace(self) -> float:
        """Seconds of audio that could be encoded in a second, had encoding all processors; infinite if unknown."""
        if self._audio < _TOO_LITTLE or not self._work:
            return math.inf
        return self._processors * self._audio / self._work

    def lateness(self) -> float:
        """Seconds that work now begins after it was due. Grows when there is more of it than the processors can do."""
        now = self._clock()
        while self._line and self._line[0][2].done():  # cancelled
            heappop(self._line)
        overdue = now - self._line[0][0] if self._line else 0.0
        return max(overdue, self._lateness * math.exp((self._seen_at - now) / _MEMORY))

    def close(self) -> None:
        self._executor.shutdown(wait=True, cancel_futures=True)

    async def _run(self, slack: float, work: Callable[[], R]) -> R:
        await self._turn(self._clock() + slack)
        loop = asyncio.get_running_loop()
        try:
            running: Future[R] = self._executor.submit(work)
        except BaseException:
            self._leave()
            raise
        # Not when the task goes on: one that is cancelled leaves its work running, and a thread with it.
        running.add_done_callback(lambda _: loop.call_soon_threadsafe(self._leave))
        return await asyncio.wrap_future(running)

    async def _turn(self, due: float) -> None:
        if self._free:
            self._free -= 1
        else:
            called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            heappush(self._line, (due, next(self._numbers), called))
            try:
                await called
            except asyncio.CancelledError:
                if called.done() and not called.cancelled():  # called and cancelled in one moment
                    self._leave()
                raise
        self._see(max(0.0, self._clock() - due))

    def _leave(self) -> None:
        while self._line:
            _, _, called = heappop(self._line)
            if not called.done():
                called.set_result(None)
                return
        self._free += 1

    def _see(self, late: float) -> None:
        now = self._clock()
        self._lateness += (late - self._lateness) * (1 - math.exp((self._seen_at - now) / _MEMORY))
        self._seen_at = now
