"""Runs calls in threads, the most urgent first: which sentence goes to the acoustic model next."""

import heapq
import threading
from collections.abc import Callable
from concurrent.futures import Future
from itertools import count
from typing import Generic, TypeVar

Result = TypeVar("Result")
Urgency = tuple[int, ...]
"""Lower goes first."""


class PriorityExecutor(Generic[Result]):
    """Runs calls in threads, the most urgent first, and limits the weight of all calls in flight.

    More calls in flight would only wait inside the acoustic model, where an urgent call can no longer overtake them.
    """

    def __init__(self, threads: int, capacity: int) -> None:
        """`capacity` is the weight that may be in flight; a call that weighs more runs alone."""
        self._capacity = capacity
        self._waiting: list[tuple[Urgency, int, int, Future[Result], Callable[[], Result]]] = []
        self._order = count()
        self._in_flight = 0
        self._open = True
        self._changed = threading.Condition()
        self._threads = [
            threading.Thread(target=self._work, name=f"kokoro-synthesis-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, urgency: Urgency, weight: int, call: Callable[[], Result]) -> Future[Result]:
        """Queues a call; of equal urgency the first submitted goes first. Cancel the futures that are not needed."""
        future: Future[Result] = Future()
        with self._changed:
            heapq.heappush(self._waiting, (urgency, next(self._order), weight, future, call))
            self._changed.notify_all()
        return future

    def close(self) -> None:
        """Cancels the waiting calls, and ends the threads when their running calls are done."""
        with self._changed:
            self._open = False
            for *_, future, _ in self._waiting:
                future.cancel()
            self._waiting.clear()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(timeout=5)

    def _work(self) -> None:
        while (taken := self._take()) is not None:
            weight, future, call = taken
            try:
                future.set_result(call())
            except BaseException as error:  # noqa: BLE001 - whoever waits for the result gets it
                future.set_exception(error)
            with self._changed:
                self._in_flight -= weight
                self._changed.notify_all()

    def _take(self) -> tuple[int, Future[Result], Callable[[], Result]] | None:
        """Waits until the most urgent call may run; returns None when closed."""
        with self._changed:
            while self._open:
                while self._waiting and self._waiting[0][3].cancelled():
                    heapq.heappop(self._waiting)
                weight = self._waiting[0][2] if self._waiting else 0
                fits = self._in_flight == 0 or self._in_flight + weight <= self._capacity
                if self._waiting and fits and self._waiting[0][3].set_running_or_notify_cancel():
                    *_, future, call = heapq.heappop(self._waiting)
                    self._in_flight += weight
                    return weight, future, call
                if not self._waiting or not fits:
                    self._changed.wait()
            return None
