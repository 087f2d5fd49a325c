"""An event loop in a thread of its own, so that vLLM cannot delay the messages to the backend."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from typing import Any, Final, TypeVar

T = TypeVar("T")

LIMIT: Final = 5.0  # seconds in which running tasks must end


class _End:
    """Marks the end of the items."""


class LoopThread:
    """Runs coroutines and generators in its own thread, for callers in other threads."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine and blocks until it ends. Not for calls from its own thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine and waits for it without blocking the caller's loop."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def iterate(self, make: Callable[[], AsyncGenerator[T, None]]) -> AsyncGenerator[T, None]:
        """Runs a generator in the thread and yields its items. It is closed as soon as this one is.

        Raises what it raises, and RuntimeError if `close` ended it.
        """
        here = asyncio.get_running_loop()
        items_here: asyncio.Queue[T | _End] = asyncio.Queue()

        def tell(item: T | _End) -> None:
            with contextlib.suppress(RuntimeError):  # this loop has ended: nobody waits
                here.call_soon_threadsafe(items_here.put_nowait, item)

        async def read() -> None:
            async with aclosing(make()) as items:
                async for item in items:
                    tell(item)

        reading = asyncio.run_coroutine_threadsafe(read(), self._loop)
        reading.add_done_callback(lambda _: tell(_End()))
        try:
            while not isinstance(item := await items_here.get(), _End):
                yield item
            if reading.cancelled():
                raise RuntimeError("the loop thread is closed")
            reading.result()
        finally:
            reading.cancel()

    def close(self) -> None:
        """Cancels all tasks, waits for them, and ends the thread. Blocks."""

        async def end() -> None:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            if others:
                await asyncio.wait(others, timeout=LIMIT)

        self.run(end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(LIMIT)
        if not self._thread.is_alive():
            self._loop.close()
