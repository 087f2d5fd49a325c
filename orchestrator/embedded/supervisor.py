"""Runs one service of the stack: a process that ends is started again, at the same address."""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass

from orchestrator.embedded import CannotStart
from orchestrator.embedded.child_process import Child
from orchestrator.lib.backoff import pause_after

PAUSES = (0.5, 4.0)  # seconds before restarts in a row: before the second, and at most; the first one comes at once
STABLE_SECONDS = 10.0  # a service that ran for longer starts a new row of restarts
CHECK_PAUSE = 2.0  # seconds between two questions whether a service still answers
CHECKS = 3  # questions in a row without an answer before it is killed


@dataclass(frozen=True, slots=True)
class RunningService:
    child: Child
    wait_ready: Callable[[], Awaitable[None]]
    """Returns once the service answers. Raises CannotStart, at the latest when the process ends before that."""
    stop: Callable[[], Awaitable[None]]
    """Ends the process in bounded time. Harmless if the process has ended."""
    answers: Callable[[], Awaitable[bool]] | None = None
    """Asks the service, once it was ready, whether it still works; None: it is not asked. Returns in some seconds."""


StartService = Callable[[], Awaitable[RunningService]]
"""Raises CannotStart."""


class Supervisor:
    """Runs one service. Restarts it only after `enable_restarts`; before that, its end is an error of the start."""

    def __init__(self, name: str, start: StartService, say: Callable[[str], None], *, crashes: int = 0) -> None:
        """``crashes``: by a signal, that are no error of the start."""
        self.name = name
        self._crashes = crashes
        self._start = start
        self._say = say
        self._restarts = False
        self._ready = asyncio.Event()

    async def wait_ready(self) -> None:
        """Returns once the service answers for the first time."""
        await self._ready.wait()

    def enable_restarts(self) -> None:
        """From now on, start the service again whenever it ends."""
        self._restarts = True

    async def run(self) -> None:
        """Runs the service until cancelled, then stops it. Raises CannotStart if it ends before `enable_restarts`."""
        failures = 0
        while True:
            began = time.monotonic()
            try:
                ending = await self._run_once()
            except (CannotStart, OSError) as error:
                if not self._restarts:
                    raise CannotStart(str(error)) from error
                ending = f"could not be started: {error}"
            failures = 0 if time.monotonic() - began > STABLE_SECONDS else failures + 1
            pause = pause_after(failures - 1, *PAUSES) if failures > 1 else 0.0
            self._say(f"{self.name} {ending}; it is started again" + (f" in {pause:g} s" if pause else ""))
            await asyncio.sleep(pause)

    async def _run_once(self) -> str:
        """Returns how the service ended. Raises CannotStart if it did not start, or ended too early to be restarted."""
        service = await self._start()
        try:
            await service.wait_ready()
            if self._ready.is_set():
                self._say(f"{self.name} is back")
            self._ready.set()
            ending = await _ending(service)
        finally:
            await service.stop()
        if not self._restarts and self._crashes and (service.child.process.returncode or 0) < 0:
            self._crashes -= 1
        elif not self._restarts:
            child = service.child
            raise CannotStart(f"{self.name} {ending} while Lectern started: {child.tail()} (see {child.command.log})")
        return ending


async def _ending(service: RunningService) -> str:
    """Waits for the service's end, and kills it when it no longer answers. Returns how it ended."""
    ended = asyncio.create_task(service.child.wait())
    unanswered = 0
    try:
        while unanswered < CHECKS:
            await asyncio.wait({ended}, timeout=None if service.answers is None else CHECK_PAUSE)
            if ended.done() or service.answers is None:
                return describe_status(await ended)
            unanswered = 0 if await service.answers() else unanswered + 1
        service.child.kill()
        return "did not answer any more and was killed"
    finally:
        ended.cancel()


@contextlib.asynccontextmanager
async def supervised(
    name: str, start: StartService, say: Callable[[str], None], *, crashes: int = 0
) -> AsyncIterator[Supervisor]:
    """Runs the service for as long as the block runs, and stops it at the end, whatever ends the block."""
    supervisor = Supervisor(name, start, say, crashes=crashes)
    async with background_task(supervisor.run(), f"run {name}"):
        yield supervisor


@contextlib.asynccontextmanager
async def background_task(work: Coroutine[None, None, None], name: str) -> AsyncIterator[None]:
    """Runs work for as long as the block runs; if the work fails, so does the block."""
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(work, name=name)
        try:
            yield
        finally:
            task.cancel()


def describe_status(status: int) -> str:
    """Says in words how a process ended."""
    return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
