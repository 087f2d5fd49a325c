"""The queue in front of a voice, with two bounded lanes: live jobs go before batch jobs.

Triton's own priority queue is not used: each of its policies makes the batcher sleep for half a second at a time while
requests wait.
"""

import threading
from collections import deque
from collections.abc import Mapping
from typing import Generic, TypeVar

from lectern_contract import LANES, Lane

Job = TypeVar("Job")


class LaneFull(Exception):  # noqa: N818 - it names a state of affairs
    """The lane has no room for another job."""


class LaneQueue(Generic[Job]):
    """A queue of jobs for several worker threads, first in, first out within a lane."""

    def __init__(self, limits: Mapping[Lane, int]) -> None:
        self._limits = limits
        self._waiting: dict[Lane, deque[Job]] = {lane: deque() for lane in LANES}
        self._idle = 0
        self._open = True
        self._changed = threading.Condition()

    def put(self, lane: Lane, job: Job) -> None:
        """Adds a job at the end of its lane. Raises LaneFull, also once the queue is closed."""
        with self._changed:
            waiting = self._waiting[lane]
            # A notified worker may not have taken its job yet. Jobs that idle workers are about to take do not count.
            first = sum(len(self._waiting[earlier]) for earlier in LANES[: LANES.index(lane)])
            queued = len(waiting) - max(0, self._idle - first)
            if not self._open or queued >= self._limits[lane]:
                raise LaneFull(lane)
            waiting.append(job)
            self._changed.notify()

    def take(self) -> Job | None:
        """Waits for the next job. Returns None when the queue is closed."""
        with self._changed:
            self._idle += 1
            try:
                while self._open:
                    for lane in LANES:
                        if self._waiting[lane]:
                            return self._waiting[lane].popleft()
                    self._changed.wait()
                return None
            finally:
                self._idle -= 1

    @property
    def idle(self) -> int:
        """The number of workers that wait for a job."""
        with self._changed:
            return self._idle

    @property
    def waiting(self) -> Mapping[Lane, int]:
        """The number of jobs that wait in each lane."""
        with self._changed:
            return {lane: len(jobs) for lane, jobs in self._waiting.items()}

    def remove(self, lane: Lane, job: Job) -> bool:
        """Removes a waiting job. Returns False if it is no longer waiting."""
        with self._changed:
            try:
                self._waiting[lane].remove(job)
            except ValueError:
                return False
            return True

    def close(self) -> list[Job]:
        """Makes every `take` return None, and returns the jobs that no worker took."""
        with self._changed:
            self._open = False
            left = [job for lane in LANES for job in self._waiting[lane]]
            for waiting in self._waiting.values():
                waiting.clear()
            self._changed.notify_all()
            return left
