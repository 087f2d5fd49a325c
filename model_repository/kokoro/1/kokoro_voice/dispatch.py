"""Decides which sentence goes to the acoustic model next, when several segments have some to make."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from itertools import count
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Dispatch(Generic[Result]):
    """A fixed number of threads that make calls, the most urgent first.

    More in flight would only wait inside the acoustic model, where nothing urgent can overtake them any more.
    """

    def __init__(self, threads: int) -> None:
        self._waiting: queue.PriorityQueue[
            tuple[tuple[int, ...], int, tuple[Future[Result], Callable[[], Result]] | None]
        ] = queue.PriorityQueue()
        self._order = count()
        self._threads = [
            threading.Thread(target=self._work, name=f"kokoro-dispatch-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, urgency: tuple[int, ...], call: Callable[[], Result]) -> Future[Result]:
        """Have a call made. Lower `urgency` goes first, and of equals the one that came first; cancel what is left."""
        future: Future[Result] = Future()
        self._waiting.put((urgency, next(self._order), (future, call)))
        return future

    def close(self) -> None:
        """End the threads once they have made the calls that are being made; what waits is cancelled."""
        for _ in self._threads:
            self._waiting.put(((-1,), next(self._order), None))
        for thread in self._threads:
            thread.join(timeout=5)
        while not self._waiting.empty():
            _, _, job = self._waiting.get_nowait()
            if job is not None:
                job[0].cancel()

    def _work(self) -> None:
        while (job := self._waiting.get()[2]) is not None:
            future, call = job
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = call()
            except BaseException as error:  # noqa: BLE001 - whoever waits for the result gets it
                future.set_exception(error)
            else:
                future.set_result(result)
