"""What runs in the loop beside is read here in order, fails here, and is closed there when it is left here."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing

import pytest

from lectern_triton.higgs_engine.omni.loop_thread import LoopThread

LIMIT = 60.0  # seconds


@pytest.fixture
def beside() -> Iterator[LoopThread]:
    made = LoopThread("beside")
    yield made
    made.close()
    assert "beside" not in {thread.name for thread in threading.enumerate()}


async def counted(until: int) -> AsyncGenerator[int, None]:
    for number in range(until):
        yield number


class Endless:
    def __init__(self) -> None:
        self.closed = threading.Event()

    async def __call__(self) -> AsyncGenerator[str, None]:
        try:
            yield "first"
            await asyncio.Event().wait()
        finally:
            self.closed.set()


def test_in_order(beside: LoopThread) -> None:
    async def main() -> list[int]:
        return [number async for number in beside.iterate(lambda: counted(1_000))]

    assert asyncio.run(main()) == list(range(1_000))


def test_in_a_thread_of_its_own(beside: LoopThread) -> None:
    async def where() -> str:
        return threading.current_thread().name

    assert beside.run(where()) == "beside"
    assert asyncio.run(beside.wait(where())) == "beside"


def test_a_failure_comes_after_what_was_before_it(beside: LoopThread) -> None:
    async def failing() -> AsyncGenerator[int, None]:
        yield 1
        raise ValueError("broken")

    async def main() -> None:
        numbers = beside.iterate(failing)
        assert await anext(numbers) == 1
        with pytest.raises(ValueError, match="broken"):
            await anext(numbers)

    asyncio.run(main())


def test_left_early(beside: LoopThread) -> None:
    endless = Endless()

    async def main() -> None:
        async with aclosing(beside.iterate(endless)) as words:
            assert await anext(words) == "first"

    asyncio.run(main())
    assert endless.closed.wait(LIMIT)


def test_cancelled_while_it_waits(beside: LoopThread) -> None:
    endless = Endless()

    async def main() -> None:
        first = asyncio.Event()

        async def read() -> None:
            async with aclosing(beside.iterate(endless)) as words:
                async for _ in words:
                    first.set()

        reading = asyncio.create_task(read())
        await first.wait()
        await asyncio.sleep(0)  # it waits for the next
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

    asyncio.run(main())
    assert endless.closed.wait(LIMIT)


def test_closed_while_something_runs() -> None:
    made = LoopThread("beside")
    endless = Endless()

    async def main() -> None:
        words = made.iterate(endless)
        assert await anext(words) == "first"
        await asyncio.to_thread(made.close)
        with pytest.raises(RuntimeError, match="closed"):
            await anext(words)

    asyncio.run(main())
    assert endless.closed.is_set()
