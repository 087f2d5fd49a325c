"""The queue in front of a voice: two bounded lanes, live before batch.

Triton has such a queue, but each of its policies makes the batcher sleep half a second at a time with work waiting.
"""

import threading
from collections import deque
from collections.abc import Mapping
from typing import Generic, TypeVar

from lectern_contract import LANES, Lane

Job = TypeVar("Job")


class LaneFull(Exception):  # noqa: N818 - it names a state of affairs
    """No more jobs can wait in this lane."""


class Lanes(Generic[Job]):
    """A queue of jobs for several worker threads; first come first served within a lane."""

    def __init__(self, limits: Mapping[Lane, int]) -> None:
        self._limits = limits
        self._waiting: dict[Lane, deque[Job]] = {lane: deque() for lane in LANES}
        self._idle = 0
        self._open = True
        self._changed = threading.Condition()

    def put(self, lane: Lane, job: Job) -> None:
        """Add a job at the end of its lane. Raises LaneFull, also once the queue is closed."""
        with self._changed:
            waiting = self._waiting[lane]
            # An idle worker that was notified has not taken its job yet: what idle workers will take does not queue.
            first = sum(len(self._waiting[earlier]) for earlier in LANES[: LANES.index(lane)])
            queued = len(waiting) - max(0, self._idle - first)
            if not self._open or queued >= self._limits[lane]:
                raise LaneFull(lane)
            waiting.append(job)
            self._changed.notify()

    def take(self) -> Job | None:
        """Wait for the next job; None when the queue is closed."""
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
        """How many workers wait for a job."""
        with self._changed:
            return self._idle

    @property
    def waiting(self) -> Mapping[Lane, int]:
        """How many jobs wait in each lane."""
        with self._changed:
            return {lane: len(jobs) for lane, jobs in self._waiting.items()}

    def remove(self, lane: Lane, job: Job) -> bool:
        """Take a waiting job out; False if it does not wait any more."""
        with self._changed:
            try:
                self._waiting[lane].remove(job)
            except ValueError:
                return False
            return True

    def close(self) -> list[Job]:
        """End all waiting in `take`, and return the jobs that nobody took."""
        with self._changed:
            self._open = False
            left = [job for lane in LANES for job in self._waiting[lane]]
            for waiting in self._waiting.values():
                waiting.clear()
            self._changed.notify_all()
            return left
