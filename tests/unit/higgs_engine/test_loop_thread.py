"""What runs in the loop loop_thread is read here in order, fails here, and is closed there when it is left here."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing

import pytest

from lectern_triton.higgs_engine.omni.loop_thread import LoopThread

LIMIT = 60.0  # seconds


@pytest.fixture
def loop_thread() -> Iterator[LoopThread]:
    made = LoopThread("loop_thread")
    yield made
    made.close()
    assert "loop_thread" not in {thread.name for thread in threading.enumerate()}


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


def test_in_order(loop_thread: LoopThread) -> None:
    async def main() -> list[int]:
        return [number async for number in loop_thread.iterate(lambda: counted(1_000))]

    assert asyncio.run(main()) == list(range(1_000))


def test_in_a_thread_of_its_own(loop_thread: LoopThread) -> None:
    async def where() -> str:
        return threading.current_thread().name

    assert loop_thread.run(where()) == "loop_thread"
    assert asyncio.run(loop_thread.wait(where())) == "loop_thread"


def test_a_failure_comes_after_what_was_before_it(loop_thread: LoopThread) -> None:
    async def failing() -> AsyncGenerator[int, None]:
        yield 1
        raise ValueError("broken")

    async def main() -> None:
        numbers = loop_thread.iterate(failing)
        assert await anext(numbers) == 1
        with pytest.raises(ValueError, match="broken"):
            await anext(numbers)

    asyncio.run(main())


def test_left_early(loop_thread: LoopThread) -> None:
    endless = Endless()

    async def main() -> None:
        async with aclosing(loop_thread.iterate(endless)) as words:
            assert await anext(words) == "first"

    asyncio.run(main())
    assert endless.closed.wait(LIMIT)


def test_cancelled_while_it_waits(loop_thread: LoopThread) -> None:
    endless = Endless()

    async def main() -> None:
        first = asyncio.Event()

        async def read() -> None:
            async with aclosing(loop_thread.iterate(endless)) as words:
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
    made = LoopThread("loop_thread")
    endless = Endless()

    async def main() -> None:
        words = made.iterate(endless)
        assert await anext(words) == "first"
        await asyncio.to_thread(made.close)
        with pytest.raises(RuntimeError, match="closed"):
            await anext(words)

    asyncio.run(main())
    assert endless.closed.is_set()
