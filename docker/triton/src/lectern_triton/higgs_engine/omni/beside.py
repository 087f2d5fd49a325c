"""An event loop in a thread of its own: what vLLM does in it cannot hold up the socket to the backend."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from typing import Any, Final, TypeVar

T = TypeVar("T")

LIMIT: Final = 5.0  # seconds for what still runs to end


class _End:
    """Nothing more comes."""


class Beside:
    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Blocks; not for its own thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def wait(self, work: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def each(self, make: Callable[[], AsyncGenerator[T, None]]) -> AsyncGenerator[T, None]:
        """Yield what a generator yields that runs there; it is closed there as soon as this one is.

        Raises what it raises, and RuntimeError if `close` has ended it.
        """
        here = asyncio.get_running_loop()
        come: asyncio.Queue[T | _End] = asyncio.Queue()

        def tell(item: T | _End) -> None:
            with contextlib.suppress(RuntimeError):  # the loop here has ended: nobody waits
                here.call_soon_threadsafe(come.put_nowait, item)

        async def read() -> None:
            async with aclosing(make()) as items:
                async for item in items:
                    tell(item)

        reading = asyncio.run_coroutine_threadsafe(read(), self._loop)
        reading.add_done_callback(lambda _: tell(_End()))
        try:
            while not isinstance(item := await come.get(), _End):
                yield item
            if reading.cancelled():
                raise RuntimeError("what was read is closed")
            reading.result()
        finally:
            reading.cancel()

    def close(self) -> None:
        """Cancel what runs, wait for it, and end the thread. Blocks."""

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
