"""Keeps one part of the stack running: what dies is started again, at the same address."""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass

from orchestrator.embedded.child_process import Child, tail
from orchestrator.embedded.errors import CannotStart

PAUSES = (0.0, 0.5, 1.0, 2.0, 4.0)  # seconds before each restart in a row; the first one comes at once
STEADY = 10.0  # seconds after which a part is no longer in a row of failures


@dataclass(frozen=True, slots=True)
class Started:
    """A part whose process runs."""

    child: Child
    wait_ready: Callable[[], Awaitable[None]]
    """Returns once it serves. Raises CannotStart, at the latest when it ends without having served."""
    stop: Callable[[], Awaitable[None]]
    """Ends it, in bounded time; harmless if it has ended by itself."""


Start = Callable[[], Awaitable[Started]]
"""Starts a part. Raises CannotStart."""


class Supervisor:
    """Owns one part's process. Before the part is told to be settled, its end is an error of the start."""

    def __init__(self, name: str, start: Start, say: Callable[[str], None]) -> None:
        self.name = name
        self._start = start
        self._say = say
        self._settled = False
        self._ready = asyncio.Event()

    async def ready(self) -> None:
        """Return once the part serves for the first time."""
        await self._ready.wait()

    def settle(self) -> None:
        """From now on, start the part again whenever it ends."""
        self._settled = True

    async def keep(self) -> None:
        """Run the part until cancelled, then stop it. Raises CannotStart if it ends before it is settled."""
        row = 0
        while True:
            began = time.monotonic()
            try:
                ending = await self._run_once()
            except (CannotStart, OSError) as error:
                if not self._settled:
                    raise CannotStart(str(error)) from error
                ending = f"could not be started: {error}"
            row = 0 if time.monotonic() - began > STEADY else row + 1
            pause = PAUSES[min(max(row - 1, 0), len(PAUSES) - 1)]
            self._say(f"{self.name} {ending}; it is started again" + (f" in {pause:g} s" if pause else ""))
            await asyncio.sleep(pause)

    async def _run_once(self) -> str:
        """Return how the part ended. Raises CannotStart if it ended before it was settled, or could not be started."""
        started = await self._start()
        try:
            await started.wait_ready()
            if self._ready.is_set():
                self._say(f"{self.name} is back")
            self._ready.set()
            ending = describe(await started.child.wait())
        finally:
            await started.stop()
        if not self._settled:
            log = started.child.command.log
            raise CannotStart(f"{self.name} {ending} while Lectern started: {tail(log)} (see {log})")
        return ending


@contextlib.asynccontextmanager
async def supervised(name: str, start: Start, say: Callable[[str], None]) -> AsyncIterator[Supervisor]:
    """Keep the part running for as long as the block does, and stop it at the end, whatever ends it."""
    supervisor = Supervisor(name, start, say)
    async with beside(supervisor.keep(), f"keep {name}"):
        yield supervisor


@contextlib.asynccontextmanager
async def beside(work: Coroutine[None, None, None], name: str) -> AsyncIterator[None]:
    """Run work beside the block, for as long as the block does; if the work fails, so does the block."""
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(work, name=name)
        try:
            yield
        finally:
            task.cancel()


def describe(status: int) -> str:
    """Say in words how a process ended."""
    return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
