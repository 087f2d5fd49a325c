"""The background loops of a process. One that ends unasked ends the process, as a process without it is half dead."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog

log = structlog.stdlib.get_logger("lectern.process")


class Background:
    """Starts loops that run until the process ends."""

    def __init__(self, tasks: asyncio.TaskGroup, end_process: Callable[[], None]) -> None:
        self._tasks = tasks
        self._end_process = end_process
        self._running: set[asyncio.Task[None]] = set()

    def run(self, name: str, loop: Coroutine[Any, Any, None]) -> None:
        """Runs a loop, which is never to end."""
        self._start(name, self._guard(name, loop))

    def run_once(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Runs work that ends by itself and raises nothing, such as to load what the first request would wait for."""
        self._start(name, work)

    def cancel(self) -> None:
        for task in self._running:
            task.cancel()

    def _start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = self._tasks.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _guard(self, name: str, loop: Coroutine[Any, Any, None]) -> None:
        try:
            await loop
            log.critical("a background loop has ended; this process stops", loop=name)
        except Exception:
            log.critical("a background loop has failed; this process stops", loop=name, exc_info=True)
        self._end_process()


def end_process() -> None:
    """Lets the server end as at a stop: what it is sending may go on for a while. A supervisor starts it again."""
    os.kill(os.getpid(), signal.SIGTERM)


@asynccontextmanager
async def background_loops(end_process: Callable[[], None] = end_process) -> AsyncIterator[Background]:
    """Cancels the loops at the end of the block, and waits for them."""
    async with asyncio.TaskGroup() as tasks:
        background = Background(tasks, end_process)
        try:
            yield background
        finally:
            background.cancel()
