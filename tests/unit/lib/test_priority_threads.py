"""The order in which encoding is done, and how late it is."""

import asyncio
import math
import threading
import time
from collections.abc import Iterator
from typing import Self

import pytest

from orchestrator.lib.priority_threads import PriorityThreads
from orchestrator.speech.response.audio_stream import PlayoutBuffer

pytestmark = pytest.mark.anyio
LIMIT = 60.0


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def threads(clock: Clock) -> Iterator[PriorityThreads]:
    threads = PriorityThreads(1, clock=clock)
    yield threads
    threads.close()


class Occupied:
    """The only thread is at work until it is released."""

    def __init__(self, threads: PriorityThreads) -> None:
        self._end, begun = threading.Event(), threading.Event()
        self.task = asyncio.create_task(threads.run(self._work, begun))
        self._begun = begun

    def _work(self, begun: threading.Event) -> None:
        begun.set()
        assert self._end.wait(LIMIT)

    async def __aenter__(self) -> Self:
        assert await asyncio.to_thread(self._begun.wait, LIMIT)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._end.set()
        await asyncio.gather(self.task, return_exceptions=True)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_is_due_first_is_done_first(threads: PriorityThreads, clock: Clock) -> None:
    done: list[str] = []
    async with asyncio.TaskGroup() as group, Occupied(threads):
        for name, slack in (("later", 8.0), ("soon", 3.0), ("now", 0.0), ("now too", 0.0)):
            group.create_task(threads.encode(slack, done.append, name))
            await settle()
        clock.now = 5.0
        group.create_task(threads.encode(4.0, done.append, "came last, is due after it"))
        await settle()
    assert done == ["now", "now too", "soon", "later", "came last, is due after it"]


async def test_errors_are_those_of_the_work_and_the_thread_goes_on(threads: PriorityThreads) -> None:
    with pytest.raises(ZeroDivisionError):
        await threads.run(lambda: 1 / 0)
    assert await threads.run(int, "7") == 7


async def test_cancelled_work_takes_no_thread_and_is_not_late(threads: PriorityThreads, clock: Clock) -> None:
    done: list[str] = []
    async with Occupied(threads) as occupied:
        waits = asyncio.create_task(threads.run(done.append, "cancelled"))
        follows = asyncio.create_task(threads.encode(9.0, done.append, "follows"))
        await settle()
        clock.now = 4.0
        assert threads.lateness() == 4.0
        waits.cancel()
        await settle()
        assert threads.lateness() == 0.0, "what follows is not due yet"
        occupied.task.cancel()  # its work goes on, in the thread
        await settle()
        assert not done
    await follows
    assert done == ["follows"]


async def test_lateness_is_measured_and_fades(threads: PriorityThreads, clock: Clock) -> None:
    assert threads.lateness() == 0.0
    async with Occupied(threads):
        waits = asyncio.create_task(threads.run(int))
        await settle()
        clock.now = 3.0
    await waits
    assert 2.5 < threads.lateness() <= 3.0
    clock.now = 13.0
    assert threads.lateness() < 0.001


def test_a_response_is_ahead_by_what_a_hasty_listener_has_left(clock: Clock) -> None:
    lead = PlayoutBuffer(clock)
    assert lead.slack == 0.0
    clock.now = 100.0
    lead.add(6.0)
    assert lead.slack == 3.0
    clock.now = 102.0
    assert lead.slack == 1.0
    clock.now = 110.0
    assert lead.slack == 0.0
    lead.add(1000.0)
    assert lead.slack == 10.0


async def test_the_throughput_is_what_the_processors_can_encode(threads: PriorityThreads) -> None:
    def work(seconds: float) -> None:
        end = time.thread_time() + seconds
        while time.thread_time() < end:
            pass

    await threads.run(work, 0.05)  # is no encoding
    assert threads.throughput == math.inf
    await threads.encode(0.0, work, 0.02)
    threads.count_encoded(2.0)
    assert threads.throughput == math.inf, "so little may be chance"
    for _ in range(5):
        await threads.encode(0.0, work, 0.02)
        threads.count_encoded(4.0)
    assert 100 < threads.throughput <= 200
